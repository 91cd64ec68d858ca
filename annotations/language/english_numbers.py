"""Numbers in English words, read from one place of a text, and written.

said("is two hundred and five.", 3)     # Number(Fraction(205), 3, 23)
in_words(205)                           # 'two hundred and five'
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, TypeAlias

Kind: TypeAlias = Literal["cardinal", "ordinal", "fraction"]

_SMALL_WORDS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
)
_TENS_WORDS = "twenty thirty forty fifty sixty seventy eighty ninety"
_SMALL, _TENS = _SMALL_WORDS.split(), _TENS_WORDS.split()
_VALUES = {word: value for value, word in enumerate(_SMALL)} | {word: value * 10 for value, word in enumerate(_TENS, 2)}
_BIG = {"thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12, "lakh": 10**5, "crore": 10**7}
# Of one number alone: nobody says "a dozen and two".
_LOTS = {"dozen": 12, "score": 20, "gross": 144}
SCALES = {"hundred": 100, **_BIG, **_LOTS}
_IRREGULAR_ORDINALS = {
    "first": "one", "second": "two", "third": "three", "fifth": "five", "eighth": "eight", "ninth": "nine",
    "twelfth": "twelve",
}  # fmt: skip
_IRREGULAR_PLACES = {cardinal: ordinal for ordinal, cardinal in _IRREGULAR_ORDINALS.items()}


def _ordinal(word: str) -> str:
    return _IRREGULAR_PLACES.get(word) or (word[:-1] + "ieth" if word.endswith("y") else word + "th")


_ORDINALS = {_ordinal(word): word for word in (*_VALUES, "hundred", *_BIG)}
# "Second" is no part of anything.
PART_SIZES = {"half": 2, "halve": 2, "quarter": 4} | {
    ordinal: _VALUES.get(word) or SCALES[word]
    for ordinal, word in _ORDINALS.items()
    if word not in ("zero", "one", "two")
}
CARDINALS = frozenset({*_VALUES, *SCALES, *(f"{scale}s" for scale in SCALES)})
"""In lower case."""

PARTS = frozenset({*PART_SIZES, *(f"{part}s" for part in PART_SIZES)})

STARTS = frozenset({*_VALUES, *SCALES, *_ORDINALS, "half", "quarter"}) - {"score", "gross"}
"""In lower case: the words that a number can begin with, but for "a" and "minus". Score and gross are words of their
own besides."""

# Words of one number: beyond, nobody means a number.
MOST_WORDS = 24
_WORD = re.compile(r"[A-Za-z]{1,16}(?![A-Za-z])")
_BETWEEN = re.compile(r"[ \t\u00a0]{1,3}|[-‐‑]")
_AND = re.compile(r"[ \t\u00a0]{1,3}and[ \t\u00a0]{1,3}", re.IGNORECASE)
GREAT = "|".join(("hundred", "dozen", *_BIG))
_OF_A_SCALE = re.compile(rf"[ -](?:of )?(?:an? )?(?P<scale>{GREAT})\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Number:
    """A number in a text: [start, end) of what writes it. An ordinal's value is its place: 3 of `third`."""

    value: Fraction
    start: int
    end: int
    kind: Kind = "cardinal"


def in_words(number: int) -> str:
    """`two hundred and five`; "minus" before what is below zero. Raises `ValueError` from a quadrillion on."""
    if abs(number) >= 10**15:
        raise ValueError(f"{number} is too large to be written in words")
    if number < 0:
        return "minus " + in_words(-number)
    if number < 20:
        return _SMALL[number]
    if number < 100:
        tens, unit = divmod(number, 10)
        return _TENS[tens - 2] + (f"-{_SMALL[unit]}" if unit else "")
    name = next(name for name in ("trillion", "billion", "million", "thousand", "hundred") if number >= SCALES[name])
    over, rest = divmod(number, SCALES[name])
    return f"{in_words(over)} {name}" + (f"{' and' if rest < 100 else ''} {in_words(rest)}" if rest else "")


