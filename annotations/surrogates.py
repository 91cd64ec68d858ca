"""Lone surrogates, which Python's `json` writes and which are no Unicode text, read as U+FFFD.

One character stands for one, so that spans stay true.
"""

from __future__ import annotations

import re
from typing import cast

_LONE_SURROGATE = re.compile(r"[\ud800-\udfff]")


def mended(value: object) -> object:
    """The JSON value, without lone surrogates in its texts and names."""
    if isinstance(value, str):
        return _LONE_SURROGATE.sub("\ufffd", value)
    if isinstance(value, list):
        return [mended(part) for part in cast("list[object]", value)]
    if isinstance(value, dict):
        return {mended(key): mended(part) for key, part in cast("dict[str, object]", value).items()}
    return value
