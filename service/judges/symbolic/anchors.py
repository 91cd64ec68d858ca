"""A fact that is not geometry, as words to look for: what it is about and what another value would contradict.

read_claim("There are three dogs.")     # anchors {"dog": 1.0}, slots ((Count("dog", 3.0), False),)
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import pairwise

from perception_reward.annotations.language.notation import normalise
from perception_reward.service.judges.symbolic.lexicon import CHART_WORDS, EXCLUSIVE, PREDICATES, TEXT_VERBS, lemma
from perception_reward.service.judges.symbolic.slots import (
    Amount,
    Count,
    Relation,
    Slot,
    Text,
    Trait,
    Trend,
    is_operand,
    nearest_noun,
    relations,
)
from perception_reward.service.judges.symbolic.words import Word, is_content, words

# A claim of at most this many neighbouring words of content, and a sentence of as many words of content, is terse.
TERSE = 5
# "The share of Android" is about Android.
_CHART_WEIGHT = 0.25
# "60 books": what an amount is counted in often goes without saying.
_UNIT_WEIGHT = 0.45
_MAX_WRITTEN = 12
# "192 cm" is how much of something there is, not how many centimetres.
_MEASURES = frozenset(
    lemma(word)
    for word in (
        *("mm", "cm", "m", "km", "in", "inch", "ft", "foot", "yd", "yard", "mile", "metre", "meter", "centimeter"),
        *("g", "kg", "gram", "kilogram", "pound", "ml", "l", "litre", "liter", "degree", "percent", "unit"),
        *("second", "minute", "hour", "dollar", "cent", "euro"),
    )
)
# The subject and the object of a relation have at most this many words of content each.
_ARGUMENT = 2
_YEAR = range(1800, 2101)
_QUOTED = re.compile(r"\"([^\"]{1,80})\"|'([^']{1,80})'(?!\w)")


# Frozen, and without slots, since what follows from it is found out once.
@dataclass(frozen=True)
class Claim:
    """A fact as words to look for: lemmas with weights, whether each is negated, and slots with theirs."""

    anchors: dict[str, float]
    negated: frozenset[str]
    slots: tuple[tuple[Slot, bool], ...]
    pairs: frozenset[tuple[str, str]]

    @property
    def is_typed(self) -> bool:
        """Whether nearly all that it says is in its slots, so that a match is more than a likeness."""
        return len(self.pairs) <= (TERSE if self.slots else 1)

    @cached_property
    def weight(self) -> float:
        """That of all anchors together."""
        return sum(self.anchors.values())

    @cached_property
    def about(self) -> frozenset[str]:
        """The anchors of which a sentence has to mention one: words of content and numbers."""
        return frozenset(name for name in self.anchors if name in self.content or (name[0] == "#" and len(name) > 1))

    @cached_property
    def content(self) -> frozenset[str]:
        """The anchors that are words of content."""
        return frozenset(filter(is_content, self.anchors))

    @cached_property
    def needed(self) -> frozenset[str]:
        """The anchors that no sentence may lack which says the whole of it."""
        return frozenset(name for name, weight in self.anchors.items() if weight >= 0.5)

    @cached_property
    def names_writing(self) -> bool:
        """Whether it says what is written on something."""
        return any(isinstance(slot, Text) for slot, _ in self.slots)


@lru_cache(maxsize=1024)
def read_claim(text: str) -> Claim:
    """The anchors and slots of a fact's text."""
    text = normalise(text).text.strip().rstrip(".")
    heard = words(text)
    taken: set[int] = set()
    units: set[int] = set()
    slots: list[tuple[Slot, bool]] = []
    for slot, at, used in _slots(text, heard):
        slots.append((slot, heard[at].negated))
        taken |= used
        units |= {at + 1} if isinstance(slot, Amount) else set()
    anchors: dict[str, float] = {}
    for index, word in enumerate(heard):
        if index not in taken and word.weight and not (word.value is not None and is_operand(heard, index)):
            weight = _CHART_WEIGHT if word.lemma in CHART_WORDS else _UNIT_WEIGHT if index in units else word.weight
            anchors[word.lemma] = max(weight, anchors.get(word.lemma, 0.0))
    content = [word.lemma for word in heard if word.is_content]
    negated = frozenset(word.lemma for word in heard if word.negated and word.lemma in anchors)
    return Claim(anchors, negated, tuple(slots), frozenset(pairwise(content)))


