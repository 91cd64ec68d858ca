"""What is passed on to vLLM."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perception_reward.service.judges.vllm.arguments import check_names, identity, parse_arguments


def test_values_are_json_where_they_parse_and_text_elsewhere():
    given = ["max_model_len=8192", "enforce_eager=true", "dtype=bfloat16", 'hf_overrides={"a": [1, 2]}', "revision="]
    assert parse_arguments(given) == {
        "max_model_len": 8192,
        "enforce_eager": True,
        "dtype": "bfloat16",
        "hf_overrides": {"a": [1, 2]},
        "revision": "",
    }


@pytest.mark.parametrize("key", ["tensor_parallel_size", "tensor-parallel-size", "--tensor-parallel-size"])
def test_a_name_may_be_written_as_vllms_option(key: str):
    assert parse_arguments([f"{key}=2"]) == {"tensor_parallel_size": 2}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (["dtype"], "'dtype' is not KEY=VALUE"),
        (["=4"], "'=4' is not KEY=VALUE"),
        (["seed=1", "seed=2"], "'seed' is given twice"),
        (["max-model-len=1", "max_model_len=2"], "'max_model_len' is given twice"),
        (["model=x"], "--judge vllm:MODEL"),
        (["tokenizer=x"], "--judge-tokenizer"),
    ],
)
def test_what_is_no_argument_is_refused_in_words(given: list[str], words: str):
    with pytest.raises(ValueError, match=words):
        parse_arguments(given)


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda each: st.lists(each), max_leaves=5))
def test_every_json_value_arrives_as_it_is(value: object):
    assert parse_arguments([f"key={json.dumps(value)}"]) == {"key": value}


def test_what_changes_no_verdict_is_no_part_of_the_judges_identity():
    arguments = {"dtype": "bfloat16", "max_model_len": 4096, "tensor_parallel_size": 2, "something_new": 1}
    assert identity(arguments) == {"dtype": "bfloat16", "something_new": 1}


def test_an_argument_that_vllm_does_not_have_is_refused_with_near_names():
    known = {"max_model_len", "max_num_seqs", "dtype"}
    check_names({"dtype": "auto"}, known)
    with pytest.raises(ValueError, match=r"no engine argument 'max_modell_len' .*; did you mean max_model_len"):
        check_names({"max_modell_len": 1}, known)
    with pytest.raises(ValueError, match="see vLLM's engine arguments"):
        check_names({"zzz": 1}, known)
