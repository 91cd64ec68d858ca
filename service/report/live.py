"""Figures of results while they come in: what a run has come to by now, and what it came to lately.

history = History(window=600)
history.add(time.monotonic(), of_metrics(samples(text), "geo3k-7b"))
history.now.mean("accuracy"), history.lately().mean("accuracy")
"""

from __future__ import annotations

import json
from collections import Counter, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from glob import glob, has_magic
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO, TypeVar, cast

from perception_reward.annotations.faults import RecordFileError
from perception_reward.annotations.files import GZIP, ZSTD, AnyFile
from perception_reward.service.batch.inputs import inputs_of
from perception_reward.service.report.compare import Rule
from perception_reward.service.report.rows import SIDE, Results, Row, row_of

Key = TypeVar("Key")

PREFIX = "perception_reward_"
PARQUET = b"PAR1"
# Bytes read of a file before figures are shown again, so that a long file shows its beginning soon.
MOST_BYTES = 16 * 1024 * 1024
# Characters of a line of results; what is longer is no line.
LONGEST = 64 * 1024 * 1024


class NotResults(ValueError):
    """A source does not hold what `watch` looks for; the message says what it is."""


@dataclass(frozen=True, slots=True)
class Figures:
    """Counts and sums of a run, from its beginning on. quadrants: (answered right, saw right); of a file alone."""

    items: float = 0
    missing: Mapping[str, float] = field(default_factory=dict[str, float])
    sums: Mapping[str, float] = field(default_factory=dict[str, float])
    counts: Mapping[str, float] = field(default_factory=dict[str, float])
    quadrants: Mapping[tuple[bool, bool], float] = field(default_factory=dict[tuple[bool, bool], float])

    def mean(self, measure: str) -> float | None:
        """Over the items that have it; None where none has."""
        count = self.counts.get(measure, 0)
        return self.sums.get(measure, 0.0) / count if count > 0 else None

    def plus(self, other: Figures, sign: int = 1) -> Figures:
        """Of both."""
        return Figures(
            self.items + sign * other.items,
            _added(self.missing, other.missing, sign),
            _added(self.sums, other.sums, sign),
            _added(self.counts, other.counts, sign),
            _added(self.quadrants, other.quadrants, sign),
        )

    def since(self, then: Figures) -> Figures:
        """What has come since."""
        return self.plus(then, -1)


class History:
    """The figures of the last `window` seconds, and those before them.

    A service that was started again counts from 0 again: what it had counted before is forgotten with it.
    """

    def __init__(self, window: float) -> None:
        self._window = window
        self._seen: deque[tuple[float, Figures]] = deque()
        self.restarts = 0

    @property
    def now(self) -> Figures:
        return self._seen[-1][1] if self._seen else Figures()

    def add(self, at: float, figures: Figures) -> None:
        if figures.items < self.now.items:
            self.restarts += 1
            self._seen.clear()
        self._seen.append((at, figures))
        while len(self._seen) > 2 and self._seen[1][0] <= at - self._window:
            self._seen.popleft()

    def lately(self) -> Figures:
        """Within the window."""
        return self.now.since(self._seen[0][1]) if self._seen else Figures()

    def rate(self) -> float:
        """Items a second within the window."""
        seconds = self._seen[-1][0] - self._seen[0][0] if self._seen else 0.0
        return self.lately().items / seconds if seconds > 0 else 0.0

    def course(self, measure: str, points: int = 24) -> list[float]:
        """Means of the items between one look and the next, of looks in which some came, the last `points` of them."""
        seen = [figures for _, figures in self._seen]
        steps = [after.since(before) for before, after in pairwise(seen)]
        return [mean for step in steps if (mean := step.mean(measure)) is not None][-points:]


def of_metrics(samples: Iterable[tuple[str, Mapping[str, str], float]], run: str | None) -> tuple[Figures, set[str]]:
    """The figures of a run in what `/metrics` says, of all runs where it is None; and the names of the runs.

    A service counts components and missing scores, but has no sum of scores, which can be negative.
    """
    items, runs = 0.0, set[str]()
    missing, sums, counts = Counter[str](), Counter[str](), Counter[str]()
    for name, labels, value in samples:
        short, label = name.removeprefix(PREFIX), labels.get("run")
        if label is None:
            continue
        runs.add(label)
        if run not in (None, label):
            continue
        if short == "items_total":
            items += value
        elif short == "missing_total":
            missing[labels["reason"]] += value  # pyright: ignore[reportArgumentType]
        elif short == "run_component_sum":
            sums[labels["component"]] += value  # pyright: ignore[reportArgumentType]
        elif short == "run_component_items_total":
            counts[labels["component"]] += value  # pyright: ignore[reportArgumentType]
    return Figures(items, dict(missing), dict(sums), dict(counts)), runs


