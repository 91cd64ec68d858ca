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
from fractions import Fraction
from unicodedata import numeric

from perception_reward.annotations.language.chinese_numbers import CHARACTERS, MYRIADS, in_chinese
from perception_reward.annotations.language.english_numbers import (
    CARDINALS,
    GREAT,
    PART_SIZES,
    PARTS,
    SCALES,
    STARTS,
    Number,
    in_words,
    ordinal_in_words,
    part_of,
    said,
)

__all__ = [
    "CARDINALS",
    "PARTS",
    "SCALES",
    "STARTS",
    "Number",
    "in_words",
    "number_at",
    "numbers_in",
    "ordinal_in_words",
    "read_ordinal",
    "read_words",
    "scaled",
]

_DIGIT_ORDINAL = re.compile(r"(\d{1,9})(?:\^?\{?\s?(?:\\text\s?\{)?\s?)(st|nd|rd|th)\s?\}{0,2}", re.IGNORECASE)
_SUFFIXES = {1: "st", 2: "nd", 3: "rd"}

# Of one number: beyond, nobody means one. A power of ten has two digits, so that a float holds what is read.
MOST_DIGITS = 100

_WRITTEN = re.compile(r"[-−]?(?:(?:\d{1,3}(?:,\d{3})+(?!,?\d)|\d+)(?P<point>\.\d+)?|\.\d+)")
_UNDER = re.compile(r"\s?/\s?(\d{1,20})(?![\d/]|\.\d)")
_BESIDE = re.compile(r"[ \u00a0](\d{1,20})\s?/\s?(\d{1,20})(?![\d/])")
_TIMES_POWER = re.compile(
    r"\s?(?:[×*]|\\times|\\cdot)\s?10\s?(?:\^|\*\*)\s?[{(]?\s?(?P<a>[-+−]?\d{1,2})(?!\d)[)}]?|[eE](?P<b>[-+]?\d{1,2})(?![\w.])"
)
_SIGN = re.compile(r"(minus|negative)[ -]", re.IGNORECASE)
_SUFFIX = re.compile(r"(?:st|nd|rd|th)(?![A-Za-z])", re.IGNORECASE)
_SCALE = re.compile(rf"[ \u00a0-](?P<scale>{GREAT})s?\b", re.IGNORECASE)
_VULGAR = {char: Fraction(numeric(char)).limit_denominator(10) for char in "½⅓⅔¼¾⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞"}
# What a written number can go on with: a power, a scale, what divides it, a place's ending. Most go on with nothing.
_GOES_ON = frozenset(" \u00a0-/×*\\eEsnrtSNRT^").union(_VULGAR, MYRIADS)
_GOES_ON_BEHIND_A_BLANK = frozenset("/×*\\" + "0123456789") | {
    letter for scale in GREAT.split("|") for letter in scale[0] + scale[0].upper()
}
_OPENERS = STARTS | {"a", "an", "minus", "negative"}
# What can begin a number; of words, only those in `_OPENERS` do.
_BEGINS = re.compile(
    r"[A-Za-z]+|(?<![\w)\]}.])[-−](?=\.?\d)|(?<![^\W\d])(?<!\d)(?<!\d\.)\d|(?<![\w.])\.\d"
    rf"|[第{CHARACTERS}半{''.join(_VULGAR)}]"
)


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
    return in_chinese(text, start)


def read_words(text: str) -> Fraction | None:
    """The number that the whole text says in English words or Chinese characters, or None.

    A lone "third" is a part here; `read_ordinal` reads the place.
    """
    text = text.strip()
    if not text or not (text[0].isalpha() or text[0].isdecimal()) or len(text) > _LONGEST:
        return None
    found = _signed(text, 0) if text.isascii() else in_chinese(text, 0)
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
    found = in_chinese(text, 0) if text.startswith("第") else said(text, 0) if len(text) <= _LONGEST else None
    return int(found.value) if found and found.kind == "ordinal" and found.end == len(text) else None


def scaled(number: Fraction, words: str) -> Fraction | None:
    """`1.5` and `million`, `3` and `halves`, `2` and `dozen`, `2` and `万` as one number; None where a word is none."""
    for word in words.split():
        name = word.casefold()
        scale = SCALES.get(name) or SCALES.get(name.removesuffix("s")) or MYRIADS.get(word)
        part = part_of(name)
        if scale is not None:
            number *= scale
        elif part is not None:
            number /= part
        else:
            return None
    return number


_LONGEST = 200


def _suffix(number: int) -> str:
    return "th" if number % 100 in (11, 12, 13) else _SUFFIXES.get(number % 10, "th")


def _written(text: str, start: int) -> Number | None:
    """`1,234.5`, `1/2`, `2 1/2`, `3 × 10^8`, `1.5 million`, `2万`, `3rd`."""
    match = _WRITTEN.match(text, start)
    if match is None or match.end() - start > MOST_DIGITS:
        return None
    value, end = _exactly(match[0].replace(",", "").replace("−", "-")), match.end()
    after = text[end : end + 2]
    if after[:1] not in _GOES_ON or (after[0] == " " and after[1:] not in _GOES_ON_BEHIND_A_BLANK):
        return Number(value, start, end)
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


def _exactly(digits: str) -> Fraction:
    whole, point, decimals = digits.partition(".")
    return Fraction(int(whole + decimals), 10 ** len(decimals)) if point else Fraction(int(whole))


def _multiplied(text: str, value: Fraction, start: int, end: int) -> Number:
    """A written number with the powers and words behind it that make it larger."""
    if power := _TIMES_POWER.match(text, end):
        exponent = int((power["a"] or power["b"]).replace("−", "-"))
        return Number(value * Fraction(10) ** exponent, start, power.end())
    for _ in range(2):
        if scale := _SCALE.match(text, end):
            value, end = value * SCALES[scale["scale"].lower()], scale.end()
    if myriad := MYRIADS.get(text[end : end + 1]):
        value, end = value * myriad, end + 1
    return Number(value, start, end)


def _signed(text: str, start: int) -> Number | None:
    """A number in English words; "minus" between two is no sign of the second."""
    sign = _SIGN.match(text, start)
    if sign is None:
        return said(text, start)
    if sign[1].lower() == "minus" and _is_operand(text, start):
        return None
    after = sign.end()
    number = _written(text, after) if text[after : after + 1].isdecimal() else said(text, after)
    return None if number is None else Number(-number.value, start, number.end, number.kind)


def _is_operand(text: str, end: int) -> bool:
    """Whether a number or a letter for one stands before `end`."""
    before = text[max(0, end - 20) : end].rstrip()
    word = re.search(r"[A-Za-z]+$", before)
    if word is None:
        return before[-1:].isdecimal() or before[-1:] in (")", "}", "]")
    return len(word[0]) == 1 or word[0].lower() in CARDINALS


def _loose_part(text: str) -> Number | None:
    """A text that is `third`, or `two third`: said of the text as a whole, parts and no places."""
    before, _, last = text.lower().replace("-", " ").rpartition(" ")
    part = PART_SIZES.get(last)
    number = _signed(before, 0) if before else Number(Fraction(1), 0, 0)
    if part is None or number is None or number.end < len(before) or number.kind != "cardinal":
        return None
    return Number(number.value / part, 0, len(text), "fraction")
