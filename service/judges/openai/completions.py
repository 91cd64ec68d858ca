"""`POST /v1/completions`, which every vLLM has: prompts and answers as token ids.

A reply is read for what vLLM promises of it, and nothing is guessed: two answers to one question, a log-probability
that is none, a token's text where its id was asked for, are no answer.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Sequence
from typing import Any, TypeGuard, cast

from perception_reward.service.judges.http.body import Call
from perception_reward.service.judges.llm.distribution import NOTHING, TOP_LOGPROBS, possible
from perception_reward.service.judges.llm.engine import Choice, LogProbs, Tokens, Writing, Written

_PATH = "/v1/completions"
_TOKEN = re.compile(r"token_id:(0|[1-9][0-9]{0,9})")

# Bytes of a reply at most: what stands once in it, in each choice, for each written token with its text, and for a
# log-probability, such as `"token_id:151643": -12.345678253173828, `.
_ENVELOPE, _PER_CHOICE, _PER_TOKEN, _PER_LOGPROB = 1 << 16, 1 << 12, 256, 64


def choosing(model: str, choice: Choice) -> Call:
    """One request for all suffixes: each a prompt of its own, of which a single token is generated."""
    shared = joined(choice.shared)
    prompts = ",".join(f"[{shared},{joined(suffix)}]" for suffix in choice.suffixes)
    request = {"model": model, "max_tokens": 1, **_without_chance(choice.answers)}
    # The ids are turned into text once per response; the body repeats that text for every suffix.
    body = f'{json.dumps(request)[:-1]}, "prompt": [{prompts}]}}'.encode()
    return Call(_PATH, body, most=_ENVELOPE + len(choice.suffixes) * (_PER_CHOICE + _per_step(choice.answers)))


def writing(model: str, writing: Writing) -> Call:
    request: dict[str, object] = {"model": model, "max_tokens": writing.most, **_without_chance(writing.answers)}
    if writing.pattern is not None:
        request["structured_outputs"] = {"regex": writing.pattern}
    body = f'{json.dumps(request)[:-1]}, "prompt": [{joined(writing.prompt)}]}}'.encode()
    return Call(_PATH, body, most=_ENVELOPE + writing.most * _per_step(writing.answers))


def chosen(reply: object, count: int) -> tuple[LogProbs, ...]:
    """For each of `count` suffixes what the reply says of the token; nothing for what cannot be read."""
    found: dict[int, LogProbs] = {}
    choices = _choices(reply)
    if len(choices) > count:
        return (NOTHING,) * count
    for each in choices:
        index = each.get("index")
        if is_whole(index):
            found[index] = NOTHING if index in found else _one_step(each.get("logprobs"))
    return tuple(found.get(index, NOTHING) for index in range(count))


def written(reply: object) -> Written | None:
    """None where the reply holds no text, or log-probabilities that cannot be its own.

    A server that gives none, or gives them for texts instead of ids, has written the text all the same.
    """
    match _choices(reply):
        case [{"text": str(text), **rest}] if rest.get("index", 0) == 0:
            logprobs = rest.get("logprobs")
        case _:
            return None
    if not isinstance(logprobs, dict):
        return Written(text) if logprobs is None else None
    logprobs = cast("dict[str, Any]", logprobs)
    tokens = _tokens(logprobs.get("tokens"))
    if not any(token is not None for token in tokens):
        return Written(text)
    steps = _steps(logprobs)
    if steps is None or len(steps) != len(tokens):
        return None
    ids = tuple(token for token in tokens if token is not None)
    return Written(text, ids, steps) if len(ids) == len(tokens) else None


def joined(tokens: Sequence[int]) -> str:
    return ",".join(map(str, tokens))


def is_whole(value: object) -> TypeGuard[int]:
    """A JSON number without a fraction; true and false, which Python takes for numbers, are none."""
    return type(value) is int


def is_number(value: object, least: float, most: float) -> TypeGuard[float]:
    """A JSON number in [least, most], which are finite; a NaN never is."""
    return type(value) in (int, float) and least <= cast("float", value) <= most


def _per_step(answers: Tokens) -> int:
    # Beside the likeliest, or the answers, the token that was written.
    return _PER_TOKEN + (max(TOP_LOGPROBS, len(answers)) + 1 if answers else 0) * _PER_LOGPROB


def _without_chance(answers: Sequence[int]) -> dict[str, object]:
    if not answers:
        return {"temperature": 0.0}
    return {
        "temperature": 0.0,
        "logprobs": TOP_LOGPROBS,
        "logprob_token_ids": list(answers),
        "return_tokens_as_token_ids": True,
    }


def _choices(reply: Any) -> list[dict[str, Any]]:
    """Nothing where any of them is not even an object."""
    choices: Any = cast("dict[str, Any]", reply).get("choices") if isinstance(reply, dict) else None
    if not isinstance(choices, list):
        return []
    return [each if isinstance(each, dict) else {} for each in cast("list[Any]", choices)]


def _one_step(logprobs: Any) -> LogProbs:
    steps = _steps(cast("dict[str, Any]", logprobs)) if isinstance(logprobs, dict) else None
    return steps[0] if steps is not None and len(steps) == 1 else NOTHING


def _steps(logprobs: dict[str, Any]) -> tuple[LogProbs, ...] | None:
    """None where any of them, or any written token's own, is not what it has to be."""
    alternatives, own = logprobs.get("top_logprobs"), logprobs.get("token_logprobs")
    if not isinstance(alternatives, list):
        return None
    steps = [_step(each) for each in cast("list[Any]", alternatives)]
    sound = [step for step in steps if step is not None]
    if len(sound) < len(steps) or not (own is None or _are_logprobs(own, len(steps))):
        return None
    return tuple(sound)


def _are_logprobs(values: Any, count: int) -> bool:
    return (
        isinstance(values, list) and len(found := cast("list[Any]", values)) == count and all(map(_is_logprob, found))
    )


def _is_logprob(value: object) -> bool:
    # vLLM writes -9999 for the logarithm of 0.
    return is_number(value, -sys.float_info.max, 0.0)


def _step(alternatives: Any) -> LogProbs | None:
    if not isinstance(alternatives, dict):
        return None
    found: dict[int, float] = {}
    for name, value in cast("dict[str, Any]", alternatives).items():
        token = _TOKEN.fullmatch(name)
        if token is None or not _is_logprob(value):
            return None
        found[int(token[1])] = float(value)
    return found if possible(found) else None


def _tokens(names: Any) -> list[int | None]:
    """The ids in `names`, None for each that is none."""
    if not isinstance(names, list):
        return []
    found = (_TOKEN.fullmatch(name) if isinstance(name, str) else None for name in cast("list[Any]", names))
    return [int(token[1]) if token is not None else None for token in found]
