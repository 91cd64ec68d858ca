"""Numbers in Chinese characters: `一百零五`, `三分之二`, `百分之50`, `第三`, `半`, `两万`."""

from __future__ import annotations

import re
from fractions import Fraction

from perception_reward.annotations.language.english_numbers import Number

_DIGITS = {digit: value for value, digit in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2, "兩": 2}
_PLACES = {"十": 10, "百": 100, "千": 1000}
MYRIADS = {"万": 10**4, "萬": 10**4, "亿": 10**8, "億": 10**8}
CHARACTERS = "零〇一二两兩三四五六七八九十百千万萬亿億"
CHINESE = re.compile(f"[{CHARACTERS}]{{1,16}}")
_CHINESE_FRACTION = re.compile(rf"(?:[{CHARACTERS}]{{1,16}}|\d{{1,9}})分之(?:[{CHARACTERS}]{{1,16}}|\d{{1,9}})")

_PLACE_DIGITS = re.compile(r"\d{1,9}")


def in_chinese(text: str, start: int) -> Number | None:
    """The longest number that begins at `start`, or None where none does."""
    if text.startswith("半", start):
        return Number(Fraction(1, 2), start, start + 1, "fraction")
    if match := _CHINESE_FRACTION.match(text, start):
        under, _, over = match[0].partition("分之")
        bottom, top = 100 if under == "百" else _integer(under), _integer(over)
        return Number(Fraction(top, bottom), start, match.end(), "fraction") if bottom and top is not None else None
    place = text.startswith("第", start)
    run = _PLACE_DIGITS.match(text, start + 1) if place else None
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
        elif char in MYRIADS and section + digit:
            total = (total + section + digit) * MYRIADS[char]
            section, digit, least = 0, 0, 10**9
        else:
            return None
    return total + section + digit
