from __future__ import annotations

import json
import math
from typing import Any

import pytest

from perception_reward.service.judges.llm.engine import Choice, JudgeFailure
from perception_reward.service.judges.openai.scoring import scores, scoring

CHOICE = Choice((1, 2, 3), ((4,), (5, 6)), (7, 9))


def reply(*values: Any, tokens: int = 9) -> dict[str, Any]:
    data = [{"index": index, "score": value} for index, value in enumerate(values)]
    return {"data": data[::-1], "usage": {"prompt_tokens": tokens}}


def test_the_response_is_sent_once_and_its_answer_alone_asked_for():
    call = scoring("m", CHOICE, 7)
    body = json.loads(call.body)
    assert (call.path, call.optional) == ("/generative_scoring", True)
    assert (body["query"], body["items"]) == ([1, 2, 3], [[4], [5, 6]])
    assert (body["label_token_ids"], body["apply_softmax"]) == ([7], False)


def test_scores_become_log_probabilities_in_the_order_of_the_suffixes():
    assert scores(reply(0.5, 0.0), CHOICE) == (math.log(0.5), -math.inf)


def test_a_prompt_that_the_server_cut_has_no_score():
    with pytest.raises(JudgeFailure, match="longer than its model takes"):
        scores(reply(0.5, 0.5, tokens=8), CHOICE)


NUMBERS: list[Any] = ["high", None, 1.5, -0.1, math.nan, math.inf, 10**4000, True]


@pytest.mark.parametrize("value", NUMBERS)
def test_what_is_no_probability_is_no_score(value: Any):
    with pytest.raises(JudgeFailure, match="judge_unparseable"):
        scores(reply(0.5, value), CHOICE)


@pytest.mark.parametrize("index", [0, 2, -1, 1e400, 1.0, True, None, "1", 10**4000])
def test_each_question_has_one_score(index: Any):
    garbled = reply(0.5, 0.25)
    garbled["data"][0]["index"] = index
    with pytest.raises(JudgeFailure, match="judge_unparseable"):
        scores(garbled, CHOICE)


@pytest.mark.parametrize("garbage", [reply(0.5, 0.5, 0.5), reply(0.5, 0.5) | {"usage": None}, None, {}, [], reply(0.5)])
def test_garbage_is_unparseable(garbage: object):
    with pytest.raises(JudgeFailure, match="judge_unparseable"):
        scores(garbage, CHOICE)
