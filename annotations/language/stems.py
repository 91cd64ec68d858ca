"""Words cut to what their forms share, by Snowball's rules for English.

    stem("measures") == stem("measured") == stem("Measuring") == "measur"

What a word is cut to need be no word itself.
"""

from __future__ import annotations

from functools import lru_cache
from importlib import import_module
from typing import Any

_SNOWBALL: Any = import_module("snowballstemmer")  # it has no types
# No English word is longer; what is, is no word.
_LONGEST = 30


@lru_cache(maxsize=16384)
def stem(word: str) -> str:
    """The stem, in lower case; what is too long to be a word stays as it is."""
    word = word.lower().removesuffix("'s")
    # A stemmer keeps the word that it is at in itself, and evidence is selected in several threads: one a word.
    return word if len(word) > _LONGEST else str(_SNOWBALL.stemmer("english").stemWord(word))
