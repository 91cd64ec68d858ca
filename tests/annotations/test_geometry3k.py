from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from perception_reward.annotations.geometry3k import import_problems

ROW = {
    "id": "made-up-1",
    "split": "train",
    "question": "As shown, PQ=7, QR=x+2 and RS is parallel to PQ. Find x.",
    "answer": "5",
    "logic_forms": [
        "Equals(LengthOf(Line(P, Q)), 7)",
        "Equals(LengthOf(Line(R,Q)), 2+x) ",
        "Equals(MeasureOf(Angle(P, Q, R)), 40)",
        "PointLiesOnLine(T, Line(P, Q))",
        "Parallel(Line(R, S), Line(Q, P))",
    ],
    "source": "a book",
}


@pytest.fixture
def rows_file(tmp_path: Path) -> Callable[..., Path]:
    def write(*rows: Any) -> Path:
        path = tmp_path / "rows.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        return path

    return write


def test_a_row_becomes_an_annotation_with_facts_in_english(rows_file: Callable[..., Path]) -> None:
    (annotation,) = import_problems(rows_file(ROW)).annotations
    assert annotation.id == "made-up-1"
    assert annotation.answer == "5"
    assert annotation.provenance is not None
    assert annotation.provenance.source == "a book"
    assert [(fact.id, fact.kind, fact.origin, fact.text) for fact in annotation.facts] == [
        ("f1", "length", "given", "Segment PQ has length 7."),
        ("f2", "length", "given", "Segment RQ has length 2 + x."),
        ("f3", "angle", "seen", "Angle PQR measures 40 degrees."),
        ("f4", "on_line", "seen", "Point T lies on line PQ."),
        ("f5", "parallel", "given", "RS is parallel to QP."),
    ]


def test_fact_ids_do_not_change_with_the_kinds_that_are_selected(rows_file: Callable[..., Path]) -> None:
    result = import_problems(rows_file(ROW), kinds={"angle", "parallel"})
    assert [fact.id for fact in result.annotations[0].facts] == ["f3", "f5"]
    assert result.report.not_selected == {"length": 2, "on_line": 1}


def test_every_form_is_a_fact_or_a_line_of_the_report(rows_file: Callable[..., Path]) -> None:
    forms = ["Equals(LengthOf(Line(A, B)), 5)", "Equals(LengthOf(Line(B, A)), 5.0)", "", "Odd(A, B)"]
    report = import_problems(rows_file({"id": "r", "logic_forms": forms})).report
    assert report.forms == 4
    assert report.facts.total() == 1
    assert [str(dropped) for dropped in report.dropped] == [
        "r: '' was left out: the form is empty",
        "r: 'Equals(LengthOf(Line(B, A)), 5.0)' repeats fact f1",
        "r: 'Odd(A, B)' was left out: Odd is not a relation that is imported",
    ]
    assert "3 dropped" in list(report.lines())


def test_two_lengths_of_one_segment_are_both_left_out(rows_file: Callable[..., Path]) -> None:
    forms = ["Equals(LengthOf(Line(A, B)), 5)", "Equals(LengthOf(Line(B, A)), 7)", "Equals(LengthOf(Line(A, B)), x)"]
    result = import_problems(rows_file({"id": "r", "logic_forms": forms}))
    assert [fact.text for fact in result.annotations[0].facts] == ["Segment AB has length x."]
    assert "the row gives this length as 5 and 7" in str(result.report.dropped[0])


def test_several_bare_letters_for_one_angle_are_left_out(rows_file: Callable[..., Path]) -> None:
    forms = [f"Equals(MeasureOf(Angle(A, B, C)), {amount})" for amount in ("l", "n", "40", "2x")]
    (annotation,) = import_problems(rows_file({"id": "r", "logic_forms": forms})).annotations
    assert [fact.id for fact in annotation.facts] == ["f3", "f4"]


def test_a_fact_that_the_question_gives_by_other_points_is_given(rows_file: Callable[..., Path]) -> None:
    forms = ["Equals(MeasureOf(Angle(A, B, Q)), 50)", "PointLiesOnLine(Q, Line(B, C))"]
    row = {"id": "r", "question": "If ∠ABC=50°, find x.", "logic_forms": forms}
    (annotation,) = import_problems(rows_file(row)).annotations
    assert [fact.origin for fact in annotation.facts] == ["given", "seen"]


