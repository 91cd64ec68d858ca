"""The answer words of a method by their first tokens, and what their probabilities say."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import combinations
from typing import get_args

from perception_reward.service.judges.base import Missing, Outcome, Verdict
from perception_reward.service.judges.llm.engine import LogProbs, Tokens
from perception_reward.service.judges.llm.vocabulary import Vocabulary
from perception_reward.trainer_client.wire import Label

# Part of the fingerprint: raise it with each change to what is made of the same log-probabilities.
VERSION = 2

# Of an answer that the vocabulary splits, its first token says which it is where it has this many letters: one letter
# begins too many words.
LEAST_LETTERS = 2


class Answers:
    """words: for each label the word that means it. Raises ValueError where their first tokens do not tell them apart.

    by_label: the tokens that each word may begin with, at a line's start and after a space. tokens: all, sorted.
    written: of each word the one token that a model is taught to answer: the word as a line begins with it, where that
    is one token, else the word behind a space, else the first of those that it may begin with.
    """

    def __init__(self, vocabulary: Vocabulary, words: Mapping[Label, str]) -> None:
        self.by_label: dict[Label, Tokens] = {label: _tokens(vocabulary, word) for label, word in words.items()}
        _check_apart(vocabulary, self.by_label, words)
        self.written: dict[Label, int] = {
            label: _whole(vocabulary, word, self.by_label[label]) for label, word in words.items()
        }
        self.tokens: Tokens = tuple(sorted(token for tokens in self.by_label.values() for token in tokens))
        self._labels: dict[int, Label] = {token: label for label, tokens in self.by_label.items() for token in tokens}

    def label(self, token: int) -> Label | None:
        """What `token` answers, or None where it is no answer."""
        return self._labels.get(token)

    def outcome(self, logprobs: LogProbs) -> Outcome:
        """The verdict by the probabilities of the answers, normalised over them; both spellings of a word count.

        Missing where one of them is none: what the others say may be as wrong.
        """
        if not all(logprobs[token] <= 0.0 for token in self.tokens if token in logprobs):
            return Missing("judge_unparseable")
        weights = {
            label: math.fsum(math.exp(logprobs.get(token, -math.inf)) for token in tokens)
            for label, tokens in self.by_label.items()
        }
        total = math.fsum(weights.values())
        if total <= 0.0:
            return Missing("judge_unparseable")
        label = max(get_args(Label), key=lambda answer: weights[answer])
        stated = min(1.0, weights["stated"] / total)
        return Verdict(
            label,
            stated,
            certainty=min(1.0, weights[label] / total),
            contradiction=min(1.0 - stated, weights["contradicted"] / total),
        )


def _tokens(vocabulary: Vocabulary, word: str) -> Tokens:
    tokens = vocabulary.beginnings(word, LEAST_LETTERS)
    if not tokens:
        raise ValueError(
            f"the vocabulary of {vocabulary.name!r} splits the answer {word!r} into single letters; "
            "use another judge model, or the method `paper`"
        )
    return tokens


def _whole(vocabulary: Vocabulary, word: str, beginnings: Tokens) -> int:
    singles = (vocabulary.single_tokens((spelled,)) for spelled in (word, " " + word))
    return next((single[0] for single in singles if single), beginnings[0])


def _check_apart(vocabulary: Vocabulary, by_label: Mapping[Label, Tokens], words: Mapping[Label, str]) -> None:
    for one, other in combinations(by_label, 2):
        if not set(by_label[one]).isdisjoint(by_label[other]):
            raise ValueError(
                f"in the vocabulary of {vocabulary.name!r} the answers {words[one]!r} and {words[other]!r} begin with "
                "the same token; use another judge model, or the method `paper`"
            )
