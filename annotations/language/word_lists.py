"""Lists of words as they are read best: in lines of text.

    words("the a an") == frozenset({"the", "a", "an"})

The longer ones of this package and of the rewards are written so.
"""

from __future__ import annotations


def words(text: str) -> frozenset[str]:
    """The words of a text that blanks and line ends separate."""
    return frozenset(text.split())
