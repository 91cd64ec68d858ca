"""Words cut to what their forms share."""

from __future__ import annotations


def stem(word: str) -> str:
    """Crude, and the same for "measures", "measured" and "measuring"."""
    for ending in ("ing", "ed", "es", "s"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            word = word[: -len(ending)]
            break
    return word.removesuffix("e") if len(word) > 3 else word
