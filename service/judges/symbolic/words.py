"""Sentences as words: lemmas with numbers, negation and clauses marked, for facts that are not geometry.

    words("I see no red dogs and 2 cats.")[3]      # Word(lemma='dog', …, negated=True)

The work is linear in the sentence's length; sentences of a `Document` have at most `MAX_SENTENCE` characters. What
many facts ask of the same words (`Heard`) is found out once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import pairwise
from typing import Any, TypeVar

from perception_reward.annotations.language.numbers import STARTS, Number, number_at
from perception_reward.service.judges.symbolic.lexicon import (
    CLAUSE_EDGES,
    COUNTING,
    FUNCTION_WORDS,
    NEGATORS,
    PLACES,
    PREPOSITIONS,
    lemma,
)

_PIECE = re.compile(
    r"(?P<decade>\d{2,4}s\b)|(?P<number>(?:(?<![\w)])-)?\d)|(?P<word>[^\W\d_]+(?:'[^\W\d_]+)?)|(?P<mark>[^\w\s])"
)
T = TypeVar("T")

# A negation reaches this many content words, or to the end of its clause.
_NEGATION_REACH = 4


@lru_cache(maxsize=8192)
def is_content(lemma: str) -> bool:
    """Whether a lemma is a word of content: no number, no mark, and no word such as "the" or "of"."""
    return lemma[:1].isalpha() and lemma not in FUNCTION_WORDS


@dataclass(frozen=True, slots=True)
class Word:
    """A word, number or mark of a sentence.

    lemma: the stem of a word, `#3` for `3` and `three` alike, a mark itself.
    value: the number it writes, else None.
    negated: whether a "not", "no" or "without" ahead of it in its clause reaches it.
    clause: which clause of the sentence it stands in, from 0.
    """

    lemma: str
    text: str
    start: int
    end: int
    value: float | None
    negated: bool
    clause: int

    @property
    def is_content(self) -> bool:
        return self.value is None and is_content(self.lemma)

    @property
    def weight(self) -> float:
        """Its share in the likeness of two sentences: articles and auxiliaries none, prepositions little."""
        if self.value is not None or self.is_content:
            return 1.0
        return 0.5 if self.lemma in PLACES else 0.25 if self.lemma in PREPOSITIONS else 0.0


class Heard(tuple[Word, ...]):
    """Words in order, and what can be said of them without knowing the fact."""

    def once(self, key: Hashable, find: Callable[[], T]) -> T:
        """What `find` returns, which is asked once for each `key`."""
        known: dict[Hashable, Any] = self._known
        if key not in known:
            known[key] = find()
        return known[key]

    @cached_property
    def _known(self) -> dict[Hashable, Any]:
        return {}

    @cached_property
    def places(self) -> dict[str, list[int]]:
        """By lemma, in the order of their first words: where it stands."""
        found: dict[str, list[int]] = {}
        for at, word in enumerate(self):
            found.setdefault(word.lemma, []).append(at)
        return found

    @cached_property
    def content(self) -> list[str]:
        """Lemmas of its words of content, in order."""
        return [word.lemma for word in self if word.is_content]

    @cached_property
    def pairs(self) -> frozenset[tuple[str, str]]:
        """Neighbours among its words of content."""
        return frozenset(pairwise(self.content))

    @cached_property
    def negates(self) -> bool:
        """Whether any of it is negated."""
        return any(word.negated for word in self)

    def negated(self, lemma: str) -> bool | None:
        """Whether a lemma that stands here is negated; None where it is here and is not there."""
        first, *others = self.places[lemma]
        negated = self[first].negated
        return negated if all(self[at].negated is negated for at in others) else None

    def among(self, lemmas: Iterable[str]) -> list[int]:
        """Where the words of these lemmas stand, in order."""
        places = self.places
        return sorted([at for lemma in lemmas for at in places.get(lemma, ())])


@lru_cache(maxsize=256)
def words(text: str) -> Heard:
    """The words, numbers and marks of one sentence, in order; "isn't" is two, "is" and "not"."""
    found: list[Word] = []
    clause = reach = 0
    for name, value, start, end in _pieces(text):
        if name in CLAUSE_EDGES:
            clause, reach = clause + 1, reach if name == "and" else 0
        piece = Word(name, text[start:end], start, end, value, reach > 0, clause)
        found.append(piece)
        spent = piece.is_content or value is not None
        reach = _NEGATION_REACH if name in NEGATORS else max(0, reach - spent)
    return Heard(found)


def _pieces(text: str) -> Iterator[tuple[str, float | None, int, int]]:
    """Lemma, value and place of each word, number and mark."""
    at = 0
    for match in _PIECE.finditer(text):
        word, start = match["word"] or match["decade"], match.start()
        if start < at:
            continue
        at = match.end()
        if number := _number(text, start, word, written=match["number"] is not None):
            at = number.end
            yield f"#{float(number.value):g}", float(number.value), start, at
        elif word and (value := COUNTING.get(word.lower())):
            yield f"#{value:g}", value, start, at
        elif word and word.lower().endswith("n't"):
            yield lemma(word[:-3]), None, start, at - 3
            yield "not", None, at - 3, at
        else:
            yield (lemma(word) if word else match.group()), None, start, at


def _number(text: str, start: int, word: str | None, *, written: bool) -> Number | None:
    """The number that begins here. "Third" and "half" are words."""
    if not written and (word is None or word.lower() not in STARTS):
        return None
    number = number_at(text, start)
    return number if written or (number and number.kind == "cardinal") else None
