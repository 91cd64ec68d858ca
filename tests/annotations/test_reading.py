"""Sentences of `english` are read back as the statements that they were written for."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perception_reward.annotations.english import sentence
from perception_reward.annotations.geometry3k import import_problems
from perception_reward.annotations.language.quantities import read_quantity
from perception_reward.annotations.reading import read_sentence
from perception_reward.annotations.statements import Figure, Statement

AB, CD = Figure("segment", ("A", "B")), Figure("segment", ("C", "D"))
ABC, CIRCLE = Figure("angle", ("A", "B", "C")), Figure("circle", ("O",))


@pytest.mark.parametrize(
    "statement",
    [
        *(
            Statement("length", (AB,), read_quantity(text))
            for text in ("5", "2x^2 - 10", r"3\sqrt{2}", r"5\frac{3}{4}")
        ),
        Statement("length", (Figure("segment", ("A_1", "B'")),), read_quantity("5")),
        Statement("angle", (ABC,), read_quantity("4y - 10")),
        Statement("angle", (Figure("label", ("1",)),), read_quantity("40")),
        Statement("arc", (Figure("minor arc", ("A", "B")),), read_quantity("40")),
        Statement("arc_length", (Figure("arc", ("A", "B")),), read_quantity("4")),
        Statement("radius", (CIRCLE,), read_quantity("4")),
        Statement("area", (Figure("kite", ("A", "B", "C", "D")),), read_quantity("4")),
        Statement("perpendicular", (AB, CD)),
        Statement("parallel", (AB, CD)),
        Statement("tangent", (AB, CIRCLE)),
        Statement("on_line", (Figure("point", ("D",)), AB)),
        Statement("on_circle", (Figure("point", ("D",)), CIRCLE)),
        Statement("label", (ABC, Figure("label", ("1",)))),
        Statement("equal_length", (AB, CD)),
        Statement("equal_angle", (ABC, Figure("angle", ("D", "E", "F")))),
        Statement("equal_arc", (Figure("arc", ("A", "B")), Figure("arc", ("C", "D")))),
        Statement("equal_arc_length", (Figure("arc", ("A", "B")), Figure("arc", ("C", "D")))),
    ],
    ids=lambda statement: sentence(statement),
)
def test_a_written_statement_is_read_back(statement: Statement):
    found = read_sentence(sentence(statement))
    assert found is not None
    assert found.key == statement.key


@pytest.mark.parametrize(
    "text",
    [
        "",
        "There are three dogs.",
        "Segment ABC has length 5.",
        "Segment AB has length five.",
        "Segment AB has length 5",
        "The colour of circle O is 5.",
        "AB is not parallel to CD.",
    ],
)
def test_any_other_text_is_none(text: str):
    assert read_sentence(text) is None


@given(st.text(max_size=100))
def test_no_text_breaks_it(text: str):
    read_sentence(text)


def test_every_imported_fact_is_read_back(shared_data: Path):
    imported = import_problems(shared_data / "geometry3k" / "annotations.jsonl", limit=300)
    texts = [fact.text for annotation in imported.annotations for fact in annotation.facts]
    unread = [text for text in texts if (found := read_sentence(text)) is None or sentence(found) != text]
    assert len(texts) > 1500
    assert unread == [], json.dumps(unread[:20])
