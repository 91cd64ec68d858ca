from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from perception_reward.annotations.geometry3k_problems import IMAGE, Asked, read_problem

WHOLE = {"problem_text": "Find x.", "choices": ["4", "9", "2 \\sqrt 3", "1"], "answer": "C"}


def written(root: Path, problem: Any, image: bool = True) -> Path:
    folder = root / "val" / "2101"
    folder.mkdir(parents=True)
    (folder / "data.json").write_text(json.dumps(problem))
    if image:
        (folder / IMAGE).write_bytes(b"")
    return root


def test_the_right_choice_is_the_answer(tmp_path: Path) -> None:
    asked = read_problem(written(tmp_path, WHOLE), "val/2101")
    assert asked == Asked("Find x.", "2 \\sqrt 3", f"val/2101/{IMAGE}")


@pytest.mark.parametrize(
    ("problem", "why"),
    [
        ([], "no text, no choices or no answer"),
        ({**WHOLE, "problem_text": None}, "no text"),
        ({**WHOLE, "choices": "4"}, "no choices"),
        ({**WHOLE, "answer": ""}, "the answer '' in val/2101/data.json, which is no choice"),
        ({**WHOLE, "answer": "AB"}, "which is no choice"),
        ({**WHOLE, "choices": ["4"]}, "the answer 'C'"),
    ],
)
def test_a_problem_that_is_not_whole_says_what_it_lacks(tmp_path: Path, problem: Any, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        read_problem(written(tmp_path, problem), "val/2101")


def test_a_problem_without_its_diagram_is_not_whole(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=IMAGE):
        read_problem(written(tmp_path, WHOLE, image=False), "val/2101")
