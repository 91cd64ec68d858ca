r"""The contents of `\boxed{…}` in a text."""

from __future__ import annotations

import re

LOOKED_AT_CHARACTERS = 100_000
"""A text's end that is searched. Longer texts are attacks, and this runs in the event loop."""

BOXES = ("\\boxed", "\\fbox")

_token = re.compile(
    r"\\(?:fbox|boxed)\s{0,8}\{|\\(?:fbox|boxed)\s{0,8}(?P<bare>[+-]?\d{1,20}(?:\.\d{1,20})?|[A-Za-z](?![A-Za-z]))"
    r"|\\[^a-zA-Z]|[{}]"
)


def boxes(text: str) -> list[str]:
    r"""What the closed outermost boxes hold, stripped, in order. Escaped braces (`\{`) do not count.

    A box without braces (`\boxed 5`) holds the number or letter behind it. A box that is never closed holds nothing.
    Linear in the text's length, without recursion.
    """
    text = text[-LOOKED_AT_CHARACTERS:]
    first = text.find("box")
    found: list[tuple[int, int]] = []
    opened: list[int | None] = []  # where a box's content begins; None for every other brace
    for match in _token.finditer(text, max(0, first - 2)) if first >= 0 else ():
        token = match.group()
        if match["bare"] is not None:
            found.append(match.span("bare"))
        elif token == "{":
            opened.append(None)
        elif len(token) > 2:
            opened.append(match.end())
        elif token == "}" and opened and (begin := opened.pop()) is not None:
            while found and found[-1][0] > begin:
                found.pop()
            found.append((begin, match.start()))
    return [text[begin:end].strip() for begin, end in found]


def has_open_box(text: str) -> bool:
    """Whether a box is opened and never closed, where none is closed."""
    return not boxes(text) and _opened.search(text[-LOOKED_AT_CHARACTERS:]) is not None


_opened = re.compile(r"\\(?:fbox|boxed)\s{0,8}\{")