def ordinal_in_words(number: int) -> str:
    """`twenty-first`; `hundredth`, since "one hundredth" is a part. Raises `ValueError` below 0, and as `in_words`."""
    if number < 0:
        raise ValueError(f"{number} is no place")
    words = in_words(number)
    last = re.split("[ -]", words)[-1]
    before = words.removesuffix(last)
    return ("" if before == "one " else before) + _ordinal(last)


def part_of(word: str) -> int | None:
    """2 of `half`, 3 of `third` and `thirds`."""
    return PART_SIZES.get(word) or PART_SIZES.get(word.removesuffix("s"))


class _Count:
    """A cardinal as its words come: each is taken where it can go on the number."""

    __slots__ = ("after_scale", "group", "least", "room", "said", "total")

    def __init__(self) -> None:
        self.total = self.group = 0
        # The next great scale is smaller; what may be added is below this.
        self.least, self.room = 10**15, 100
        self.said = self.after_scale = False

    def take(self, word: str) -> bool:
        """Whether `word` goes on."""
        if (value := _VALUES.get(word)) is not None:
            taken = self._take_value(value)
        else:
            taken = (scale := SCALES.get(word)) is not None and self._take_scale(word, scale)
        self.said |= taken
        return taken

    def _take_value(self, value: int) -> bool:
        if value >= self.room or (value == 0 and self.said):
            return False
        self.group += value
        self.room = 10 if value >= 20 else 0
        self.after_scale = False
        return True

    def _take_scale(self, word: str, scale: int) -> bool:
        if word in ("score", "gross") and not self.said:
            return False
        if self.said and self.group == 0:
            return False
        if word == "hundred":
            if self.group >= 100:
                return False
            self.group = (self.group or 1) * 100
        elif word in _LOTS:
            if self.total or self.group >= 100:
                return False
            self.total, self.group, self.least, self.room = (self.group or 1) * scale, 0, 0, 0
            return True
        else:
            if scale >= self.least:
                return False
            self.total += (self.group or 1) * scale
            self.group, self.least = 0, scale
        self.room, self.after_scale = 100, True
        return True

    @property
    def value(self) -> int:
        return self.total + self.group


def said(text: str, start: int, *, mixed: bool = True) -> Number | None:
    """The longest number that English words say from `start` on."""
    count, found = _Count(), None
    at, end = start, start
    for _ in range(MOST_WORDS):
        match = _WORD.match(text, at)
        word = match[0].lower() if match else ""
        if match and at == start and word in ("a", "an"):
            end = match.end()
        elif match and (number := _ended(count, word, start, match.end(), one=end > start and not count.said)):
            found = number
            break
        elif match and count.take(word):
            end = match.end()
            found = Number(Fraction(count.value), start, end)
        else:
            break
        if count.after_scale and (conjunction := _AND.match(text, end)):
            at = conjunction.end()
        elif between := _BETWEEN.match(text, end):
            at = between.end()
        else:
            break
    if found is None or found.kind == "ordinal":
        return found
    if found.kind == "fraction":
        scale = _OF_A_SCALE.match(text, found.end)
        return Number(found.value * SCALES[scale["scale"].lower()], start, scale.end()) if scale else found
    return (_with_part(text, found) if mixed else None) or found


def _ended(count: _Count, word: str, start: int, end: int, *, one: bool) -> Number | None:
    """The number that `word` ends: a place, or so many parts of one. one: whether "a" stands before it."""
    part = part_of(word)
    singular = one or (count.said and count.value == 1) or (not count.said and word in ("half", "quarter"))
    if part is not None and (
        word not in PART_SIZES if count.said and count.value != 1 else singular and word in PART_SIZES
    ):
        return Number(Fraction(count.value if count.said else 1, part), start, end, "fraction")
    cardinal = _ORDINALS.get(word)
    if cardinal is None or one or not count.take(cardinal):
        return None
    return Number(Fraction(count.value), start, end, "ordinal")


def _with_part(text: str, number: Number) -> Number | None:
    """`two and a half`."""
    conjunction = _AND.match(text, number.end)
    part = said(text, conjunction.end(), mixed=False) if conjunction else None
    if part is None or part.kind != "fraction" or part.value >= 1:
        return None
    return Number(number.value + part.value, number.start, part.end, "fraction")
