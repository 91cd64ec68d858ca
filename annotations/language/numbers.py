"""Numbers in words and inside prose: `twelve`, `two hundred and five`, `three quarters`, `2 million`, `3rd`, `十二`.

    found = numbers_in("About 1.5 million of the two hundred and five dogs won a third of the 1,234 prizes.")
    [str(number.value) for number in found]          # ['1500000', '205', '1/3', '1234']
    read_words("minus twenty-one")                   # Fraction(-21)
    in_words(205)                                    # 'two hundred and five'

`numbers_in` finds each number where it begins and reads as much as is one: "twenty-one" is 21, "one two" is 1 and 2,
"1,234" is a thousand and more, "12,34" are two. The digits of a name (`A1`, `P_1`) are none, nor is a word for a number
of no certain size ("dozens"). `read_words` wants the whole text to be one number.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
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
# Words of their own besides: without a number in front they say nothing of one.
_SCALES_AFTER_A_NUMBER = frozenset({"score", "gross"})
_IRREGULAR_ORDINALS = {
    "first": "one", "second": "two", "third": "three", "fifth": "five", "eighth": "eight", "ninth": "nine",
    "twelfth": "twelve",
}  # fmt: skip
_IRREGULAR_PLACES = {cardinal: ordinal for ordinal, cardinal in _IRREGULAR_ORDINALS.items()}


def _ordinal(word: str) -> str:
    return _IRREGULAR_PLACES.get(word) or (word[:-1] + "ieth" if word.endswith("y") else word + "th")


_ORDINALS = {_ordinal(word): word for word in (*_VALUES, "hundred", *_BIG)}
# "Second" is no part of anything.
_PARTS = {"half": 2, "halve": 2, "quarter": 4} | {
    ordinal: _VALUES.get(word) or SCALES[word]
    for ordinal, word in _ORDINALS.items()
    if word not in ("zero", "one", "two")
}
CARDINALS = frozenset({*_VALUES, *SCALES, *(f"{scale}s" for scale in SCALES)})
"""In lower case."""

PARTS = frozenset({*_PARTS, *(f"{part}s" for part in _PARTS)})

_DIGIT_ORDINAL = re.compile(r"(\d{1,9})(?:\^?\{?\s?(?:\\text\s?\{)?\s?)(st|nd|rd|th)\s?\}{0,2}", re.IGNORECASE)
_SUFFIXES = {1: "st", 2: "nd", 3: "rd"}

_DIGITS = {digit: value for value, digit in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2, "兩": 2}
_PLACES = {"十": 10, "百": 100, "千": 1000}
_MYRIADS = {"万": 10**4, "萬": 10**4, "亿": 10**8, "億": 10**8}
_CHINESE = "零〇一二两兩三四五六七八九十百千万萬亿億"
CHINESE = re.compile(f"[{_CHINESE}]{{1,16}}")
_CHINESE_FRACTION = re.compile(rf"(?:[{_CHINESE}]{{1,16}}|\d{{1,9}})分之(?:[{_CHINESE}]{{1,16}}|\d{{1,9}})")

# Words of one number, and digits of one that is written: beyond, nobody means a number. A power of ten has two digits,
# so that a float holds what is read.
MOST_WORDS = 24
MOST_DIGITS = 100

_WORD = re.compile(r"[A-Za-z]{1,16}(?![A-Za-z])")
_BETWEEN = re.compile(r"[ \t\u00a0]{1,3}|[-‐‑]")
_AND = re.compile(r"[ \t\u00a0]{1,3}and[ \t\u00a0]{1,3}", re.IGNORECASE)
_WRITTEN = re.compile(r"[-−]?(?:(?:\d{1,3}(?:,\d{3})+(?!,?\d)|\d+)(?P<point>\.\d+)?|\.\d+)")
_UNDER = re.compile(r"\s?/\s?(\d{1,20})(?![\d/]|\.\d)")
_BESIDE = re.compile(r"[ \u00a0](\d{1,20})\s?/\s?(\d{1,20})(?![\d/])")
_TIMES_POWER = re.compile(
    r"\s?(?:[×*]|\\times|\\cdot)\s?10\s?(?:\^|\*\*)\s?[{(]?\s?(?P<a>[-+−]?\d{1,2})(?!\d)[)}]?|[eE](?P<b>[-+]?\d{1,2})(?![\w.])"
)
_SUFFIX = re.compile(r"(?:st|nd|rd|th)(?![A-Za-z])", re.IGNORECASE)
_GREAT = "|".join(("hundred", "dozen", *_BIG))
_SCALE = re.compile(rf"[ \u00a0-](?P<scale>{_GREAT})s?\b", re.IGNORECASE)
_OF_A_SCALE = re.compile(rf"[ -](?:of )?(?:an? )?(?P<scale>{_GREAT})\b", re.IGNORECASE)
_VULGAR = {
    "½": Fraction(1, 2), "⅓": Fraction(1, 3), "⅔": Fraction(2, 3), "¼": Fraction(1, 4), "¾": Fraction(3, 4),
    "⅕": Fraction(1, 5), "⅖": Fraction(2, 5), "⅗": Fraction(3, 5), "⅘": Fraction(4, 5), "⅙": Fraction(1, 6),
    "⅚": Fraction(5, 6), "⅛": Fraction(1, 8), "⅜": Fraction(3, 8), "⅝": Fraction(5, 8), "⅞": Fraction(7, 8),
}  # fmt: skip
STARTS = frozenset({*_VALUES, *SCALES, *_ORDINALS, "half", "quarter"}) - {"score", "gross"}
"""In lower case: the words that a number can begin with, but for "a" and "minus". Score and gross are words of their
own besides."""

_OPENERS = STARTS | {"a", "an", "minus", "negative"}
# What can begin a number; of words, only those in `_OPENERS` do.
_BEGINS = re.compile(
    r"[A-Za-z]+|(?<![\w)\]}.])[-−](?=\.?\d)|(?<![^\W\d])(?<!\d)(?<!\d\.)\d|(?<![\w.])\.\d"
    rf"|[第{_CHINESE}半{''.join(_VULGAR)}]"
)


@dataclass(frozen=True, slots=True)
class Number:
    """A number in a text: [start, end) of what writes it. An ordinal's value is its place: 3 of `third`."""

    value: Fraction
    start: int
    end: int
    kind: Kind = "cardinal"


