"""Chunks: records that travel together, what comes of them, and how they get from the one to the other.

    chunk = Chunk(file=0, name="rollouts.jsonl", unit="line", records=[(1, {…}), (2, {…})], …)
    scored = await score_chunk(chunk, Asking(layout), scoring)
    scored.lines, scored.missing, scored.tally

The same function serves the command in its own process, its lanes, and the actors of Ray.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from perception_reward.annotations.faults import LineError, Record, said
from perception_reward.service.batch.layouts import Layout
from perception_reward.service.batch.results import line_of, packed_rows, row_of
from perception_reward.service.batch.rollouts import Rollout, read_rollouts
from perception_reward.service.batch.tally import Tally
from perception_reward.trainer_client.errors import InvalidItem
from perception_reward.trainer_client.missing import missing_result
from perception_reward.trainer_client.wire import ItemResult, ScoreItem, ScoreRequest

if TYPE_CHECKING:
    from perception_reward.service.assembly import Service
    from perception_reward.trainer_client.client import RewardClient

# The label of these items in logs: what a run is told, it is told once.
RUN = "rollouts"
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


class Scoring(Protocol):
    """Whoever turns items into results, in their order; what cannot be scored is missing."""

    async def score(self, items: Sequence[ScoreItem], step: int | None) -> Sequence[ItemResult]: ...


class ServiceScoring:
    """By the parts of a service in this process."""

    def __init__(self, service: Service, prefix: str | None = None) -> None:
        self._service = service
        self._prefix = prefix

    async def score(self, items: Sequence[ScoreItem], step: int | None) -> Sequence[ItemResult]:
        deadline = asyncio.get_running_loop().time() + self._service.settings.request_timeout
        request = ScoreRequest(items=list(items), step=step, run=RUN, prefix=self._prefix)
        return (await self._service.scorer.score(request, deadline)).results


class UrlScoring:
    """By running services: they share the load, and the client leaves one alone that fails."""

    def __init__(self, client: RewardClient) -> None:
        self._client = client

    async def score(self, items: Sequence[ScoreItem], step: int | None) -> Sequence[ItemResult]:
        """Raises `ServiceUnavailable` where none has ever answered, and `RequestRefused`."""
        try:
            return await self._client.score(items, step=step)
        except InvalidItem as error:
            # A service of another release may refuse what this one would take: that item alone is lost by it.
            if error.index is None:
                raise
            place = error.index
        found: list[ItemResult] = []
        for part in (items[:place], items[place + 1 :]):
            found += await self.score(part, step) if part else ()
        found.insert(place, missing_result(items[place].id, "service_unavailable"))
        return found


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
    if asking.table:
        written = packed_rows([row_of(*pair, asking.step, explain=asking.explain) for pair in pairs])
    else:
        written = "".join(line_of(*pair, asking.step, explain=asking.explain) for pair in pairs).encode()
    return Scored([written] if pairs else [], len(pairs), tally, missing)


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
