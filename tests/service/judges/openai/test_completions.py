from __future__ import annotations

import copy
import json
import math
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perception_reward.service.judges.http.body import Call, decoded
from perception_reward.service.judges.llm.engine import Choice, JudgeFailure, Writing, Written
from perception_reward.service.judges.openai.completions import choosing, chosen, writing, written
from perception_reward.service.judges.openai.scoring import scores

CHOICE = Choice((1, 2, 3), ((4,), (5, 6)), (7, 9))


def body(call: Call) -> dict[str, Any]:
    assert call.path == "/v1/completions"
    return json.loads(call.body)


def test_all_suffixes_go_in_one_request_behind_the_same_prefix():
    request = body(choosing("m", CHOICE))
    assert request["prompt"] == [[1, 2, 3, 4], [1, 2, 3, 5, 6]]
    assert (request["model"], request["max_tokens"], request["temperature"]) == ("m", 1, 0)
    assert request["logprob_token_ids"] == [7, 9]


def test_the_largest_request_has_a_bounded_body():
    call = choosing("m", Choice(tuple(range(150_000, 158_200)), ((1, 2, 3),) * 32, (7,)))
    assert len(call.body) < 2_500_000


def choices(*logprobs: dict[int, float]) -> dict[str, Any]:
    """In the reverse order, as a server may."""
    found = [
        {"index": index, "logprobs": {"top_logprobs": [{f"token_id:{t}": p for t, p in each.items()}]}}
        for index, each in enumerate(logprobs)
    ]
    return {"choices": found[::-1]}


def test_log_probabilities_are_read_in_the_order_of_the_suffixes():
    assert chosen(choices({7: -0.5, 9: -1.0}, {7: -2.0}), 2) == ({7: -0.5, 9: -1.0}, {7: -2.0})


def test_a_reply_that_lacks_one_suffix_holds_nothing_for_it_alone():
    assert chosen(choices({7: -0.5}), 3) == ({7: -0.5}, {}, {})


UNUSABLE: list[Any] = [0.5, 1e-9, math.nan, math.inf, -math.inf, 10**4000, -(10**4000), None, True, "-0.5", [-0.5], {}]


@pytest.mark.parametrize("value", UNUSABLE)
def test_a_question_with_one_number_that_is_no_log_probability_has_no_answer(value: Any):
    assert chosen(choices({7: value, 9: -1.0}, {7: -2.0}), 2) == ({}, {7: -2.0})


@pytest.mark.parametrize("value", UNUSABLE)
def test_a_written_token_whose_own_log_probability_is_none_is_no_answer(value: Any):
    reply = choices({7: -0.5})
    reply["choices"][0]["logprobs"]["token_logprobs"] = [value]
    assert chosen(reply, 1) == ({},)


def test_probabilities_of_more_than_one_together_are_no_answer():
    assert chosen(choices({7: -0.1, 9: -0.2}), 1) == ({},)


@pytest.mark.parametrize(
    "name", ["7", " Yes", "token_id:07", "token_id: 7", "token_id:7_0", "token_id:-7", "token_id:٧"]
)
def test_a_token_that_is_not_named_by_its_id_is_no_answer(name: str):
    reply = choices({7: -0.5})
    reply["choices"][0]["logprobs"]["top_logprobs"][0][name] = -3.0
    assert chosen(reply, 1) == ({},)


@pytest.mark.parametrize("index", [1e400, 10**4000, -1, 2, 0.0, True, None, "1", [1], {"1": 1}])
def test_a_choice_of_no_question_answers_none(index: Any):
    reply = choices({7: -0.5}, {9: -0.5})
    reply["choices"][0]["index"] = index  # the second question's
    assert chosen(reply, 2) == ({7: -0.5}, {})


def test_two_choices_of_one_question_are_no_answer():
    reply = choices({7: -0.5}, {9: -0.5}, {7: -0.25})
    reply["choices"][0]["index"] = 1
    assert chosen(reply, 3) == ({7: -0.5}, {}, {})


def test_of_more_choices_than_questions_none_is_believed():
    assert chosen(choices({7: -0.5}, {7: -0.5}), 1) == ({},)


@pytest.mark.parametrize("steps", [[], [{}, {}], [{"token_id:7": -0.5}] * 2, {}, None, [None], [[]]])
def test_a_choice_of_another_number_of_tokens_is_no_answer(steps: Any):
    reply = choices({7: -0.5})
    reply["choices"][0]["logprobs"]["top_logprobs"] = steps
    assert chosen(reply, 1) == ({},)


