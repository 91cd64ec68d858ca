"""`POST /generative_scoring`: the exact probability of one token after each suffix.

vLLM has it longer than completions with the log-probabilities of chosen tokens, so it fills in what an older server's
completions leave out. It is not the first choice: the reply holds the probability of one token only, so a question
with three answers in two spellings takes six requests of it. The numbers are the same. `apply_softmax` off makes a
score the token's probability over the whole vocabulary, whose logarithm is what completions return; both are read
from the model's raw logits. Read in vLLM 0.32, entrypoints/generate/generative_scoring/serving.py.
"""

from __future__ import annotations

import json
import math
from typing import Any

from perception_reward.service.judges.http.body import Call
from perception_reward.service.judges.llm.engine import Choice, JudgeFailure
from perception_reward.service.judges.openai.completions import is_number, is_whole, joined

# Bytes of a reply at most: what stands once in it, and for each suffix.
_ENVELOPE, _PER_SUFFIX = 1 << 16, 1 << 10


def scoring(model: str, choice: Choice, answer: int) -> Call:
    """One request for all suffixes; the response is in it once."""
    request = {"model": model, "label_token_ids": [answer], "apply_softmax": False, "add_special_tokens": False}
    items = ",".join(f"[{joined(suffix)}]" for suffix in choice.suffixes)
    body = f'{json.dumps(request)[:-1]}, "query": [{joined(choice.shared)}], "items": [{items}]}}'
    most = _ENVELOPE + _PER_SUFFIX * len(choice.suffixes)
    return Call("/generative_scoring", body.encode(), most=most, optional=True)


def scores(reply: Any, choice: Choice) -> tuple[float, ...]:
    """For each suffix the natural logarithm of the token's probability. Raises JudgeFailure.

    A server cuts a prompt that is too long for its model, and with it the question: that is seen by the number of
    tokens it counts.
    """
    match reply:
        case {"data": [*data], "usage": {"prompt_tokens": counted}} if is_whole(counted):
            found = dict(map(_indexed, data))
        case _:
            raise JudgeFailure("judge_unparseable", "the reply holds no scores")
    if len(data) != len(choice.suffixes) or found.keys() != set(range(len(choice.suffixes))):
        raise JudgeFailure("judge_unparseable", "the reply holds not one score for each question")
    if counted != sum(len(choice.shared) + len(suffix) for suffix in choice.suffixes):
        raise JudgeFailure("judge_unavailable", "the server cut a prompt that is longer than its model takes")
    return tuple(math.log(found[index]) if found[index] > 0.0 else -math.inf for index in range(len(data)))


def _indexed(score: Any) -> tuple[int, float]:
    match score:
        case {"index": index, "score": value} if is_whole(index) and is_number(value, 0.0, 1.0):
            return index, float(value)
        case _:
            raise JudgeFailure("judge_unparseable", "a score is no probability")
