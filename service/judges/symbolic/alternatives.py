"""Whether a statement is offered as one of several: "AB is 5, 6 or 7", "either a rhombus or a kite"."""

from __future__ import annotations

import re

_NO_VALUE = r"(?!(?:so|then|and|but|equivalently|rather|simply)\b)"
_VALUE = rf"(?:an? )?[\"“]?{_NO_VALUE}[\w.√°'-]{{1,20}}[\"”]?(?: ?(?:degrees|units|cm|m)\b)?"
# ", rectangle or kite", " (or 6)": a list that goes on behind a value and ends in an "or".
_GOES_ON = re.compile(rf"[\"”]? ?(?:[,/] ?{_VALUE}){{0,16}},? ?\(?or {_VALUE}(?= ?(?:[,.;)]|$))")


def goes_on(text: str, end: int) -> bool:
    """Whether a list of alternatives to what ends at `end` follows it at once."""
    return _GOES_ON.match(text, end) is not None