GARBAGE: list[object] = [
    None,
    7,
    [],
    {},
    {"choices": None},
    {"choices": [None]},
    {"choices": [{"index": "x", "logprobs": {"top_logprobs": [{}]}}]},
    {"choices": [{"index": 0, "logprobs": None}]},
    {"choices": [{"index": 0, "logprobs": {"top_logprobs": []}}]},
    {"choices": [{"index": 0, "logprobs": {"top_logprobs": [{"token_id:1": "high"}]}}]},
    {"choices": [{"index": 0, "logprobs": {"top_logprobs": [{"Yes": -1.0}]}}]},
]


@pytest.mark.parametrize("garbage", GARBAGE)
def test_a_garbage_reply_holds_nothing(garbage: object):
    assert chosen(garbage, 2) == ({}, {})
    assert written(garbage) is None


def test_writing_asks_for_the_form_and_the_log_probabilities_that_are_wanted():
    request = body(writing("m", Writing((1, 2), 64, "1: (Yes|No)", (7, 9))))
    assert request["prompt"] == [1, 2]
    assert (request["max_tokens"], request["temperature"]) == (64, 0)
    assert request["structured_outputs"] == {"regex": "1: (Yes|No)"}
    assert request["logprob_token_ids"] == [7, 9]


def test_free_writing_asks_for_neither():
    request = body(writing("m", Writing((1, 2), 64)))
    assert not {"structured_outputs", "logprobs", "logprob_token_ids"} & request.keys()


def test_what_was_written_is_read_with_its_tokens():
    steps = {"tokens": ["token_id:7", "token_id:3"], "top_logprobs": [{"token_id:7": -0.1, "token_id:9": -3.0}, {}]}
    reply = {"choices": [{"index": 0, "text": "Yes.", "logprobs": steps}]}
    assert written(reply) == Written("Yes.", (7, 3), ({7: -0.1, 9: -3.0}, {}))


@pytest.mark.parametrize(
    "steps",
    [None, {}, {"tokens": ["Yes"], "top_logprobs": [{}]}, {"tokens": None}],
)
def test_without_log_probabilities_of_token_ids_there_is_the_text(steps: object):
    assert written({"choices": [{"index": 0, "text": "Yes.", "logprobs": steps}]}) == Written("Yes.")


@pytest.mark.parametrize("text", [None, 7, ["Yes"]])
def test_a_text_that_is_none_is_not_read(text: object):
    assert written({"choices": [{"index": 0, "text": text}]}) is None


@pytest.mark.parametrize(
    "steps",
    [
        7,
        [],
        {"tokens": ["token_id:7"], "top_logprobs": [{}, {}]},
        {"tokens": ["token_id:7"]},
        {"tokens": ["token_id:7", "Yes"], "top_logprobs": [{}, {}]},
        {"tokens": ["token_id:7"], "top_logprobs": [{"token_id:7": 0.5}]},
        {"tokens": ["token_id:7"], "top_logprobs": [{"token_id:7": -0.1, "token_id:9": -0.1}]},
        {"tokens": ["token_id:7"], "top_logprobs": [{"token_id:7": -0.1}], "token_logprobs": [1.0]},
        {"tokens": ["token_id:7"], "top_logprobs": [{"token_id:7": -0.1}], "token_logprobs": []},
    ],
)
def test_a_text_beside_log_probabilities_that_cannot_be_its_own_is_not_believed(steps: object):
    assert written({"choices": [{"index": 0, "text": "Yes.", "logprobs": steps}]}) is None


def test_of_several_texts_none_is_read():
    assert written({"choices": [{"index": 0, "text": "Yes."}, {"index": 1, "text": "No."}]}) is None
    assert written({"choices": [{"index": 1, "text": "Yes."}]}) is None


def test_the_most_that_a_reply_may_have_grows_with_what_is_asked():
    one, many = choosing("m", Choice((1,), ((2,),), (7, 9))), choosing("m", Choice((1,), ((2,),) * 32, (7, 9)))
    assert one.most < many.most < 400_000
    assert len(json.dumps(REPLY)) < choosing("m", Choice((1,), ((2,),) * 3, (7, 9))).most / 4
    assert writing("m", Writing((1,), 512)).most < writing("m", Writing((1,), 512, answers=(7, 9))).most < 1_000_000


# What a reply of vLLM 0.32 to three questions holds: the first, the second and the third answer are the likeliest.
ANSWERS = (7, 9, 12)


def answered(index: int, *logprobs: float) -> dict[str, Any]:
    top = {f"token_id:{token}": value for token, value in zip(ANSWERS, logprobs, strict=True)}
    likeliest = max(top, key=lambda name: top[name])
    steps = {"text_offset": [0], "token_logprobs": [top[likeliest]], "tokens": [likeliest], "top_logprobs": [top]}
    unused = dict.fromkeys(("stop_reason", "token_ids", "prompt_logprobs", "prompt_token_ids", "routed_experts"))
    return {"index": index, "text": " Yes", "logprobs": steps, "finish_reason": "length", **unused}


