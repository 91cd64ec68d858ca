"""What a method asks of an engine, as token ids, and what the engine answers.

Text becomes ids in the method, never in an engine: nothing that a response contains can become a control token.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

Tokens: TypeAlias = tuple[int, ...]

# By token id, the natural logarithm of its probability as the next token, over the whole vocabulary.
LogProbs: TypeAlias = Mapping[int, float]


@dataclass(frozen=True, slots=True)
class Choice:
    """Which of the tokens `answers` comes next after `shared + suffix`, for each suffix.

    `shared` holds the response; an engine computes it once and keeps it for all suffixes.
    The reply is one `LogProbs` per suffix, in order, which holds every one of `answers`.
    """

    shared: Tokens
    suffixes: tuple[Tokens, ...]
    answers: Tokens


@dataclass(frozen=True, slots=True)
class Writing:
    """Up to `most` tokens written after `prompt`, greedily.

    pattern: regular expression which the whole of the text must match, where the form is forced.
    answers: the tokens whose log-probabilities are wanted at each written token; none asks for no log-probabilities.
    """

    prompt: Tokens
    most: int
    pattern: str | None = None
    answers: Tokens = ()


@dataclass(frozen=True, slots=True)
class Written:
    """The text, without the token that ended it.

    tokens: the written ids; logprobs: one `LogProbs` per written id that holds the asked `answers` (those that the
    engine could give). Both are empty where no log-probabilities were asked for.
    """

    text: str
    tokens: Tokens = ()
    logprobs: tuple[LogProbs, ...] = ()


Ask: TypeAlias = Choice | Writing
Reply: TypeAlias = tuple[LogProbs, ...] | Written
