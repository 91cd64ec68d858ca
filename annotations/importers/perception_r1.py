"""The data of Perception-R1's public code: `visual_key_info` holds a problem's facts, each in a numbered tag.

    <info1>AB = 5.</info1>
    <info2>AB is perpendicular to BC.</info2>

Facts are those in tags that are closed by themselves, and numbered from 1 without a gap; whatever else stands there is
told. Nothing in these rows says whether a fact is seen: `annotations mark-given` asks what the question says alone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import cast

from perception_reward.annotations.faults import Record
from perception_reward.annotations.importers.model import Draft, Importer, Problem, Refused, optional, texts_in
from perception_reward.annotations.importers.sources import records
from perception_reward.trainer_client.reference import Answer

COLUMNS = ("id", "annotation_id", "problem", "question", "answer", "solution", "visual_key_info", "images")
_TAG = re.compile(r"<(/?)info(\d{1,4})>", re.IGNORECASE)


def make(row: Record) -> Problem:
    """A row's facts. Raises `Refused` for one without a fact in tags."""
    info = row.get("visual_key_info")
    if not isinstance(info, str) or not info.strip():
        raise Refused("has no visual_key_info")
    problem = Problem(
        id=optional(row, "annotation_id", "id") or f"{row.get('file', 'row')}-{row.get('row', '')}",
        question=optional(row, "problem", "question"),
        answer=_answer(row),
        images=texts_in(row.get("images") or []),
    )
    problem.drafts += (Draft(fact, "statement") for fact in _tagged(info, problem))
    if not problem.drafts:
        raise Refused("has no fact in tags", info[:80])
    return problem


def _answer(row: Record) -> Answer | None:
    """The reference; of a label in JSON, its answer."""
    found = optional(row, "answer", "solution")
    if found is not None and found.startswith("{"):
        try:
            label: object = json.loads(found)
        except ValueError:
            return found
        inner = cast("dict[str, object]", label).get("answer") if isinstance(label, dict) else None
        return cast(Answer, inner) if isinstance(inner, str | int | float | list) else found
    return found


def _tagged(info: str, problem: Problem) -> Iterator[str]:
    opened: re.Match[str] | None = None
    expected, end = 1, 0
    for tag in _TAG.finditer(info):
        between, number = info[end : tag.start()].strip(), int(tag[2])
        end = tag.end()
        if not tag[1]:
            if opened is not None:
                problem.refused.append(Refused("is in a tag that is not closed", f"<info{opened[2]}>{between}"))
            elif between:
                problem.refused.append(Refused("stands outside the tags", between))
            opened = tag
        elif opened is None:
            problem.refused.append(Refused("ends in a tag that was not opened", f"{between}</info{number}>"))
        else:
            first, opened = int(opened[2]), None
            if number != first:
                problem.refused.append(Refused("has an end tag of another number", f"<info{first}>…</info{number}>"))
            elif not between:
                problem.refused.append(Refused("is empty", f"<info{first}>"))
            else:
                if first != expected:
                    problem.refused.append(Refused("is numbered out of order, and kept", f"<info{first}>"))
                yield between
            expected = first + 1
    if opened is not None:
        problem.refused.append(Refused("is in a tag that is not closed", f"<info{opened[2]}>{info[end:].strip()}"))
    elif info[end:].strip():
        problem.refused.append(Refused("stands outside the tags", info[end:].strip()))


PERCEPTION_R1 = Importer(
    "perception-r1",
    "Parquet of Perception-R1's code: problem, answer, images and visual_key_info with its <info> tags",
    ("statement",),
    # Images that are bytes are not asked for, and so not read.
    records(*(name for name in COLUMNS if name != "images")),
    make,
    COLUMNS,
)
