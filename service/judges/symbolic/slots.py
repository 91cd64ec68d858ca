"""The parts of a fact that other values would contradict, and what a sentence says about each of them.

| slot | in the fact | said otherwise |
|---|---|---|
| Count | There are *three* dogs | two dogs; no dogs |
| Amount | Sales in 2019 were *40* | in 2019, sales reached 45 |
| Trait | The car is *red* | a blue car; the car isn't red |
| Trend | Sales *rose* | sales fell |
| Relation | The cup is *left of* the plate | the cup is right of the plate |
| Text | The sign reads *STOP* | the sign says "YIELD" |

`said(words)` is True where the words say what the fact says, False where they say otherwise, None where they
are silent. Thousands of sentences may be asked for hundreds of facts: nothing here goes through all words of a sentence
but what is asked once of them (`Heard.once`).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from perception_reward.service.judges.symbolic.lexicon import (
    COPULAS,
    EXCLUDES,
    EXCLUSIVE,
    INVERSE,
    PREPOSITIONS,
    RELATION_PHRASES,
    TEXT_VERBS,
    lemma,
)
from perception_reward.service.judges.symbolic.words import Heard, Word

Words: TypeAlias = Sequence[Word]

_BEFORE = 4
_AFTER = 6
_ARGUMENT_REACH = 8
# A clause with more numbers than this, or a noun with more colours, lists guesses.
_AMOUNTS = 2
_VALUES = 2
_LISTED = 8
_RANGE_REACH = 6
# Of the relations in a sentence, so many are compared with a fact's; one of a thousand characters may name a hundred.
_RELATIONS = 16
# In a sentence that calculates or speaks of the axis, a number may be nobody's amount.
_IMPERSONAL = frozenset(
    ["differenc", "sum", "averag", "mean", "minus", "plus", "subtract", "add", "together", "tim", "axis", "ax", "scal"]
) | {"step"}
_OPERATORS = frozenset("+*/^×÷")
_TRANSPARENT = frozenset({"exactly", "only", "just", "about", "any", "very", "quit"})
_MARKS = frozenset({"'", '"', ":", "|", "="})
_GROUPS = frozenset({"pair", "couple", "dozen", "total"})
_PRONOUNS = frozenset({"it", "them"})
_RELATION_WORDS = sorted(
    ((tuple(lemma(word) for word in phrase.split()), name) for phrase, name in RELATION_PHRASES.items()),
    key=lambda item: -len(item[0]),
)


@dataclass(frozen=True, slots=True)
class Count:
    """How many of a noun there are."""

    noun: str
    number: float

    def said(self, words: Heard) -> bool | None:
        found = words.once((self.noun, self.number == 1), lambda: self._found(words))
        if not found:
            return None
        if len(found) == 1:
            return found == {(self.number, False)}
        # "Three dogs: one dog is brown, two dogs are white." Other lists of numbers commit to none of them.
        parts = sum(number for number, _ in found - {(self.number, False)})
        return True if (self.number, False) in found and parts == self.number else None

    def _found(self, words: Heard) -> set[tuple[float, bool]]:
        found: set[tuple[float, bool]] = set()
        return found.union(*(self._beside(words, at) for at in words.places.get(self.noun, ())))

    def _beside(self, words: Words, at: int) -> set[tuple[float, bool]]:
        """The number that the noun at `at` goes with and whether it is denied; empty where there is none."""
        for index in range(at - 1, max(-1, at - 1 - _BEFORE), -1):
            word = words[index]
            if word.value is not None:
                return set() if is_operand(words, index) else {(word.value, word.negated)}
            if word.lemma == "no" or (word.lemma == "any" and word.negated):
                return {(0.0, False)}
            if word.lemma in ("a", "an"):
                return {(1.0, word.negated)} if self.number == 1 else set()
            grouped = word.lemma == "of" and index > 0 and words[index - 1].text.lower() in _GROUPS
            if not word.is_content and word.lemma not in _TRANSPARENT and not grouped:
                break
        for index, word in enumerate(words[at + 1 : at + 1 + _AFTER], at + 1):
            if word.value is not None:
                return set() if is_operand(words, index) else {(word.value, word.negated)}
            if word.is_content or word.lemma in PREPOSITIONS or word.lemma == ",":
                break
        return {(0.0, False)} if words[at].negated else set()


@dataclass(frozen=True, slots=True)
class Amount:
    """The number that a chart or table gives for `keys` (a year, a category, a series).

    owners: of these, one must be mentioned; a sentence without any speaks of another element.
    """

    number: float
    keys: frozenset[str]
    years: frozenset[float]
    owners: frozenset[str]

    def said(self, words: Heard) -> bool | None:
        amounts = words.once("amounts", lambda: _amounts(words))
        numbers = [word for word in amounts if word.value not in self.years] if self.years else amounts
        if not numbers or self.owners.isdisjoint(words.places):
            return None
        sharpest = self._sharpest(words)
        bound = words.once((sharpest, self.years), lambda: _bound(words, numbers, sharpest))
        equal = [word for word in bound if word.value == self.number]
        if not equal and "respectively" in words.places:
            equal = [word for word in numbers if word.value == self.number]
        if equal:
            return not any(word.negated for word in equal)
        impersonal = not _IMPERSONAL.isdisjoint(words.places)
        return False if bound and not impersonal else None

    def _sharpest(self, words: Heard) -> frozenset[str]:
        """The keys to look beside: the years where the fact names any, else all that the words mention."""
        years = frozenset(f"#{year:g}" for year in self.years)
        return years or self.owners.intersection(words.places) or self.keys.intersection(words.places)


def _amounts(words: Words) -> list[Word]:
    """The numbers that may be somebody's amount."""
    return [
        word
        for at, word in enumerate(words)
        if word.value is not None and not _is_measure(words, at) and not is_operand(words, at)
    ]


