"""`POST /v1/completions`, which every vLLM has: prompts and answers as token ids."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any

from perception_reward.service.judges.llm.ask import Choice, LogProbs, Writing, Written
from perception_reward.service.judges.openai.call import Call

# The most that vLLM returns unless told otherwise; since 0.32 it returns exactly the answers' instead.
TOP_LOGPROBS = 20

_PATH = "/v1/completions"
_TOKEN = "token_id:"


def choosing(model: str, choice: Choice) -> Call:
    """One request for all suffixes: each a prompt of its own, of which a single token is generated."""
    shared = joined(choice.shared)
    prompts = ",".join(f"[{shared},{joined(suffix)}]" for suffix in choice.suffixes)
    request = {"model": model, "max_tokens": 1, **_without_chance(choice.answers)}
    # The ids are turned into text once per response; the body repeats that text for every suffix.
    return Call(_PATH, f'{json.dumps(request)[:-1]}, "prompt": [{prompts}]}}'.encode())


def writing(model: str, writing: Writing) -> Call:
    request: dict[str, object] = {"model": model, "max_tokens": writing.most, **_without_chance(writing.answers)}
    if writing.pattern is not None:
        request["structured_outputs"] = {"regex": writing.pattern}
    return Call(_PATH, f'{json.dumps(request)[:-1]}, "prompt": [{joined(writing.prompt)}]}}'.encode())


def chosen(reply: object, count: int) -> tuple[LogProbs, ...]:
    """For each of `count` suffixes what the reply says of the token; nothing for what cannot be read."""
    found: dict[int, LogProbs] = {}
    for each in _choices(reply):
        try:
            found[int(each["index"])] = _logprobs(each["logprobs"]["top_logprobs"][0])
        except (LookupError, TypeError, ValueError, AttributeError):
            continue
    return tuple(found.get(index, {}) for index in range(count))


def written(reply: object) -> Written | None:
    """None where the reply holds no text. Without log-probabilities that can be read there is the text alone."""
    for each in _choices(reply):
        try:
            text = each["text"]
        except (LookupError, TypeError):
            return None
        if not isinstance(text, str):
            return None
        try:
            tokens = tuple(int(token.removeprefix(_TOKEN)) for token in each["logprobs"]["tokens"])
            logprobs = tuple(_logprobs(step) for step in each["logprobs"]["top_logprobs"])
        except (LookupError, TypeError, ValueError, AttributeError):
            return Written(text)
        return Written(text, tokens, logprobs) if len(tokens) == len(logprobs) else Written(text)
    return None


def joined(tokens: Sequence[int]) -> str:
    return ",".join(map(str, tokens))


def _without_chance(answers: Sequence[int]) -> dict[str, object]:
    if not answers:
        return {"temperature": 0.0}
    return {
        "temperature": 0.0,
        "logprobs": TOP_LOGPROBS,
        "logprob_token_ids": list(answers),
        "return_tokens_as_token_ids": True,
    }


def _choices(reply: Any) -> list[Any]:
    try:
        return list(reply["choices"])
    except (LookupError, TypeError):
        return []


def _logprobs(alternatives: Any) -> LogProbs:
    """By token id; what is no logarithm of a probability is left out."""
    pairs = ((int(token.removeprefix(_TOKEN)), float(value)) for token, value in alternatives.items())
    return {token: value for token, value in pairs if value <= 0.0 and not math.isnan(value)}
