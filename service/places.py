"""Where in a request, or in an item, a fault is."""

from __future__ import annotations

from collections.abc import Sequence

# A name that was sent need not come back whole.
MOST_NAME = 64


def where(location: Sequence[object]) -> str:
    """`("body", "items", 3, "response")` as `items[3].response`.

    A name that was sent is cut to `MOST_NAME` characters. Parts in parentheses are forms of a value, and no names.
    """
    path = ""
    for part in location[1:] if location and location[0] == "body" else location:
        if isinstance(part, int):
            path += f"[{part}]"
        elif not (name := cut(str(part), MOST_NAME)).startswith("("):
            path += f".{name}" if path else name
    return path or "body"


def cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
