"""Documents: what OCR or people read on each page. FUNSD's forms, Tesseract's tables of words, and pages of rows.

    {"id": "bill", "pages": [{"page": 1, "lines": ["Invoice 17"], "tables": [[["item", "price"], ["pen", "2.50"]]]}]}

gives `It has the text "Invoice 17".` and, of each cell, `In a table, the price of pen is 2.50.`, both of page 1.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, cast

from perception_reward.annotations.faults import Record
from perception_reward.annotations.importers.model import (
    Draft,
    Importer,
    Problem,
    Refused,
    optional,
    quoted,
    records_in,
    text,
    texts_in,
)
from perception_reward.annotations.importers.sources import whole_files

# Words that Tesseract holds for less likely than this, in per cent, are often none.
LEAST_CONFIDENCE = 60.0


def read(content: str) -> Record:
    """A form, a table of words, or pages. Raises `ValueError`."""
    header, _, rest = content.partition("\n")
    names = header.rstrip("\r").split("\t")
    if {"page_num", "text", "conf"} <= set(names):
        words = [dict(zip(names, line.rstrip("\r").split("\t"), strict=False)) for line in rest.split("\n") if line]
        return {"words": words}
    try:
        found: object = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"is neither JSON nor Tesseract's TSV ({error})") from None
    if not isinstance(found, dict):
        raise ValueError("is no JSON object")
    return cast("dict[str, Any]", found)


def make(row: Record) -> Problem:
    """What a document says, and on which page. Raises `Refused` for one of no known layout."""
    problem = Problem(id=text(row, "id"))
    image = optional(row, "image", "file_name")
    problem.images = [image] if image else []
    if isinstance(row.get("form"), list):
        problem.drafts += _form(records_in(row["form"]), problem)
    elif isinstance(row.get("words"), list):
        problem.drafts += _lines(records_in(row["words"]), problem)
    elif isinstance(row.get("pages"), list):
        problem.drafts += _pages(records_in(row["pages"]), problem)
    else:
        raise Refused("has neither form, words nor pages")
    return problem


def _form(entries: list[dict[str, Any]], problem: Problem) -> Iterator[Draft]:
    """A question of the form and the answers that it is linked with are a field; all else is text."""
    by_id = {entry.get("id"): entry for entry in entries}
    answers: dict[Any, list[str]] = {}
    linked: set[Any] = set()
    for entry in entries:
        for link in cast("list[object]", entry.get("linking") or []):
            ends = cast("list[Any]", link) if isinstance(link, list) else []
            if len(ends) == 2 and all(end in by_id for end in ends):
                one, other = by_id[ends[0]], by_id[ends[1]]
                said = optional(other, "text")
                if one.get("label") == "question" and other.get("label") == "answer" and said:
                    if said not in (told := answers.setdefault(ends[0], [])):
                        told.append(said)
                    linked |= {ends[0], ends[1]}
    for entry in entries:
        words = optional(entry, "text")
        if words is None:
            problem.refused.append(Refused("is a box without text", entry.get("id")))
        elif entry.get("id") in answers:
            told = " ".join(answers[entry["id"]])
            yield Draft(f"The field {quoted(words)} holds {quoted(told)}.", "field")
        elif entry.get("id") not in linked:
            what = "heading" if entry.get("label") == "header" else "text"
            yield Draft(f"The document has the {what} {quoted(words)}.", what)


def _lines(words: list[dict[str, Any]], problem: Problem) -> Iterator[Draft]:
    lines: dict[tuple[str, ...], list[str]] = {}
    for word in words:
        shown = str(word.get("text") or "").strip()
        if not shown:
            continue
        try:
            sure = float(word.get("conf") or -1) >= LEAST_CONFIDENCE
        except ValueError:
            sure = False
        if not sure:
            problem.refused.append(Refused("is a word that the OCR is not sure of", shown))
        place = tuple(str(word.get(name)) for name in ("page_num", "block_num", "par_num", "line_num"))
        lines.setdefault(place, []).append(shown if sure else "")
    for place, line in lines.items():
        if all(line):
            yield Draft(f"It has the text {quoted(' '.join(line))}.", "text", page=_page(place[0]))
        else:
            problem.refused.append(Refused("is a line with a word that the OCR is not sure of", " ".join(line)))


def _pages(pages: list[dict[str, Any]], problem: Problem) -> Iterator[Draft]:
    for number, page in enumerate(pages, start=1):
        name = optional(page, "page", "page_number", "number") or str(number)
        yield from (
            Draft(f"It has the text {quoted(line)}.", "text", page=_page(name))
            for line in texts_in(page.get("lines") or page.get("text") or [])
        )
        for table in cast("list[object]", page.get("tables") or []):
            yield from _cells(name, table, problem)


def _cells(page: str, table: object, problem: Problem) -> Iterator[Draft]:
    rows = [
        [str(cell).strip() for cell in cast("list[object]", row)]
        for row in (cast("list[object]", table) if isinstance(table, list) else [])
        if isinstance(row, list)
    ]
    if len(rows) < 2 or len(rows[0]) < 2:
        problem.refused.append(Refused("is a table without a header and a row below it"))
        return
    header, *lines = rows
    for line in lines:
        if len(line) != len(header) or not line[0]:
            problem.refused.append(Refused("is a line of a table that does not fit its header", ", ".join(line)))
            continue
        for column, cell in zip(header[1:], line[1:], strict=True):
            if cell and column:
                yield Draft(f"In a table, the {column} of {line[0]} is {cell}.", "cell", page=_page(page))


def _page(name: str) -> int | None:
    return int(name) if name.isdecimal() and int(name) > 0 else None


DOCUMENTS = Importer(
    "documents",
    "a document in each file: FUNSD's forms, Tesseract's TSV, or pages with lines and tables (JSON)",
    ("text", "heading", "field", "cell"),
    whole_files(read, ".json", ".tsv"),
    make,
)
