r"""Numbers as people write them: `1,234`, `-0.5`, `13/2`, `2 1/2`, `1.5 \times 10^3`, `0.\overline{3}`, `2 million`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

from perception_reward.annotations.language.numbers import read_words, scaled

LARGEST_EXPONENT = 400
"""Of scientific notation. A larger power of ten is an attack, not an answer."""

LONGEST = 120
"""Characters of a literal."""

MANY_DIGITS = 10
"""Decimals written to so many digits stand for the exact value: nobody rounds to them by hand."""


DOUBLE_DIGITS = 16
"""Significant digits of a float, of which the last are noise."""


@dataclass(frozen=True, slots=True)
class Literal:
    """A number and how it was written.

    step: what one more in the last decimal would be; None where there is no decimal point, so that the number is
    exact. digits: significant digits that were written.
    """

    value: Fraction
    step: Fraction | None = None
    digits: int = 0


_SIGN = r"(?P<sign>[+-]?)\s?"
_decimal = re.compile(
    _SIGN + r"(?P<digits>\d{1,60}|\d{1,3}(?:,\d{3}){1,10}|\d{1,3}(?: \d{3}){1,10}|\d{1,3}(?:\.\d{3}){2,10})?"
    r"(?P<point>\.\d{0,60})?"
)
_continental = re.compile(_SIGN + r"(?P<digits>\d{1,3}(?:\.\d{3}){1,10}|\d{1,40}),(?P<point>\d{1,2}|\d{4,40})")
_slash = re.compile(
    _SIGN
    + r"(?:(?P<whole>\d{1,20}) )?(?P<top>[+-]?\d{1,40}(?:\.\d{1,20})?)\s?/\s?(?P<bottom>-?\d{1,40}(?:\.\d{1,20})?)"
)
_scientific = re.compile(
    r"(?P<mantissa>[+-]?\s?\d{1,20}(?:\.\d{1,20})?)\s?(?:\\times|\\cdot|\*|x)\s?10\s?(?:\^|\*\*)\s?\{?\s?"
    r"(?P<exponent>[+-]?\s?\d{1,3})\s?\}?"
)
_e_notation = re.compile(r"(?P<mantissa>[+-]?\d{1,20}(?:\.\d{1,20})?)[eE](?P<exponent>[+-]?\d{1,3})")
_period = re.compile(
    _SIGN + r"(?P<whole>\d{0,20})\.(?P<head>\d{0,20})\s?"
    r"(?:\\overline\s?\{?\s?(?P<a>\d{1,20})\s?\}?|\\bar\s?\{?\s?(?P<b>\d{1,20})\s?\}?|\((?P<c>\d{1,20})\)"
    r"|(?P<d>\\dot\s?\{?\d\}?(?:\d{0,18}\\dot\s?\{?\d\}?)?))"
)
_running = re.compile(_SIGN + r"(?P<whole>\d{0,20})\.(?P<digits>\d{1,40})\s?\\ldots")
_based = re.compile(r"\(?([0-9A-Fa-f]{1,60})\)?_\{?\s?(?:\\text\s?\{\s?)?(\d{1,2}|[a-z]{3,7})\s?\}{0,2}")
_scaled = re.compile(
    r"(?P<number>[+-]?[\d.,/ ]{1,40}?)\s?(?P<words>[A-Za-z]{4,10}(?: [A-Za-z]{4,10})?|[万萬亿億]{1,2})"
)


def read_number(text: str) -> Literal | None:
    """The number that the whole text is, or None. `text` is in plain notation. Exact: no float on the way."""
    text = text.strip()
    if not text or len(text) > LONGEST:
        return None
    found = _read_decimal(text)
    if found is None and any(char.isdigit() for char in text):
        found = _read_fraction(text) or _read_scientific(text) or _read_period(text) or _read_scaled(text)
    if found is None and (words := read_words(text)) is not None:
        return Literal(words)
    return found


def read_based(text: str) -> tuple[str, int] | None:
    """(digits, base) of `2516_8` and `1001_{\\text{two}}`."""
    match = _based.fullmatch(text)
    if match is None:
        return None
    named = read_words(match[2])
    base = int(match[2]) if match[2].isdigit() else int(named or 0)
    digits = match[1].upper().lstrip("0") or "0"
    return (digits, base) if 2 <= base <= 36 and all(int(digit, 36) < base for digit in digits) else None


def read_decimal_comma(text: str) -> Literal | None:
    """`0,5` and `1.234,56` as continental Europe writes them. Three digits behind the comma are thousands."""
    match = _continental.fullmatch(text)
    if match is None:
        return None
    return _read_decimal(f"{match['sign']}{match['digits'].replace('.', '')}.{match['point']}")


def _read_decimal(text: str) -> Literal | None:
    match = _decimal.fullmatch(text)
    if match is None or not (match["digits"] or len(match["point"] or "") > 1):
        return None
    digits, point = match["digits"] or "0", match["point"] or ""
    if digits.count(".") > 0 or not digits.isdigit():
        digits = digits.replace(",", "").replace(" ", "").replace(".", "")
    if len(point) < 2:
        return Literal(_signed(Fraction(digits), match["sign"]))
    value = _signed(Fraction(digits + point), match["sign"])
    return Literal(value, Fraction(1, 10 ** (len(point) - 1)), len((digits + point[1:]).lstrip("0")))


def _read_fraction(text: str) -> Literal | None:
    match = _slash.fullmatch(text)
    if match is None or Fraction(match["bottom"]) == 0:
        return None
    part = Fraction(match["top"]) / Fraction(match["bottom"])
    if match["whole"] is None:
        return Literal(_signed(part, match["sign"]))
    if "." in match["top"] + match["bottom"] or part < 0:
        return None
    return Literal(_signed(Fraction(match["whole"]) + part, match["sign"]))


def _read_scientific(text: str) -> Literal | None:
    match = _scientific.fullmatch(text) or _e_notation.fullmatch(text)
    if match is None or abs(exponent := int(match["exponent"].replace(" ", ""))) > LARGEST_EXPONENT:
        return None
    mantissa = match["mantissa"].replace(" ", "")
    places = len(mantissa.partition(".")[2])
    power = Fraction(10) ** exponent
    step = power / 10**places if places else None
    return Literal(Fraction(mantissa) * power, step, len(mantissa.strip("+-0.").replace(".", "")))


def _read_period(text: str) -> Literal | None:
    match = _period.fullmatch(text)
    if match is not None:
        period = match["a"] or match["b"] or match["c"] or re.sub(r"\D", "", match["d"])
        return _periodic(match["sign"], match["whole"], match["head"], period)
    match = _running.fullmatch(text)
    if match is None:
        return None
    digits = match["digits"]
    for length in range(1, len(digits) // 2 + 1):
        period = digits[-length:]
        if digits.endswith(period * 2):
            head = digits[: len(digits) - length]
            while head.endswith(period):
                head = head[:-length]
            return _periodic(match["sign"], match["whole"], head, period)
    # They go on, nobody knows how: a decimal that was cut off.
    return _read_decimal(f"{match['sign']}{match['whole']}.{digits}")


def _periodic(sign: str, whole: str, head: str, period: str) -> Literal:
    shift = Fraction(1, 10 ** len(head))
    value = Fraction(whole or 0) + Fraction(head or 0) * shift + Fraction(int(period), 10 ** len(period) - 1) * shift
    return Literal(_signed(value, sign))


def _read_scaled(text: str) -> Literal | None:
    """A number in digits and its scale in words."""
    match = _scaled.fullmatch(text)
    number = _read_decimal(match["number"]) or _read_fraction(match["number"]) if match is not None else None
    if match is None or number is None:
        return None
    value = scaled(number.value, match["words"])
    if value is None:
        return None
    step = None if number.step is None else scaled(number.step, match["words"])
    return Literal(value, step, number.digits)


def _signed(value: Fraction, sign: str) -> Fraction:
    return -value if sign == "-" else value
