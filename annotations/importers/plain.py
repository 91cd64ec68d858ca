"""Any rows with facts in a column: JSON Lines, JSON, CSV or Parquet; `--map` says how the columns are named.

    perception-reward annotations import plain rows.csv out.jsonl --map id=uid --map facts=visual_facts

Facts are a list of sentences, a list of objects as an annotation has them, or text with a sentence a line (numbers and
bullets before it are dropped), which may be that list in JSON.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any, cast, get_args

from perception_reward.annotations.faults import Record
from perception_reward.annotations.importers.model import Draft, Importer, Problem, Refused, optional, text, texts_in
from perception_reward.annotations.importers.sources import records
from perception_reward.trainer_client.reference import Answer, Choices
from perception_reward.trainer_client.wire import Origin, Polarity

COLUMNS = ("id", "question", "answer", "choices", "images", "facts", "source", "kind", "origin")
_BULLET = re.compile(r"\s*(?:[-*•]|\(?\d{1,3}[.):])\s+")


def make(row: Record) -> Problem:
    """A row as it is named. Raises `Refused` for one without an id or facts."""
    found = row.get("facts")
    if isinstance(found, str) and found.lstrip().startswith("["):
        try:
            found = json.loads(found)
        except ValueError:
            raise Refused("has facts that begin as a list in JSON and are none", found) from None
    problem = Problem(
        id=text(row, "id"),
        question=optional(row, "question"),
        answer=cast("Answer | None", row.get("answer")),
        choices=cast("Choices | None", row.get("choices")),
        images=texts_in(row.get("images") or []),
        source=optional(row, "source") or "",
    )
    entries = cast("list[object]", found) if isinstance(found, list) else str(found or "").splitlines()
    problem.drafts += _drafts(entries, row, problem)
    if not problem.drafts:
        raise Refused("has no facts")
    return problem


def _drafts(entries: Sequence[object], row: Record, problem: Problem) -> Iterator[Draft]:
    kind, origin = optional(row, "kind") or "statement", optional(row, "origin") or "seen"
    for entry in entries:
        fields = cast("dict[str, Any]", entry) if isinstance(entry, dict) else {"text": entry}
        words = fields.get("text")
        if not isinstance(words, str):
            problem.refused.append(Refused("is no text", str(cast("object", entry))))
            continue
        words = words.strip() if isinstance(entry, dict) else _BULLET.sub("", words, count=1).strip()
        where, polarity = fields.get("origin", origin), fields.get("polarity", "present")
        if where not in get_args(Origin) or polarity not in get_args(Polarity):
            problem.refused.append(Refused("has an origin or a polarity that is not known", f"{where}, {polarity}"))
        elif words:
            yield Draft(words, str(fields.get("kind") or kind), cast(Origin, where), cast(Polarity, polarity))


PLAIN = Importer(
    "plain",
    "rows with facts in a column: JSON Lines, JSON, CSV or Parquet; --map names the columns",
    ("as they say", "statement"),
    records(*COLUMNS, nested=("choices",)),
    make,
    COLUMNS,
)
