"""Numbers in words: `twelve`, `two hundred and five`, `three quarters`, `2 million`, `3rd`, `十二`, `百分之五十`."""

from __future__ import annotations

import re
from fractions import Fraction

_UNITS = {
    "zero": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9,
    "ten": 10, "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16,
    "seventeen": 17, "eighteen": 18, "nineteen": 19,
}  # fmt: skip
_TENS = {
    "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90,
}  # fmt: skip
_VALUES = _UNITS | _TENS
SCALES = {
    "hundred": 100, "thousand": 1000, "million": 10**6, "billion": 10**9, "trillion": 10**12, "dozen": 12,
    "lakh": 10**5, "crore": 10**7, "score": 20, "gross": 144,
}  # fmt: skip
_PARTS = {
    "half": 2, "halve": 2, "third": 3, "quarter": 4, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7, "eighth": 8,
    "ninth": 9, "tenth": 10, "hundredth": 100, "thousandth": 1000,
}  # fmt: skip
_ORDINALS = {
    "first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7, "eighth": 8, "ninth": 9,
    "tenth": 10, "eleventh": 11, "twelfth": 12, "thirteenth": 13, "fourteenth": 14, "fifteenth": 15, "sixteenth": 16,
    "seventeenth": 17, "eighteenth": 18, "nineteenth": 19, "twentieth": 20, "thirtieth": 30, "hundredth": 100,
}  # fmt: skip
CARDINALS = frozenset({*_VALUES, *SCALES, *(f"{scale}s" for scale in SCALES)})
"""In lower case."""

PARTS = frozenset({*_PARTS, *(f"{part}s" for part in _PARTS), "halves"})

_ordinal = re.compile(r"(\d{1,9})(?:\^?\{?\s?(?:\\text\s?\{)?\s?)(st|nd|rd|th)\s?\}{0,2}", re.IGNORECASE)
_SUFFIXES = {1: "st", 2: "nd", 3: "rd"}

# Not a minus sign.
_hyphen = re.compile(r"(?<=[a-z])-(?=[a-z])")
_DIGITS = {digit: value for value, digit in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2, "兩": 2}
_PLACES = {"十": 10, "百": 100, "千": 1000}
_MYRIADS = {"万": 10**4, "萬": 10**4, "亿": 10**8, "億": 10**8}
CHINESE = re.compile("[零〇一二两兩三四五六七八九十百千万萬亿億]{1,16}")


def read_words(text: str) -> Fraction | None:
    """The number that the whole text says in English words or Chinese characters, or None."""
    over, of, under = text.partition("分之")
    if of:
        return _chinese_part(under, over)
    if CHINESE.fullmatch(text):
        value = _chinese(text)
        return None if value is None else Fraction(value)
    words = _hyphen.sub(" ", text.casefold()).split()
    if words and words[0] in ("minus", "negative"):
        value = _in_english(words[1:])
        return None if value is None else -value
    return _in_english(words)


def _in_english(words: list[str]) -> Fraction | None:
    if not words or len(words) > 12 or not all(word.isascii() and word.isalpha() for word in words):
        return None
    part = _PARTS.get(words[-1]) or _PARTS.get(words[-1].removesuffix("s"))
    if part is not None:
        return _parts(words[:-1], part)
    count = _count(words)
    return None if count is None else Fraction(count)


def scaled(number: Fraction, words: str) -> Fraction | None:
    """`1.5` and `million`, `3` and `halves`, `2` and `dozen`, `2` and `万` as one number; None where a word is none."""
    for word in words.split():
        name = word.casefold()
        scale = SCALES.get(name) or SCALES.get(name.removesuffix("s")) or _MYRIADS.get(word)
        part = _PARTS.get(name) or _PARTS.get(name.removesuffix("s"))
        if scale is not None:
            number *= scale
        elif part is not None:
            number /= part
        else:
            return None
    return number


def read_ordinal(text: str) -> int | None:
    """`3rd`, `third`, `21^{st}`, `第三` as its number, or None."""
    match = _ordinal.fullmatch(text)
    if match is not None:
        number = int(match[1])
        suffix = "th" if number % 100 in (11, 12, 13) else _SUFFIXES.get(number % 10, "th")
        return number if match[2].casefold() == suffix else None
    if text.startswith("第") and len(text) > 1:
        return int(text[1:]) if text[1:].isdecimal() and len(text) < 10 else _chinese(text[1:])
    words = text.casefold().replace("-", " ").split()
    if len(words) == 2 and words[0] in _TENS and _ORDINALS.get(words[1], 99) < 10:
        return _TENS[words[0]] + _ORDINALS[words[1]]
    return _ORDINALS.get(words[0]) if len(words) == 1 else None


def _parts(words: list[str], part: int) -> Fraction | None:
    """`three` quarters; `two and a` half; `a` third; an own third, which is the ordinal's too."""
    if words in ([], ["a"], ["an"]):
        return Fraction(1, part)
    if len(words) > 2 and words[-2:] in (["and", "a"], ["and", "one"]):
        whole = _count(words[:-2])
        return None if whole is None else whole + Fraction(1, part)
    count = _count(words)
    return None if count is None else Fraction(count, part)


def _count(words: list[str]) -> int | None:
    """`two hundred and five` is 205. None where a word is no number or comes in the wrong place."""
    total = current = 0
    last = "scale"
    if words[0] in ("a", "an") and words[1:2] and words[1] in SCALES:
        words = ["one", *words[1:]]
    for word in words:
        if word == "and" and last == "scale" and current + total:
            continue
        if word in SCALES and current:
            current *= SCALES[word]
            total, current = (total + current, 0) if SCALES[word] >= 1000 else (total, current)
            last = "scale"
        elif word in _VALUES and (last == "scale" or (last == "tens" and 0 < _VALUES[word] < 10)):
            current += _VALUES[word]
            last = "tens" if _VALUES[word] >= 20 else "unit"
        else:
            return None
    return total + current


def _chinese_part(top: str, bottom: str) -> Fraction | None:
    """`二分之一`, `百分之50`."""
    parts = [
        int(text) if text.isdecimal() else _chinese(text) if CHINESE.fullmatch(text) else None for text in (top, bottom)
    ]
    if bottom == "百":
        parts[1] = 100
    top_value, bottom_value = parts
    return None if top_value is None or not bottom_value else Fraction(top_value, bottom_value)


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
