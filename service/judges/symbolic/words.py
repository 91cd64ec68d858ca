"""Sentences as words: lemmas with numbers, negation and clauses marked, for facts that are not geometry.

    words("I see no red dogs and 2 cats.")[3]      # Word(lemma='dog', …, negated=True)

The work is linear in the sentence's length; sentences of a `Document` have at most `MAX_SENTENCE` characters.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from perception_reward.service.judges.symbolic.lexicon import (
    CLAUSE_EDGES,
    FUNCTION_WORDS,
    MULTIPLIERS,
    NEGATORS,
    NUMBER_WORDS,
    PLACES,
    PREPOSITIONS,
    lemma,
)

_PIECE = re.compile(
    r"(?P<decade>\d{2,4}s\b)|(?P<number>(?:(?<![\w)])-)?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?)|(?P<word>[^\W\d_]+(?:'[^\W\d_]+)?)|(?P<mark>[^\w\s])"
)
# A negation reaches this many content words, or to the end of its clause.
_NEGATION_REACH = 4


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
        return self.value is None and self.lemma[:1].isalpha() and self.lemma not in FUNCTION_WORDS

    @property
    def weight(self) -> float:
        """Its share in the likeness of two sentences: articles and auxiliaries none, prepositions little."""
        if self.value is not None or self.is_content:
            return 1.0
        return 0.5 if self.lemma in PLACES else 0.25 if self.lemma in PREPOSITIONS else 0.0


@lru_cache(maxsize=256)
def words(text: str) -> tuple[Word, ...]:
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
    return tuple(found)


def _pieces(text: str) -> Iterator[tuple[str, float | None, int, int]]:
    """Lemma, value and place of each word, number and mark."""
    last: tuple[float, int, int] | None = None
    for match in _PIECE.finditer(text):
        number, word, start, end = match["number"], match["word"] or match["decade"], match.start(), match.end()
        value = _value(number, word)
        if value is not None:
            if last and word in MULTIPLIERS and text[last[2] : start].isspace():
                value, start = last[0] * value, last[1]
            elif last:
                yield _numbered(last)
            last = (value, start, end)
            continue
        if last:
            yield _numbered(last)
            last = None
        if word and word.lower().endswith("n't"):
            yield lemma(word[:-3]), None, start, end - 3
            yield "not", None, end - 3, end
        else:
            yield (lemma(word) if word else match.group()), None, start, end
    if last:
        yield _numbered(last)


def _numbered(number: tuple[float, int, int]) -> tuple[str, float, int, int]:
    value, start, end = number
    return f"#{value:g}", value, start, end


def _value(number: str | None, word: str | None) -> float | None:
    if number:
        return float(number.replace(",", ""))
    return NUMBER_WORDS.get(word.lower()) if word else None