def numbers_in(text: str) -> Iterator[Number]:
    """The numbers of a text, in order; no two share a character."""
    at = 0
    while found := _BEGINS.search(text, at):
        at = found.end()
        first = found[0]
        opens = first[0] > "z" or first[0] < "A" or first.lower() in _OPENERS
        if opens and (number := number_at(text, found.start())):
            at = number.end
            yield number


def number_at(text: str, start: int) -> Number | None:
    """The longest number that begins at `start`, or None where none does."""
    first = text[start : start + 1]
    if first.isdecimal() or first in (".", "-", "−"):
        return _written(text, start)
    if first.isascii():
        return _signed(text, start)
    if first in _VULGAR:
        return Number(_VULGAR[first], start, start + 1, "fraction")
    return _in_chinese(text, start)


def read_words(text: str) -> Fraction | None:
    """The number that the whole text says in English words or Chinese characters, or None.

    A lone "third" is a part here; `read_ordinal` reads the place.
    """
    text = text.strip()
    if not text or not (text[0].isalpha() or text[0].isdecimal()) or len(text) > _LONGEST:
        return None
    found = _signed(text, 0) if text.isascii() else _in_chinese(text, 0)
    if found is None or found.end < len(text):
        found = _loose_part(text)
    if found is not None and found.kind == "ordinal":
        found = _loose_part(text) if text.isalpha() else None
    return None if found is None else found.value