def _bound(words: Heard, numbers: list[Word], keys: frozenset[str]) -> list[Word]:
    """The numbers that belong to the keys: those in their clauses, or in the next."""
    places = words.among(keys)
    clauses = {words[at].clause for at in places}
    bound = [word for word in numbers if word.clause in clauses]
    if not bound and clauses:
        following = min((word.clause for word in numbers if word.clause > min(clauses)), default=None)
        bound = [word for word in numbers if word.clause == following] or numbers
    if len({word.value for word in bound}) > _AMOUNTS:
        return _nearest([words[at].start for at in places], bound)
    return bound


def _nearest(places: list[int], bound: list[Word]) -> list[Word]:
    """Of many numbers in one clause, the one that stands nearest to a key, of which `places` are in order."""
    apart = [_distance(word.start, places) for word in bound]
    return [word for word, distance in zip(bound, apart, strict=True) if distance == min(apart)]


def _distance(start: int, places: list[int]) -> int:
    at = bisect_left(places, start)
    return min((abs(start - place) for place in places[max(0, at - 1) : at + 1]), default=0)


def is_operand(words: Words, at: int) -> bool:
    """Whether a number is calculated with: of "12 / 4 = 3" only the 3 is somebody's amount."""
    behind = next((word.lemma for word in words[at + 1 : at + 3] if word.lemma != ")"), "")
    ahead = next((word.lemma for word in reversed(words[max(0, at - 2) : at]) if word.lemma != "("), "")
    return behind in _OPERATORS or behind == "=" or ahead in _OPERATORS


def _is_measure(words: Words, at: int) -> bool:
    """Whether a number says how far apart two amounts are, ends a range that one lies in, or is "the shortest one"."""
    if words[at].text.lower() == "one":
        return True
    if at + 1 < len(words) and EXCLUSIVE.get(words[at + 1].lemma, ("", 0))[0] == "comparison":
        return True
    ahead = [word.lemma for word in words[max(0, at - _RANGE_REACH) : at]]
    return "between" in ahead or "midway" in ahead


@dataclass(frozen=True, slots=True)
class Trait:
    """A noun's colour, size, material, …: one value of a class whose values exclude one another."""

    name: str
    value: int
    noun: str

    def said(self, words: Heard) -> bool | None:
        found = words.once((self.name, self.noun), lambda: self._found(words))
        equal = [word for word in found if EXCLUSIVE[word.lemma][1] == self.value]
        if len({EXCLUSIVE[word.lemma][1] for word in found}) > _VALUES:
            return None
        if equal:
            return not any(word.negated for word in equal)
        return False if any(not word.negated for word in found) else None

    def _found(self, words: Heard) -> list[Word]:
        found: list[Word] = []
        for at in words.places.get(self.noun, ()):
            found += self._ahead(words, at) + self._behind(words, at)
        return found

    def _is_value(self, word: Word) -> bool:
        return EXCLUSIVE.get(word.lemma, ("", 0))[0] == self.name

    def _ahead(self, words: Words, at: int) -> list[Word]:
        found: list[Word] = []
        for word in reversed(words[max(0, at - _BEFORE) : at]):
            if self._is_value(word):
                found.append(word)
            elif not word.is_content and not (found and word.lemma in ("and", ",")):
                break
        return found

    def _behind(self, words: Words, at: int) -> list[Word]:
        """Values that a verb or mark gives the noun: "the car … is red", not "the car near the red house"."""
        linked = False
        for index in range(at + 1, min(len(words), at + 1 + 2 * _AFTER)):
            word = words[index]
            if word.lemma in (",", ";", "and", "but", "whil") and linked:
                break
            linked = linked or word.lemma in COPULAS
            if self._is_value(word) and linked:
                following = words[index + 1] if index + 1 < len(words) else None
                attributive = following is not None and following.is_content and not self._is_value(following)
                return [] if attributive else self._listed(words, index)
        return []

    def _listed(self, words: Words, at: int) -> list[Word]:
        """The value at `at` and those listed behind it: "red, blue and green"."""
        found = [words[at]]
        for word in words[at + 1 : at + 1 + 2 * _LISTED]:
            if self._is_value(word):
                found.append(word)
            elif word.lemma not in (",", "and"):
                break
        return found