def _slots(text: str, heard: tuple[Word, ...]) -> Iterator[tuple[Slot, int, set[int]]]:
    """Each slot of a fact, the word it hangs on, and the words it takes out of the anchors."""
    written = _text_slot(text, heard)
    if written is not None:
        yield written
        return
    yield from _number_slots(heard)
    yield from _class_slots(heard)
    yield from _relation_slots(heard)


def _text_slot(text: str, heard: tuple[Word, ...]) -> tuple[Slot, int, set[int]] | None:
    quoted = _QUOTED.search(text)
    start = quoted.start() if quoted else len(text)
    verbs = [at for at, word in enumerate(heard[:-1]) if word.lemma in TEXT_VERBS and word.start < start]
    if not verbs:
        return None
    # "The label reads EXIT": the first of two such words is the thing itself.
    verb = verbs[-1] if len(verbs) == 1 or quoted else verbs[min(1, len(verbs) - 1)]
    start, end = quoted.span() if quoted else (heard[verb].end, len(text))
    inside = [at for at, word in enumerate(heard) if start <= word.start < end and word.lemma.strip("\"':")]
    nouns = frozenset(word.lemma for at, word in enumerate(heard) if word.is_content and at not in (*inside, verb))
    if not inside or not nouns or len(inside) > _MAX_WRITTEN:
        return None
    slot = Text(tuple(heard[at].lemma for at in inside), nouns)
    return slot, inside[0], {*inside, verb}


def _number_slots(heard: tuple[Word, ...]) -> Iterator[tuple[Slot, int, set[int]]]:
    numbers = [at for at, word in enumerate(heard) if word.value is not None and not is_operand(heard, at)]
    charted = next((at for at, word in enumerate(heard) if word.lemma in CHART_WORDS), len(heard))
    years = [at for at in numbers if heard[at].value in _YEAR and heard[at].text.isdigit()]
    for at in numbers:
        value = heard[at].value
        if value is None or (at in years and len(numbers) > 1):
            continue
        noun = heard[at + 1].lemma if at + 1 < len(heard) and heard[at + 1].is_content else None
        if noun is not None and noun not in _MEASURES and (charted > at or len(numbers) - len(years) > 1):
            yield Count(noun, value), at, {at}
        elif at not in years and len(numbers) - len(years) == 1:
            keys = frozenset(word.lemma for index, word in enumerate(heard) if index != at and word.weight >= 1)
            dated = frozenset(heard[year].value or 0.0 for year in years)
            yield Amount(value, keys, dated, _owners(heard)), at, {at}


def _owners(heard: tuple[Word, ...]) -> frozenset[str]:
    """Whose amount it is: the names in the fact ("Thursday"), else what it begins with and its years."""
    content = [word for word in heard if word.is_content and word.lemma not in CHART_WORDS]
    names = frozenset(word.lemma for word in content if word.start and word.text[:1].isupper())
    years = frozenset(word.lemma for word in heard if word.value in _YEAR and word.text.isdigit())
    return names or years | {word.lemma for word in content[:1]}


def _class_slots(heard: tuple[Word, ...]) -> Iterator[tuple[Slot, int, set[int]]]:
    for at, word in enumerate(heard):
        if word.lemma not in EXCLUSIVE or not word.is_content:
            continue
        name, value = EXCLUSIVE[word.lemma]
        if name in PREDICATES:
            yield Trend(name, value), at, {at}
        elif noun := nearest_noun(heard, at):
            yield Trait(name, value, noun), at, {at, *(i for i, w in enumerate(heard) if w.lemma == "color")}


def _relation_slots(heard: tuple[Word, ...]) -> Iterator[tuple[Slot, int, set[int]]]:
    """The one relation of a short sentence; in longer ones prepositions count as words."""
    named = relations(heard)
    if len(named) != 1:
        return
    at, end, name = named[0]
    subject = frozenset(word.lemma for word in heard[:at] if word.is_content)
    other = frozenset(word.lemma for word in heard[end:] if word.is_content)
    if subject and other and max(len(subject), len(other)) <= _ARGUMENT and subject.isdisjoint(other):
        yield Relation(name, subject, other), at, set(range(at, end))