def read_ordinal(text: str) -> int | None:
    """`3rd`, `third`, `21^{st}`, `one hundred and first`, `第三` as its number, or None."""
    match = _DIGIT_ORDINAL.fullmatch(text)
    if match is not None:
        return int(match[1]) if match[2].casefold() == _suffix(int(match[1])) else None
    found = _in_chinese(text, 0) if text.startswith("第") else _said(text, 0) if len(text) <= _LONGEST else None
    return int(found.value) if found and found.kind == "ordinal" and found.end == len(text) else None


def scaled(number: Fraction, words: str) -> Fraction | None:
    """`1.5` and `million`, `3` and `halves`, `2` and `dozen`, `2` and `万` as one number; None where a word is none."""
    for word in words.split():
        name = word.casefold()
        scale = SCALES.get(name) or SCALES.get(name.removesuffix("s")) or _MYRIADS.get(word)
        part = _part(name)
        if scale is not None:
            number *= scale
        elif part is not None:
            number /= part
        else:
            return None
    return number


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
    """`twenty-first`. Raises `ValueError` below 0, and as `in_words` does."""
    if number < 0:
        raise ValueError(f"{number} is no place")
    words = in_words(number)
    last = re.split("[ -]", words)[-1]
    return words.removesuffix(last) + _ordinal(last)


_LONGEST = 200


def _suffix(number: int) -> str:
    return "th" if number % 100 in (11, 12, 13) else _SUFFIXES.get(number % 10, "th")


def _part(word: str) -> int | None:
    return _PARTS.get(word) or _PARTS.get(word.removesuffix("s"))


def _written(text: str, start: int) -> Number | None:
    """`1,234.5`, `1/2`, `2 1/2`, `3 × 10^8`, `1.5 million`, `2万`, `3rd`."""
    match = _WRITTEN.match(text, start)
    if match is None or match.end() - start > MOST_DIGITS:
        return None
    value, end = Fraction(match[0].replace(",", "").replace("−", "-")), match.end()
    sign = -1 if match[0][0] in "-−" else 1
    if match["point"] is None and match[0][0] != ".":
        if text[max(0, start - 1) : start] != "/" and (under := _UNDER.match(text, end)) and int(under[1]):
            return Number(value / int(under[1]), start, under.end(), "fraction")
        if (beside := _BESIDE.match(text, end)) and 0 < int(beside[1]) < int(beside[2]):
            return Number(value + sign * Fraction(int(beside[1]), int(beside[2])), start, beside.end(), "fraction")
        if (vulgar := _VULGAR.get(text[end : end + 1])) is not None:
            return Number(value + sign * vulgar, start, end + 1, "fraction")
        if (suffix := _SUFFIX.match(text, end)) and suffix[0].lower() == _suffix(int(value)):
            return Number(value, start, suffix.end(), "ordinal")
    return _multiplied(text, value, start, end)


def _multiplied(text: str, value: Fraction, start: int, end: int) -> Number:
    """A written number with the powers and words behind it that make it larger."""
    if power := _TIMES_POWER.match(text, end):
        exponent = int((power["a"] or power["b"]).replace("−", "-"))
        return Number(value * Fraction(10) ** exponent, start, power.end())
    for _ in range(2):
        if scale := _SCALE.match(text, end):
            value, end = value * SCALES[scale["scale"].lower()], scale.end()
    if myriad := _MYRIADS.get(text[end : end + 1]):
        value, end = value * myriad, end + 1
    return Number(value, start, end)


def _signed(text: str, start: int) -> Number | None:
    """A number in English words; "minus" between two is no sign of the second."""
    word = _WORD.match(text, start)
    if word is None or word[0].lower() not in ("minus", "negative"):
        return _said(text, start)
    between = _BETWEEN.match(text, word.end())
    if between is None or (word[0].lower() == "minus" and _is_operand(text, start)):
        return None
    after = between.end()
    number = _written(text, after) if text[after : after + 1].isdecimal() else _said(text, after)
    return None if number is None else Number(-number.value, start, number.end, number.kind)


