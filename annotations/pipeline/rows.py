"""What the steps hand on: problems, trajectories, and the claims found in them, a JSON object a line."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from perception_reward.annotations.faults import LineError, RecordFileError
from perception_reward.annotations.model import Provenance
from perception_reward.annotations.outputs import written
from perception_reward.trainer_client.reference import Answer, Choices
from perception_reward.trainer_client.wire import Identifier, Origin

M = TypeVar("M", bound=BaseModel)


class Problem(BaseModel):
    """A question about images, with its reference answer if it has one."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: Identifier
    question: str
    answer: Answer | None = None
    choices: Choices | None = None
    images: list[str] = Field(default_factory=list)
    source: str = ""


class Trajectory(Problem):
    """One chain of thought about a problem, and its answer. sample: which of the model's answers to it."""

    sample: int = 0
    response: str
    provenance: Provenance = Provenance()


class Sighting(BaseModel):
    """One visual statement found in a trajectory. quote: the words that it rests on."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    statement: str
    kind: str = "statement"
    elements: list[str] = Field(default_factory=list)
    quote: str = ""
    origin: Origin = "seen"


class Extracted(Trajectory):
    """A trajectory with its claims, and how they were found."""

    claims: list[Sighting] = Field(default_factory=list[Sighting])
    extraction: Provenance = Provenance()


def read_rows(path: Path, model: type[M]) -> Iterator[M]:
    """The rows of a step's output. Raises `RecordFileError` for a line that is none, and `OSError`."""
    with path.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            yield _row(path, number, line, model)


def _row(path: Path, number: int, line: bytes, model: type[M]) -> M:
    try:
        return model.model_validate_json(line)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"]))
        what = f"has a wrong {where}: {first['msg']}" if where else f"is no {model.__name__.lower()} ({first['msg']})"
        if first["type"] == "missing":
            what = f"has no {where}, which the step before writes; name its output"
        raise RecordFileError(path, [LineError(number, where, what)]) from None


def grouped(path: Path, model: type[M], name: Callable[[M], str]) -> Iterator[list[M]]:
    """The rows of each problem together, in the order of its first row, wherever in the file they stand.

    The file is read twice; memory holds 16 bytes a row. Raises as `read_rows`.
    """
    names, places = list[int](), list[int]()
    groups: dict[int, int] = {}
    at = 0
    with path.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            one = hash(name(_row(path, number, line, model)))
            names.append(groups.setdefault(one, len(groups)))
            places.append(at)
            at += len(line)
    group_of, place_of = np.array(names, np.int64), np.array(places, np.int64)
    del names, places, groups
    order = np.argsort(group_of, kind="stable")
    with path.open("rb") as lines:
        rows: list[M] = []
        for at in order:
            lines.seek(int(place_of[at]))
            row = _row(path, int(at) + 1, lines.readline(), model)
            if rows and name(row) != name(rows[0]):
                yield rows
                rows = []
            rows.append(row)
        if rows:
            yield rows


def to_line(row: BaseModel) -> str:
    """One line, without its end; fields at their defaults are left out."""
    return row.model_dump_json(exclude_defaults=True)


def beside(out: Path, what: str) -> Path:
    """`facts.dropped.jsonl` for `facts.jsonl`."""
    return out.with_name(f"{out.stem}.{what}")


@dataclass(slots=True)
class Outputs:
    """A step's two files while they are written: what goes on, and what is dropped with the reason."""

    keep: Callable[[BaseModel], None]
    drop: Callable[[dict[str, Any], str, str], None]


@contextmanager
def outputs(out: Path, *, replace: bool) -> Generator[Outputs]:
    """`out` and, beside it, what is dropped: both whole or not at all."""
    with ExitStack() as stack:
        dropped_part = stack.enter_context(written(beside(out, "dropped.jsonl"), replace=True))
        part = stack.enter_context(written(out, replace=replace))
        kept = stack.enter_context(part.open("w", encoding="utf-8", errors="surrogatepass"))
        dropped = stack.enter_context(dropped_part.open("w", encoding="utf-8", errors="surrogatepass"))

        def drop(row: dict[str, Any], why: str, detail: str) -> None:
            told = {**row, "reason": why, **({"detail": detail} if detail else {})}
            dropped.write(json.dumps(told, ensure_ascii=False) + "\n")

        def keep(row: BaseModel) -> None:
            kept.write(to_line(row) + "\n")

        yield Outputs(keep, drop)


def count_lines(path: Path) -> int:
    """Lines of a file, for progress."""
    with path.open("rb") as raw:
        return sum(block.count(b"\n") for block in iter(lambda: raw.read(1 << 20), b""))


def identity(rows: Iterable[Problem]) -> dict[str, Any]:
    """What names a row among those that are dropped."""
    first = next(iter(rows))
    return {"id": first.id, **({"sample": first.sample} if isinstance(first, Trajectory) else {})}
