from __future__ import annotations

import json
import math
from typing import Any

import pytest

from perception_reward.service.judges.llm.ask import Choice, Writing, Written
from perception_reward.service.judges.openai.call import Call
from perception_reward.service.judges.openai.completions import choosing, chosen, writing, written

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


@pytest.mark.parametrize("value", [0.5, math.nan, math.inf])
def test_what_is_no_logarithm_of_a_probability_is_left_out(value: float):
    assert chosen(choices({7: value, 9: -1.0}), 1) == ({9: -1.0},)


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
    [None, {}, {"tokens": ["Yes"], "top_logprobs": [{}]}, {"tokens": ["token_id:7"], "top_logprobs": [{}, {}]}],
)
def test_log_probabilities_that_cannot_be_read_leave_the_text(steps: object):
    assert written({"choices": [{"index": 0, "text": "Yes.", "logprobs": steps}]}) == Written("Yes.")


@pytest.mark.parametrize("text", [None, 7, ["Yes"]])
def test_a_text_that_is_none_is_not_read(text: object):
    assert written({"choices": [{"index": 0, "text": text}]}) is None
