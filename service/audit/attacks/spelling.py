"""Other characters for the same text: what a reader sees may stay, what a program reads does not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

Spelling = Literal["plain", "fullwidth", "homoglyph", "zero-width", "tag", "reversed"]

_ZERO_WIDTH = "\u200b\u200c\u200d\u2060"
# Cyrillic and Greek letters drawn like Latin ones.
_LOOK_ALIKES = str.maketrans(
    "ABCEHIJKMNOPSTXYZaceijopsxy",
    "\u0410\u0412\u0421\u0415\u041d\u0406\u0408\u041a\u041c\u039d\u041e\u0420\u0405\u0422\u0425\u03a5\u0396"
    "\u0430\u0441\u0435\u0456\u0458\u043e\u0440\u0455\u0445\u0443",
)


def _fullwidth(text: str) -> str:
    return "".join(chr(ord(letter) + 0xFEE0) if "!" <= letter <= "~" else letter for letter in text)


def _zero_width(text: str) -> str:
    return "".join(letter + _ZERO_WIDTH[at % len(_ZERO_WIDTH)] for at, letter in enumerate(text))


def _tag(text: str) -> str:
    return "".join(chr(0xE0000 + ord(letter)) for letter in text if " " <= letter <= "~")


def _reversed(text: str) -> str:
    return f"\u202e{text[::-1]}\u202c"


SPELLINGS: Mapping[Spelling, Callable[[str], str]] = {
    "plain": lambda text: text,
    "fullwidth": _fullwidth,
    "homoglyph": lambda text: text.translate(_LOOK_ALIKES),
    "zero-width": _zero_width,
    "tag": _tag,
    "reversed": _reversed,
}