def test_a_label_at_several_vertices_is_left_out(rows_file: Callable[..., Path]) -> None:
    forms = [f"Equals(MeasureOf(Angle({angle})), MeasureOf(angle {n}))" for angle, n in
             (("A, B, C", 1), ("D, E, F", 1), ("G, B, H", 2))]  # fmt: skip
    result = import_problems(rows_file({"id": "r", "logic_forms": forms}))
    assert [fact.text for fact in result.annotations[0].facts] == ["Angle GBH is labelled 2."]
    assert len(result.report.dropped) == 2


def test_an_arc_through_the_center_is_named_by_its_ends(rows_file: Callable[..., Path]) -> None:
    forms = ["Equals(MeasureOf(Arc(J, O, L)), 58)", "PointLiesOnCircle(J, Circle(O, radius_0_0))"]
    (annotation,) = import_problems(rows_file({"id": "r", "logic_forms": forms})).annotations
    assert annotation.facts[0].text == "Arc JL measures 58 degrees."


def test_a_row_without_forms_is_kept_for_its_answer(rows_file: Callable[..., Path]) -> None:
    result = import_problems(rows_file({"id": "r", "answer": "5", "logic_forms": []}))
    assert result.annotations[0].answer == "5"
    assert result.report.rows_without_facts == 1


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ({"logic_forms": []}, "line 2: the row has no id"),
        ({"id": "x", "logic_forms": None}, "line 2: the row has no list of logic forms"),
        ({"id": "x", "logic_forms": [3]}, "line 2: the row has no list of logic forms"),
        ({"id": "x", "logic_forms": [], "question": 3}, "line 2: the row has a question that is no text"),
        ([], "line 2: the row holds list where a JSON object should be"),
        (ROW, "made-up-1: the row's id comes a second time"),
    ],
)
def test_a_row_that_cannot_be_used_is_reported(rows_file: Callable[..., Path], row: Any, why: str) -> None:
    result = import_problems(rows_file(ROW, row))
    assert len(result.annotations) == 1
    assert [str(dropped) for dropped in result.report.dropped] == [why]


def test_split_and_limit_select_rows(rows_file: Callable[..., Path]) -> None:
    rows = [{"id": f"geometry3k-{n}", "logic_forms": []} for n in (2100, 2101, 2400, 2401, 2402, 9999)]
    path = rows_file(*rows, {"id": "other", "split": "test", "logic_forms": []})

    def ids(**options: Any) -> list[str]:
        return [annotation.id for annotation in import_problems(path, **options).annotations]

    assert ids(split="train") == ["geometry3k-2100"]
    assert ids(split="val") == ["geometry3k-2101", "geometry3k-2400"]
    assert ids(split="test") == ["geometry3k-2401", "geometry3k-2402", "other"]
    assert len(ids(limit=2)) == 2
    assert ids(limit=0) == []


def test_unknown_splits_and_kinds_are_named(rows_file: Callable[..., Path]) -> None:
    with pytest.raises(ValueError, match="unknown split 'dev'; known are train, val, test"):
        import_problems(rows_file(ROW), split="dev")
    with pytest.raises(ValueError, match="unknown kind 'lenght'; known are length, angle"):
        import_problems(rows_file(ROW), kinds=["lenght"])


def test_the_public_file_of_logic_forms_is_read(tmp_path: Path) -> None:
    path = tmp_path / "diagram_logic_forms_annot.json"
    problems = {"7": {"diagram_logic_forms": ["Equals(LengthOf(Line(A, B)), 5)"], "line_instances": ["AB"]}, "8": {}}
    path.write_text(json.dumps(problems))
    result = import_problems(path)
    assert [annotation.id for annotation in result.annotations] == ["geometry3k-7"]
    assert [str(dropped) for dropped in result.report.dropped] == ["8: the row has no list of logic forms"]