REPLY: dict[str, Any] = {
    "id": "cmpl-8f4f2f2f7d0f4d7d",
    "object": "text_completion",
    "created": 1767225600,
    "model": "m",
    "choices": [
        answered(0, -0.028171, -4.152, -5.031),
        answered(1, -3.913, -0.052114, -4.201),
        answered(2, -9.25, -9999.0, -0.00019),
    ],
    "service_tier": None,
    "system_fingerprint": None,
    "usage": {"prompt_tokens": 9, "total_tokens": 12, "completion_tokens": 3, "prompt_tokens_details": None},
    "kv_transfer_params": None,
}

WRONG: list[Any] = [
    *(None, True, False, 0, -1, 1, 3, 0.5, 1e400, -1e400, math.nan, 10**4000, -(10**4000)),
    *("NaN", "-0.1", "token_id:7", "\ud800", "", [], {}, [[[[]]]], {"token_id:7": -0.001}, [{"token_id:7": -0.001}]),
]


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Each container in `value`, with each of its keys or positions."""
    keys: list[Any] = (
        list(value) if isinstance(value, dict) else [*range(len(value))] if isinstance(value, list) else []
    )  # pyright: ignore
    for key in keys:
        yield value, key
        yield from places(value[key])


@st.composite
def broken(draw: st.DrawFn, reply: Any = REPLY) -> Any:
    """`reply` with some places removed, doubled, exchanged, or filled with something else."""
    found = copy.deepcopy(reply)
    for _ in range(draw(st.integers(1, 3))):
        spots = list(places(found))
        container, key = spots[draw(st.integers(0, len(spots) - 1))]
        match draw(st.sampled_from(["remove", "double", "exchange", "fill"])):
            case "remove":
                del container[key]
            case "double" if isinstance(container, list):
                container.insert(key, copy.deepcopy(container[key]))  # pyright: ignore
            case "exchange":
                other, place = spots[draw(st.integers(0, len(spots) - 1))]
                container[key] = copy.deepcopy(other[place])
            case _:
                container[key] = copy.deepcopy(draw(st.sampled_from(WRONG)))
    return found


def said_of(reply: Any, index: int) -> Any:
    """What the one choice of this index says of its token, read without a thought of what could be wrong."""
    try:
        (one,) = [each for each in reply["choices"] if type(each.get("index")) is int and each["index"] == index]
        (step,) = one["logprobs"]["top_logprobs"]
        return {int(name.removeprefix("token_id:")): value for name, value in step.items()}
    except (LookupError, TypeError, ValueError, AttributeError):
        return None


@given(broken())
def test_of_a_broken_reply_only_what_stands_in_it_is_read(reply: Any):
    if not isinstance(reply, dict) or not isinstance(reply.get("choices"), list):  # pyright: ignore
        return
    whole = [each for each in reply["choices"] if isinstance(each, dict)]
    for index, found in enumerate(chosen(reply, 3)):
        if found:
            assert found == said_of({"choices": whole}, index)
            assert all(-math.inf < value <= 0.0 for value in found.values())
            assert sum(map(math.exp, found.values())) <= 1.01


@given(broken())
def test_a_broken_reply_with_a_nan_anywhere_is_no_json(reply: Any):
    body = json.dumps(reply).encode()
    if b"NaN" in body.replace(b'"NaN"', b""):
        with pytest.raises(JudgeFailure, match="judge_unparseable"):
            decoded(body)


PARTS = [
    "index",
    "text",
    "logprobs",
    "tokens",
    "top_logprobs",
    "token_logprobs",
    "token_id:7",
    "score",
    "prompt_tokens",
]
KEYS = st.sampled_from(["choices", "data", "usage", *PARTS])
JSON = st.recursive(
    st.sampled_from(WRONG) | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=40,
)


@given(JSON | st.builds(lambda choices: {"choices": choices}, JSON) | broken())
def test_whatever_a_reply_is_it_is_read_without_a_fault(reply: Any):
    assert len(chosen(reply, 3)) == 3
    text = written(reply)
    assert text is None or text.text == reply["choices"][0]["text"]
    with pytest.raises(JudgeFailure):
        scores(reply, CHOICE)


@given(st.binary(max_size=200), st.integers(0, 1400), st.integers(0, 40))
def test_whatever_bytes_a_reply_is_it_is_read_without_a_fault(noise: bytes, at: int, gone: int):
    good = json.dumps(REPLY).encode()
    for body in (noise, good[:at], good[:at] + noise + good[at + gone :]):
        try:
            reply = decoded(body)
        except JudgeFailure:
            continue
        assert len(chosen(reply, 3)) == 3
        written(reply)
