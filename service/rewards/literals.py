r"""Numbers as people write them: `1,234`, `-0.5`, `13/2`, `\frac{3}{4}`, `2 1/2`, `1.5 \times 10^3`, `twelve`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

LARGEST_EXPONENT = 60
"""Of scientific notation. A larger power of ten is an attack, not an answer."""

LONGEST = 80
"""Characters of a literal."""


@dataclass(frozen=True, slots=True)
class Literal:
    """A number and how it was written. places: decimals behind the point, None where there is no point."""

    value: Fraction
    places: int | None = None


_SIGN = r"(?P<sign>[+-]?)\s?"
_decimal = re.compile(
    _SIGN + r"(?P<digits>\d{1,40}|\d{1,3}(?:,\d{3}){1,10}|\d{1,3}(?: \d{3}){1,10})?(?P<point>\.\d{0,40})?"
)
_grouped = re.compile(r"[+-]?\d{1,3}(?:\{,\}\d{3}){1,10}(?:\.\d{0,40})?")
_slash = re.compile(
    _SIGN + r"(?P<whole>\d{1,20} )?\s?(?P<top>[+-]?\d{1,20}(?:\.\d{1,20})?)\s?/\s?(?P<bottom>-?\d{1,20}(?:\.\d{1,20})?)"
)
_frac = re.compile(
    _SIGN + r"(?P<whole>\d{1,20})?\s?\\frac\s?"
    r"(?:\{\s?(?P<top>-?\d{1,20}(?:\.\d{1,20})?)\s?\}|(?P<top1>\d))\s?"
    r"(?:\{\s?(?P<bottom>-?\d{1,20}(?:\.\d{1,20})?)\s?\}|(?P<bottom1>\d))"
)
_scientific = re.compile(
    r"(?P<mantissa>[+-]?\d{1,20}(?:\.\d{1,20})?)\s?(?:\\times|\\cdot|\*|x)\s?10\s?\^\s?\{?\s?(?P<exponent>[+-]?\d{1,3})\s?\}?"
)
_e_notation = re.compile(r"(?P<mantissa>[+-]?\d{1,20}(?:\.\d{1,20})?)[eE](?P<exponent>[+-]?\d{1,3})")


def read_number(text: str) -> Literal | None:
    """The number that the whole text is, or None. `text` is in plain notation. Exact: no float on the way."""
    text = text.strip()
    if not text or len(text) > LONGEST:
        return None
    if _grouped.fullmatch(text):
        text = text.replace("{,}", "")
    return _read_decimal(text) or _read_fraction(text) or _read_scientific(text) or _read_words(text)


def agrees(answer: Fraction, reference: Literal, scale: Fraction = Fraction(1)) -> bool:
    """Equal; where the reference is a decimal, equal to its number of decimals: 3.14159 agrees with 3.14.

    scale: what one unit of the reference is worth in the answer's.
    """
    value = reference.value * scale
    if answer == value:
        return True
    return bool(reference.places) and abs(answer - value) * 2 <= Fraction(1, 10 ** (reference.places or 0)) * abs(scale)


def _read_decimal(text: str) -> Literal | None:
    match = _decimal.fullmatch(text)
    if match is None or not (match["digits"] or len(match["point"] or "") > 1):
        return None
    digits = (match["digits"] or "0").replace(",", "").replace(" ", "")
    point = match["point"] or ""
    value = Fraction(digits + point if len(point) > 1 else digits)
    return Literal(_signed(value, match["sign"]), len(point) - 1 if len(point) > 1 else None)


def _read_fraction(text: str) -> Literal | None:
    if (match := _slash.fullmatch(text)) is not None:
        top, bottom = match["top"], match["bottom"]
    elif (match := _frac.fullmatch(text)) is not None:
        top, bottom = match["top"] or match["top1"], match["bottom"] or match["bottom1"]
    else:
        return None
    if Fraction(bottom) == 0:
        return None
    return Literal(_signed(Fraction(match["whole"] or 0) + Fraction(top) / Fraction(bottom), match["sign"]))


def _read_scientific(text: str) -> Literal | None:
    match = _scientific.fullmatch(text) or _e_notation.fullmatch(text)
    if match is None or abs(exponent := int(match["exponent"])) > LARGEST_EXPONENT:
        return None
    places = len(match["mantissa"].partition(".")[2])
    decimals = max(0, places - exponent) if places else None
    return Literal(Fraction(match["mantissa"]) * Fraction(10) ** exponent, decimals)


def _signed(value: Fraction, sign: str) -> Fraction:
    return -value if sign == "-" else value


_UNITS = {
    "zero": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9,
    "ten": 10, "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16,
    "seventeen": 17, "eighteen": 18, "nineteen": 19,
}  # fmt: skip
_TENS = {
    "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90,
}  # fmt: skip
_VALUES = _UNITS | _TENS
_SCALES = {"hundred": 100, "thousand": 1000, "million": 1_000_000}
_PARTS = {
    "half": 2, "halves": 2, "third": 3, "quarter": 4, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7,
    "eighth": 8, "ninth": 9, "tenth": 10,
}  # fmt: skip


def _read_words(text: str) -> Literal | None:
    words = text.casefold().replace("-", " ").split()
    if not words or not all(word.isascii() and word.isalpha() for word in words):
        return None
    part = _PARTS.get(words[-1]) or _PARTS.get(words[-1].removesuffix("s"))
    if part is not None:
        count = 1 if words[:-1] in ([], ["a"], ["an"]) else _count(words[:-1])
        return None if count is None else Literal(Fraction(count, part))
    count = _count(words)
    return None if count is None else Literal(Fraction(count))


def _count(words: list[str]) -> int | None:
    """`two hundred and five` is 205. None where a word is no number or comes in the wrong place."""
    total = current = 0
    last = "scale"
    for word in words:
        if word == "and" and last == "scale" and current + total:
            continue
        if word in _SCALES and current:
            current *= _SCALES[word]
            total, current = (total + current, 0) if _SCALES[word] >= 1000 else (total, current)
            last = "scale"
        elif word in _VALUES and (last == "scale" or (last == "tens" and 0 < _VALUES[word] < 10)):
            current += _VALUES[word]
            last = "tens" if _VALUES[word] >= 20 else "unit"
        else:
            return None
    return total + current if words else None
