from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

Import = Callable[..., Any]

TEXT = "As shown in the figure, AB is parallel to CD, and angle 1 = 40. It touches G. Then angle 2 is ()\nChoices:\nA:1"
VISION = "As shown in the figure, AB is parallel to CD. Then angle 2 is ()\nChoices:\nA:1"


def version(problem: int, name: str, question: str) -> dict[str, Any]:
    return {
        "problem_index": str(problem),
        "problem_version": name,
        "question": question,
        "answer": "A",
        "image": f"{name}_{problem}.png",
        "metadata": {"source": "made up"},
    }


def test_facts_are_what_the_text_adds_and_the_question_is_the_one_that_leaves_them_out(imported: Import):
    rows = [version(4, "Text Dominant", TEXT), version(4, "Text Lite", "x"), version(4, "Vision Dominant", VISION)]
    (annotation,), report = imported("mathverse", json.dumps(rows))
    assert [fact.text for fact in annotation.facts] == ["Angle 1 = 40."]
    assert (annotation.question, annotation.images) == (VISION, ["Vision Dominant_4.png"])
    assert report.refused_facts == {"is a clause that does not stand alone": 1}


def test_problems_without_both_versions_or_a_difference_are_refused(imported: Import):
    rows = [version(1, "Text Only", TEXT), version(2, "Text Dominant", VISION), version(2, "Vision Dominant", VISION)]
    found, report = imported("mathverse", "\n".join(map(json.dumps, rows)))
    assert not found
    assert report.refused_rows == {
        "has no Text Dominant and Vision Dominant version": 1,
        "says nothing more in its text-dominant version": 1,
    }


def test_a_real_problem(imported: Import, real_rows: Path):
    (annotation,), _ = imported("mathverse", real_rows / "mathverse.json")
    assert annotation.question == "Find L."
    assert [fact.text for fact in annotation.facts] == ["A soft drink can has a height of 13 cm and a radius of 3 cm."]
