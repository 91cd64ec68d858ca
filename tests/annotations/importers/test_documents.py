from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

Import = Callable[..., Any]

HEADER = "level\tpage_num\tblock_num\tpar_num\tline_num\tword_num\tleft\ttop\twidth\theight\tconf\ttext\n"


def test_a_form_has_fields_headings_and_text(imported: Import):
    form = [
        {"id": 0, "text": "Date:", "label": "question", "linking": [[0, 1], [0, 2]]},
        {"id": 1, "text": "4 May", "label": "answer", "linking": [[0, 1]]},
        {"id": 2, "text": "1999", "label": "answer", "linking": [[0, 2]]},
        {"id": 3, "text": "A MADE-UP FORM", "label": "header", "linking": []},
        {"id": 4, "text": "", "label": "other", "linking": [[4, 9]]},
        {"id": 5, "text": "page 1", "label": "other", "linking": []},
    ]
    (annotation,), report = imported("documents", json.dumps({"form": form}), "form.json")
    assert [(fact.kind, fact.text) for fact in annotation.facts] == [
        ("field", 'The field "Date:" holds "4 May 1999".'),
        ("heading", 'The document has the heading "A MADE-UP FORM".'),
        ("text", 'The document has the text "page 1".'),
    ]
    assert report.refused_facts == {"is a box without text": 1}


def test_words_that_an_ocr_is_sure_of_make_lines_on_their_pages(imported: Import):
    words = "5\t1\t1\t1\t1\t1\t1\t1\t9\t9\t96\tTotal\n5\t1\t1\t1\t1\t2\t1\t1\t9\t9\t91.5\t42\n"
    words += "5\t2\t1\t1\t1\t1\t1\t1\t9\t9\t95\tPaid\n5\t2\t1\t1\t1\t2\t1\t1\t9\t9\t12\tl0\n"
    words += "4\t2\t1\t1\t2\t0\t1\t1\t9\t9\t-1\t\n"
    (annotation,), report = imported("documents", HEADER + words, "scan.tsv")
    assert [fact.claim for fact in annotation.facts] == ['On page 1: It has the text "Total 42".']
    assert report.refused_facts == {
        "is a word that the OCR is not sure of": 1,
        "is a line with a word that the OCR is not sure of": 1,
    }


def test_cells_of_tables_name_their_page_row_and_column(imported: Import):
    page = {"page": 3, "lines": ["Stock"], "tables": [[["item", "price"], ["pen", "2.50"], ["ink"], ["nib", ""]], [[]]]}
    (annotation,), report = imported("documents", json.dumps({"id": "shop", "pages": [page]}), "x.json")
    assert [fact.claim for fact in annotation.facts] == [
        'On page 3: It has the text "Stock".',
        "On page 3: In a table, the price of pen is 2.50.",
    ]
    assert annotation.id == "shop"
    assert report.refused_facts == {
        "is a line of a table that does not fit its header": 1,
        "is a table without a header and a row below it": 1,
    }


def test_files_of_no_known_layout_are_refused(imported: Import):
    found, report = imported("documents", {"a.json": "[]", "b.json": "{}", "c.tsv": "x\ty\n1\t2\n"})
    assert not found
    assert report.refused_rows == {"cannot be read": 2, "has neither form, words nor pages": 1}


def test_a_real_page(imported: Import, real_rows: Path):
    (annotation,), _ = imported("documents", real_rows / "documents")
    (fact,) = annotation.facts
    assert (fact.text, fact.page) == ('It has the text "No one would have believed".', 1)