@dataclass(frozen=True, slots=True)
class Trend:
    """A predicate over the whole sentence: rising or falling, highest or lowest, more or less."""

    name: str
    value: int

    def said(self, words: Heard) -> bool | None:
        found = words.once(self.name, lambda: self._found(words))
        if not found:
            return None
        equal = [word for word in found if EXCLUSIVE[word.lemma][1] == self.value]
        return any(not word.negated for word in equal)

    def _found(self, words: Words) -> list[Word]:
        return [word for word in words if EXCLUSIVE.get(word.lemma, ("", 0))[0] == self.name]


@dataclass(frozen=True, slots=True)
class Relation:
    """Where the subject is as seen from the object."""

    name: str
    subject: frozenset[str]
    object: frozenset[str]

    def said(self, words: Heard) -> bool | None:
        named = words.once("relations", lambda: relations(words))[:_RELATIONS]
        found = [said for at, end, name in named if (said := self._one(words, at, end, name)) is not None]
        return all(found) if found else None

    def _one(self, words: Words, at: int, end: int, name: str) -> bool | None:
        direction = self._direction(words, at, end)
        if direction is None:
            return None
        name = name if direction else INVERSE[name]
        if name == self.name:
            return not words[at].negated
        return False if name in EXCLUDES[self.name] and not words[at].negated else None

    def _direction(self, words: Words, at: int, end: int) -> bool | None:
        """True where the relation runs from subject to object, False where it runs back."""
        mine = self.subject | self.object
        left = next((w.lemma for w in reversed(words[max(0, at - _ARGUMENT_REACH) : at]) if w.lemma in mine), None)
        behind = [w.lemma for w in words[end : end + _ARGUMENT_REACH] if w.lemma in mine or w.lemma in _PRONOUNS]
        if not behind:
            return None
        if left is None:
            # "To the left of the plate is the cup."
            other = next((name for name in behind if name in mine and name not in self.object), None)
            return True if behind[0] in self.object and other in self.subject else None
        if left in self.subject and (behind[0] in self.object or behind[0] in _PRONOUNS):
            return True
        return False if left in self.object and (behind[0] in self.subject or behind[0] in _PRONOUNS) else None


@dataclass(frozen=True, slots=True)
class Text:
    """What is written on a thing."""

    written: tuple[str, ...]
    noun: frozenset[str]

    def said(self, words: Heard) -> bool | None:
        if not any(self._is_noun(words[at]) for noun in self.noun for at in words.places.get(noun, ())):
            return None
        for at in words.places.get(self.written[0], ()):
            if tuple(word.lemma for word in words[at : at + len(self.written)]) == self.written:
                return not words[at].negated
        for at in words.once("announcing", lambda: _announcing(words)):
            if words[at].lemma not in TEXT_VERBS or not self._is_noun(words[at]):
                rest = (words[later] for later in range(at + 1, len(words)))
                return False if any(_is_written(other) and other.lemma not in self.noun for other in rest) else None
        return None

    def _is_noun(self, word: Word) -> bool:
        """Whether the word is the thing written on: a label, not what is labelled."""
        return word.lemma in self.noun and not (word.lemma in TEXT_VERBS and word.text.lower().endswith("ed"))


def _announcing(words: Words) -> list[int]:
    """Where a verb or mark stands behind which something written is told."""
    return [at for at, word in enumerate(words) if word.lemma in TEXT_VERBS or word.lemma in _MARKS]


def _is_written(word: Word) -> bool:
    return word.is_content or word.value is not None


Slot: TypeAlias = Count | Amount | Trait | Trend | Relation | Text


def relations(words: Words) -> list[tuple[int, int, str]]:
    """Every relation named, the longest phrase at each place: (its first word, past its last, its name)."""
    found: list[tuple[int, int, str]] = []
    at = 0
    while at < len(words):
        if words[at].lemma in _FIRST_RELATION_WORDS:
            for phrase, name in _RELATION_WORDS:
                if all(at + step < len(words) and words[at + step].lemma == part for step, part in enumerate(phrase)):
                    found.append((at, at + len(phrase), name))
                    at += len(phrase) - 1
                    break
        at += 1
    return found


_FIRST_RELATION_WORDS = frozenset(phrase[0] for phrase, _ in _RELATION_WORDS)


def nearest_noun(words: Words, at: int) -> str | None:
    """The noun that the adjective at `at` belongs to: the next word of content, or the one before a verb."""
    for word in words[at + 1 : at + 1 + _BEFORE]:
        if word.is_content and word.lemma not in EXCLUSIVE and word.lemma != "color":
            return word.lemma
        if not word.is_content and word.lemma not in ("and", "%") and word.value is None:
            break
    linked = False
    for word in reversed(words[:at]):
        linked = linked or word.lemma in COPULAS
        if linked and word.is_content and word.lemma not in COPULAS and word.lemma != "color":
            return word.lemma
    return None
