from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

Import = Callable[..., Any]

PROBLEM: dict[str, Any] = {
    "problem_id": 3,
    "problem_text_en": "As shown in the diagram, AB=2*x-10, M is the midpoint of AB. Find the value of x.",
    "problem_answer": "8",
    "problem_img": "3.png",
    "construction_cdl": ["Shape(AB,BC,CA)", "Collinear(AMB)", "Cocircular(O,AB)"],
    "text_cdl": ["Equal(LengthOfLine(AB),2*x-10)", "IsMidpointOfLine(M,AB)"],
    "image_cdl": [
        "Equal(LengthOfLine(AB),2*x-10)",
        "Equal(MeasureOfAngle(ABC),50)",
        "Equal(MeasureOfArc(OAB),80)",
        "PerpendicularBetweenLine(AC,BC)",
        "Rhombus(ABCD)",
        "Equal(Add(LengthOfLine(AB),LengthOfLine(BC)),9)",
        "Sparkles(A)",
    ],
}


def test_conditions_are_seen_unless_the_text_has_them(imported: Import):
    (annotation,), report = imported("formalgeo", json.dumps(PROBLEM))
    assert annotation.id == "formalgeo-3"
    assert [(fact.kind, fact.origin, fact.text) for fact in annotation.facts] == [
        ("length", "given", "Segment AB has length 2x - 10."),
        ("angle", "seen", "Angle ABC measures 50 degrees."),
        ("arc", "seen", "Arc AB measures 80 degrees."),
        ("perpendicular", "seen", "AC is perpendicular to BC."),
        ("shape", "seen", "ABCD is a rhombus."),
        ("midpoint", "given", "Point M is the midpoint of segment AB."),
        ("on_line", "derived", "Point M lies on line AB."),
        ("on_circle", "seen", "Point A lies on circle O."),
        ("on_circle", "seen", "Point B lies on circle O."),
    ]
    assert report.refused_facts == {
        "is a condition of no known form (Equal(Add)": 1,
        "is a condition of no known form (Sparkles)": 1,
    }


def test_points_that_come_twice_make_no_line(imported: Import):
    problem = PROBLEM | {"construction_cdl": ["Collinear(PJKP)"], "text_cdl": [], "image_cdl": ["Square(ABCD)"]}
    (annotation,), report = imported("formalgeo", json.dumps(problem))
    assert len(annotation.facts) == 1
    assert report.refused_facts.total() == 1


def test_real_problems(imported: Import, real_rows: Path):
    found, report = imported("formalgeo", real_rows / "formalgeo")
    assert len(found) == report.rows == 40
    assert report.facts > 200
