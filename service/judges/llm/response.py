"""A response as tokens: made inert, and cut to a limit."""

from __future__ import annotations

from perception_reward.service.judges.llm.engine import Tokens
from perception_reward.service.judges.llm.sanitise import inert
from perception_reward.service.judges.llm.vocabulary import Vocabulary

# Tokens of a response that a model is shown.
MAX_RESPONSE_TOKENS = 8192

# What stands where the middle was.
CUT_MARK = "\n[…]\n"


def response_tokens(vocabulary: Vocabulary, text: str, most: int) -> tuple[Tokens, bool]:
    """The tokens of `text`, and whether they had to be cut.

    A response of more than `most` tokens loses its middle: what was seen stands at the start, what came of it at
    the end, and each keeps half of the limit.
    """
    tokens = vocabulary.plain(inert(text))
    if len(tokens) <= most:
        return tokens, False
    half = most // 2
    return tokens[:half] + vocabulary.plain(CUT_MARK) + tokens[-half:], True
