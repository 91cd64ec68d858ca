"""Chunks: records that travel together, what comes of them, and how they get from the one to the other.

    chunk = Chunk(file=0, name="rollouts.jsonl", unit="line", records=[(1, {…}), (2, {…})], …)
    scored = await score_chunk(chunk, Asking(layout), scoring)
    scored.lines, scored.missing, scored.tally

The same function serves the command in its own process, its lanes, and the actors of Ray.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from perception_reward.annotations.faults import LineError, Record, said
from perception_reward.service.batch.layouts import Layout
from perception_reward.service.batch.results import Explanation, explanation, line_of, packed_rows, row_of
from perception_reward.service.batch.rollouts import Rollout, read_rollouts
from perception_reward.service.batch.scorings import Scoring
from perception_reward.trainer_client.wire import ItemResult


@dataclass(slots=True)
class Tally:
    """Counts and sums over results. `sums` and `given` are by component, and by `score`."""

    items: int = 0
    reasons: Counter[str] = field(default_factory=Counter[str])
    given: Counter[str] = field(default_factory=Counter[str])
    sums: dict[str, float] = field(default_factory=dict[str, float])

    def add(self, results: Iterable[ItemResult]) -> None:
        for result in results:
            self.items += 1
            if result.score is None:
                self.reasons[result.reason or "unknown"] += 1
            for name, value in {**result.components, "score": result.score}.items():
                self.sums.setdefault(name, 0.0)
                if value is not None:
                    self.given[name] += 1
                    self.sums[name] += value

    def merge(self, other: Tally) -> None:
        self.items += other.items
        self.reasons.update(other.reasons)
        self.given.update(other.given)
        for name, total in other.sums.items():
            self.sums[name] = self.sums.get(name, 0.0) + total

    def to_json(self) -> dict[str, Any]:
        return {"items": self.items, "reasons": self.reasons, "given": self.given, "sums": self.sums}

    @classmethod
    def of_json(cls, told: Mapping[str, Any]) -> Tally:
        return cls(told["items"], Counter(told["reasons"]), Counter(told["given"]), dict(told["sums"]))

    @property
    def missing(self) -> int:
        return self.reasons.total()

    def mean(self, name: str) -> float | None:
        """Over the items that have it; None where none has."""
        return self.sums[name] / self.given[name] if self.given[name] else None


# Why a row of the side table has no result: its record could not be read.
UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Chunk:
    """records: by their places in the file. unit: what the places count. end: the file and the place that a run goes
    on behind, once this is written."""

    file: int
    name: str
    unit: str
    layout: Layout
    records: Sequence[tuple[int, Record | LineError]]
    end: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Asking:
    """What is asked of every chunk alike. step: of rollouts whose file names none, or of all where `all_steps`."""

    step: int | None = None
    explain: bool = False
    table: bool = False


@dataclass(slots=True)
class Scored:
    """What a chunk came to. results: pieces of JSON Lines, or streams of Arrow. missing: rows of the side table, whose
    `line` counts the chunk's results from 0."""

    results: list[bytes]
    count: int
    tally: Tally
    missing: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])


Answered: TypeAlias = tuple[int, Rollout, ItemResult] | tuple[int, LineError, None]


async def answers(chunk: Chunk, asking: Asking, scoring: Scoring) -> list[Answered]:
    """Its rollouts and faulty records in order, by their places, with the results of the rollouts."""
    found = [one for place, record in chunk.records for one in _read(place, record, chunk.layout)]
    results = iter(await _scored([one for _, one in found if isinstance(one, Rollout)], asking, scoring))
    return [(place, one, next(results)) if isinstance(one, Rollout) else (place, one, None) for place, one in found]


async def score_chunk(chunk: Chunk, asking: Asking, scoring: Scoring) -> Scored:
    """Read its rollouts, have them scored, and write what comes of it."""
    pairs: list[tuple[Rollout, ItemResult]] = []
    missing: list[dict[str, Any]] = []
    for place, one, result in await answers(chunk, asking, scoring):
        if isinstance(one, LineError) or result is None:
            missing.append(_unread(chunk, place, one))
            continue
        if result.status == "missing":
            missing.append(_missing(chunk, place, len(pairs), result, one, asking))
        pairs.append((one, result))
    tally = Tally()
    tally.add(result for _, result in pairs)
    explained = await explanations(pairs, asking, scoring)
    lines = ((*pair, asking.step, told) for pair, told in zip(pairs, explained, strict=True))
    if asking.table:
        written = packed_rows([row_of(*line) for line in lines])
    else:
        written = "".join(line_of(*line) for line in lines).encode()
    return Scored([written] if pairs else [], len(pairs), tally, missing)


async def explanations(
    pairs: Sequence[tuple[Rollout, ItemResult]], asking: Asking, scoring: Scoring
) -> list[Explanation | None]:
    """With `--explain` what a reader needs beside each result, else None for each."""
    if not asking.explain:
        return [None] * len(pairs)
    named = [rollout.item.annotation_id for rollout, _ in pairs]
    known = await scoring.annotations({name for name in named if name is not None})
    return [explanation(*pair, known.get(name or "")) for pair, name in zip(pairs, named, strict=True)]


def _read(place: int, record: Record | LineError, layout: Layout) -> Iterator[tuple[int, Rollout | LineError]]:
    found = [record] if isinstance(record, LineError) else read_rollouts(place, record, layout)
    return ((place, one) for one in found)


async def _scored(rollouts: Sequence[Rollout], asking: Asking, scoring: Scoring) -> list[ItemResult]:
    """One request for each step, because a profile may follow the steps."""
    by_step: dict[int | None, list[int]] = {}
    for number, rollout in enumerate(rollouts):
        by_step.setdefault(rollout.step if asking.step is None else asking.step, []).append(number)
    found: dict[int, ItemResult] = {}
    for step, numbers in by_step.items():
        answer = await scoring.score([rollouts[number].item for number in numbers], step)
        found.update(zip(numbers, answer, strict=True))
    return [found[number] for number in range(len(rollouts))]


def _unread(chunk: Chunk, place: int, fault: Any) -> dict[str, Any]:
    return {
        "line": None,
        "id": None,
        "reason": UNREADABLE,
        "place": f"{chunk.name} {chunk.unit} {place}",
        "message": said(chunk.name, chunk.unit, fault),
    }


def _missing(
    chunk: Chunk, place: int, line: int, result: ItemResult, rollout: Rollout, asking: Asking
) -> dict[str, Any]:
    """With all that asking again needs."""
    return {
        "line": line,
        "id": result.id,
        "reason": result.reason,
        "place": f"{chunk.name} {chunk.unit} {place}",
        "step": rollout.step if asking.step is None else asking.step,
        "group": rollout.group,
        "item": json.loads(rollout.item.model_dump_json(exclude_unset=True)),
        "extra": json.loads(json.dumps(rollout.extra, default=str)),
    }