def _is_operand(text: str, end: int) -> bool:
    """Whether a number or a letter for one stands before `end`."""
    before = text[max(0, end - 20) : end].rstrip()
    word = re.search(r"[A-Za-z]+$", before)
    if word is None:
        return before[-1:].isdecimal() or before[-1:] in (")", "}", "]")
    return len(word[0]) == 1 or word[0].lower() in CARDINALS


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


def _said(text: str, start: int, *, mixed: bool = True) -> Number | None:
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
    part = _part(word)
    singular = one or (count.said and count.value == 1) or (not count.said and word in ("half", "quarter"))
    if part is not None and (word not in _PARTS if count.said and count.value != 1 else singular and word in _PARTS):
        return Number(Fraction(count.value if count.said else 1, part), start, end, "fraction")
    cardinal = _ORDINALS.get(word)
    if cardinal is None or one or not count.take(cardinal):
        return None
    return Number(Fraction(count.value), start, end, "ordinal")


def _with_part(text: str, number: Number) -> Number | None:
    """`two and a half`."""
    conjunction = _AND.match(text, number.end)
    part = _said(text, conjunction.end(), mixed=False) if conjunction else None
    if part is None or part.kind != "fraction" or part.value >= 1:
        return None
    return Number(number.value + part.value, number.start, part.end, "fraction")


def _loose_part(text: str) -> Number | None:
    """A text that is `third`, or `two third`: said of the text as a whole, parts and no places."""
    before, _, last = text.lower().replace("-", " ").rpartition(" ")
    part = _PARTS.get(last)
    number = _signed(before, 0) if before else Number(Fraction(1), 0, 0)
    if part is None or number is None or number.end < len(before) or number.kind != "cardinal":
        return None
    return Number(number.value / part, 0, len(text), "fraction")


def _in_chinese(text: str, start: int) -> Number | None:
    """`一百零五`, `三分之二`, `百分之50`, `第三`, `半`."""
    if text.startswith("半", start):
        return Number(Fraction(1, 2), start, start + 1, "fraction")
    if match := _CHINESE_FRACTION.match(text, start):
        under, _, over = match[0].partition("分之")
        bottom, top = 100 if under == "百" else _integer(under), _integer(over)
        return Number(Fraction(top, bottom), start, match.end(), "fraction") if bottom and top is not None else None
    place = text.startswith("第", start)
    run = re.compile(r"\d{1,9}").match(text, start + 1) if place else None
    run = run or CHINESE.match(text, start + place)
    for length in range(len(run[0]) if run else 0, 0, -1):
        value = _integer(run[0][:length]) if run else None
        if value is not None:
            return Number(Fraction(value), start, start + place + length, "ordinal" if place else "cardinal")
    return None


def _integer(text: str) -> int | None:
    return int(text) if text.isdecimal() else _chinese(text)


def _chinese(text: str) -> int | None:
    """`一百零五` is 105, `二〇二四` is 2024. None for what is no number: `百`, `一二十`."""
    if len(text) > 1 and all(char in _DIGITS for char in text):
        return int("".join(str(_DIGITS[char]) for char in text))
    total = section = digit = 0
    least = 10**9
    for position, char in enumerate(text):
        if char in _DIGITS:
            if digit:
                return None
            digit = _DIGITS[char]
        elif char in _PLACES:
            if _PLACES[char] >= least or not (digit or (char == "十" and position == 0)):
                return None
            least = _PLACES[char]
            section += (digit or 1) * least
            digit = 0
        elif char in _MYRIADS and section + digit:
            total = (total + section + digit) * _MYRIADS[char]
            section, digit, least = 0, 0, 10**9
        else:
            return None
    return total + section + digit
