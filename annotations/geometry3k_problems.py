"""Geometry3K's problems as InterGPS unpacks them: train/17/data.json, and train/17/img_diagram.png beside it.

A problem is asked openly, as Perception-R1 asks it: the choice that is right is the answer, the others are left out.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

LETTERS = "ABCD"
IMAGE = "img_diagram.png"


@dataclass(frozen=True, slots=True)
class Asked:
    """What a problem asks; `image` is relative to the folder that all splits are in."""

    question: str
    answer: str
    image: str


def read_problem(folder: Path, place: str) -> Asked:
    """The problem at `place`, such as `train/17`, below `folder`. Raises `ValueError` for none that is whole."""
    try:
        found: object = json.loads((folder / place / "data.json").read_bytes())
    except (OSError, ValueError):
        raise ValueError(f"has no readable {place}/data.json") from None
    told = cast("dict[str, Any]", found) if isinstance(found, dict) else {}
    # The same text with "AB" for "A B", which the policy and the search for given facts read better.
    question = told.get("compact_text") or told.get("problem_text")
    letter, choices = told.get("answer"), cast("list[object] | None", told.get("choices"))
    if not isinstance(question, str) or not isinstance(choices, list) or not isinstance(letter, str):
        raise ValueError(f"has no text, no choices or no answer in {place}/data.json")
    chosen = LETTERS.find(letter) if len(letter) == 1 else -1
    if not 0 <= chosen < len(choices):
        raise ValueError(f"has the answer {letter!r} in {place}/data.json, which is no choice")
    if not (folder / place / IMAGE).is_file():
        raise ValueError(f"has no {place}/{IMAGE}")
    return Asked(question, str(choices[chosen]), f"{place}/{IMAGE}")