def test_question_answer_and_image_come_from_the_problems_of_intergps(tmp_path: Path) -> None:
    forms = tmp_path / "diagram_logic_forms_annot.json"
    facts = {"diagram_logic_forms": ["Equals(LengthOf(Line(A, B)), 5)", "Equals(LengthOf(Line(B, C)), 6)"]}
    forms.write_text(json.dumps({"7": facts, "8": facts, "2101": facts}))
    folder = tmp_path / "train" / "7"
    folder.mkdir(parents=True)
    problem = {"problem_text": "A B = 5. Find x.", "compact_text": "AB = 5. Find x.", "choices": ["4", "9"]}
    (folder / "data.json").write_text(json.dumps({**problem, "answer": "B"}))
    (folder / "img_diagram.png").write_bytes(b"")
    result = import_problems(forms, problems=tmp_path, split="train")
    (annotation,) = result.annotations
    assert (annotation.question, annotation.answer) == ("AB = 5. Find x.", "9")
    assert annotation.images == ["train/7/img_diagram.png"]
    assert [fact.origin for fact in annotation.facts] == ["given", "seen"]
    assert [str(dropped) for dropped in result.report.dropped] == ["8: the row has no readable train/8/data.json"]


def test_a_row_without_a_split_has_no_problem(tmp_path: Path) -> None:
    path = tmp_path / "mine.jsonl"
    path.write_text(json.dumps({"id": "mine", "logic_forms": []}))
    result = import_problems(path, problems=tmp_path)
    assert result.annotations == []
    assert [str(dropped) for dropped in result.report.dropped] == [
        "line 1: the row has no split, so that its problem's folder is not known"
    ]


def test_a_file_of_another_format_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "forms.parquet"
    path.write_text("no table")
    with pytest.raises(ValueError, match="is not JSON Lines, a JSON array, CSV or Parquet"):
        import_problems(path)


def test_an_array_of_rows_is_read_as_lines_are(tmp_path: Path) -> None:
    path = tmp_path / "forms.json"
    path.write_text(json.dumps([{"id": "geo-1", "logic_forms": ["Equals(LengthOf(Line(A, B)), 5)"]}], indent=1))
    (found,) = import_problems(path).annotations
    assert found.facts[0].text == "Segment AB has length 5."


@pytest.mark.parametrize("name", ["annotations.jsonl", "parser_predictions.jsonl"])
def test_every_real_form_is_accounted_for(shared_data: Path, name: str) -> None:
    path = shared_data / "geometry3k" / name
    forms = sum(len(json.loads(line)["logic_forms"]) for line in path.read_text().splitlines())
    report = import_problems(path).report
    assert report.forms == forms
    assert report.facts.total() + len(report.dropped) == forms
    assert report.facts.total() > 0.95 * forms


@pytest.mark.parametrize(
    ("question", "origins"),
    [
        ("PQ=8, QR=x+2. Find x.", ["given", "given", "seen"]),
        ("PQ=x, QR=2*y. Find x.", ["seen", "given", "seen"]),
        ("PQ=y-3. Find y.", ["seen", "seen", "seen"]),
    ],
)
def test_where_the_question_has_another_value_than_the_diagram_the_fact_is_given(
    rows_file: Callable[..., Path], question: str, origins: list[str]
) -> None:
    forms = ["Equals(LengthOf(Line(P, Q)), 7)", "Equals(LengthOf(Line(Q, R)), 2+x)", "Equals(LengthOf(Line(P, R)), 9)"]
    (found,) = import_problems(
        rows_file({**ROW, "question": question, "logic_forms": forms, "answer": "B"})
    ).annotations
    assert [fact.origin for fact in found.facts] == origins


def test_the_original_file_is_an_object_of_problems_by_number(tmp_path: Path) -> None:
    path = tmp_path / "diagram_logic_forms_annot.json"
    for count in (1, 3):
        problems = {str(n): {"diagram_logic_forms": [f"Equals(LengthOf(Line(A, B)), {n + 1})"]} for n in range(count)}
        for indent in (None, 2):
            path.write_text(json.dumps(problems, indent=indent))
            result = import_problems(path)
            assert [one.id for one in result.annotations] == [f"geometry3k-{n}" for n in range(count)]
            assert not result.report.dropped