class Growing:
    """Results that are being written: RESULTS, or RESULTS.part until it is whole; or a folder or glob of such files.

    Of JSON Lines only what was written since is read; a table, or a packed file, is read again whenever it has changed.
    A file that goes, as the oldest of a rollout log do, keeps its figures.
    """

    def __init__(self, name: str, rule: Rule) -> None:
        self.name, self._rule = name.removesuffix(".part"), rule
        self._files: dict[str, _File] = {}

    def read(self) -> Figures:
        """The figures with what was written since. Raises `NotResults`, and `OSError` where there is no file."""
        for path in self._paths():
            whole = str(path).removesuffix(".part")
            if whole not in self._files:
                self._files[whole] = _File(self._rule)
            self._files[whole].read(path)
        total = Figures()
        for file in self._files.values():
            total = total.plus(file.figures)
        return total

    def _paths(self) -> list[Path]:
        path = Path(self.name)
        if path.is_dir():
            found = [file for file in _inputs(self.name) if isinstance(file, Path)]
            found += path.rglob("*.part")
        elif has_magic(self.name) and not path.exists():
            found = [
                Path(file) for pattern in (self.name, self.name + ".part") for file in glob(pattern, recursive=True)
            ]
        else:
            part = path.with_name(path.name + ".part")
            return [part if part.exists() else path]
        found = [file for file in found if not str(file).removesuffix(".part").endswith(SIDE)]
        if not found and not self._files:
            raise FileNotFoundError(self.name)
        return sorted(found)


class _File:
    """A file of results, counted as far as it was read."""

    def __init__(self, rule: Rule) -> None:
        self._rule = rule
        self._begin()

    def _begin(self) -> None:
        self._offset = self._items = self._place = 0
        self._state: tuple[int, int] | None = None
        self._missing, self._sums, self._counts = Counter[str](), Counter[str](), Counter[str]()
        self._quadrants = Counter[tuple[bool, bool]]()

    @property
    def figures(self) -> Figures:
        return Figures(self._items, dict(self._missing), dict(self._sums), dict(self._counts), dict(self._quadrants))

    def read(self, path: Path) -> None:
        with path.open("rb") as stream:
            head = stream.read(4)
            if head[:2] == GZIP or head in (ZSTD, PARQUET):
                self._whole(path)
                return
            if stream.seek(0, 2) < self._offset:
                self._begin()  # another file has taken the name
            stream.seek(self._offset)
            self._lines(path, stream)

    def _whole(self, path: Path) -> None:
        state = path.stat()
        if self._state == (state.st_size, state.st_mtime_ns):
            return
        self._begin()
        self._state = (state.st_size, state.st_mtime_ns)
        try:
            for row in Results([str(path)]):
                self._add(row)
        except RecordFileError as error:
            # The end of a packed file that is being written is missing; what is before it counts.
            if not self._items:
                raise NotResults(str(error)) from None

    def _lines(self, path: Path, stream: BinaryIO) -> None:
        end = self._offset + MOST_BYTES
        while self._offset < end and (line := stream.readline(LONGEST)):
            # A line without its end is still being written.
            if not line.endswith(b"\n"):
                break
            self._offset += len(line)
            self._place += 1
            if line.strip():
                self._add(self._row(path, line))

    def _row(self, path: Path, line: bytes) -> Row:
        try:
            record = json.loads(line)
            if not isinstance(record, dict):
                raise ValueError("it is no JSON object")
            return row_of(path.name, self._place, cast("dict[str, object]", record))
        except (ValueError, TypeError, KeyError) as error:
            raise NotResults(
                f"{path} line {self._place}: is no result of `perception-reward score` ({error})"
            ) from None

    def _add(self, row: Row) -> None:
        self._items += 1
        if row.missing:
            self._missing[row.reason or "unknown"] += 1
        for measure, value in zip(row.measures, row.values, strict=True):
            if value is not None:
                self._sums[measure] += value  # pyright: ignore[reportArgumentType]
                self._counts[measure] += 1
        answered, saw = self._rule.right("answer", row), self._rule.right("perception", row)
        if answered is not None and saw is not None:
            self._quadrants[answered, saw] += 1


def _inputs(folder: str) -> list[AnyFile]:
    try:
        return inputs_of([folder])
    except ValueError:  # nothing is in it yet
        return []


def _added(one: Mapping[Key, float], other: Mapping[Key, float], sign: int) -> dict[Key, float]:
    return {key: one.get(key, 0) + sign * other.get(key, 0) for key in {**one, **other}}
