"""Many files as one: recognised one by one, looked over before anything is scored, and drawn from.

files = Files(inputs_of(["rollouts/"]))
survey, layouts = surveyed(files, Selection())
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping, Sequence
from typing import overload

from perception_reward.annotations.faults import LineError
from perception_reward.annotations.files import AnyFile, packing, unpacked
from perception_reward.service.batch.inputs import size_of
from perception_reward.service.batch.rollouts import RolloutFile, Survey, read_rollouts
from perception_reward.service.batch.selection import Place, Selection, drawn

# Records that are looked at before anything is scored. Files with no more are scored by one process: others would take
# longer to start.
SURVEYED = 4_000
# Bytes by which the number of records is guessed, and how much smaller packing makes rollouts, about.
LOOKED_AT = 4 << 20
PACKED_BY = 3.0


class Files(Sequence[RolloutFile]):
    """Files of rollouts, each recognised when it is first needed."""

    def __init__(self, paths: Sequence[AnyFile], places: Mapping[str, str] | None = None) -> None:
        self.paths = paths
        self._places = places
        self._last: tuple[int, RolloutFile] | None = None

    def __len__(self) -> int:
        return len(self.paths)

    @overload
    def __getitem__(self, number: int) -> RolloutFile: ...
    @overload
    def __getitem__(self, number: slice) -> Sequence[RolloutFile]: ...
    def __getitem__(self, number: int | slice) -> RolloutFile | Sequence[RolloutFile]:
        """Raises `RecordFileError` and `OSError`."""
        if isinstance(number, slice):
            return Files(self.paths[number], self._places)
        if self._last is None or self._last[0] != number:
            self._last = number, RolloutFile(self.paths[number], self._places)
        return self._last[1]


def places(files: Sequence[RolloutFile], selection: Selection) -> Iterator[Place]:
    """Where the records are that the conditions take. Reads everything."""
    for number, file in enumerate(files):
        for place, record in file.records():
            if selection.takes(number, place, record):
                yield number, place


def sampled(files: Sequence[RolloutFile], selection: Selection, count: int, seed: int) -> Selection:
    """With `count` records drawn among those that the conditions take."""
    where = Selection(selection.where)
    return Selection(selection.where, drawn(places(files, where), count, seed), selection.limit, f"{count} by {seed}")


def surveyed(files: Files, selection: Selection) -> tuple[Survey, list[str]]:
    """What the first records hold, and whose layout each file that was looked at has. Raises `RecordFileError`."""
    survey = Survey()
    layouts: dict[str, int] = {}
    seen = met = 0
    for number, file in enumerate(files):
        if seen >= SURVEYED or met == selection.limit:
            survey.complete = met == selection.limit
            break
        layouts[file.described] = layouts.get(file.described, 0) + 1
        survey.left_out = tuple(dict.fromkeys((*survey.left_out, *file.left_out)))
        for place, record in file.records():
            if seen >= SURVEYED or met == selection.limit:
                survey.complete = met == selection.limit
                break
            seen += 1
            if selection.takes(number, place, record):
                met += 1
                found = [record] if isinstance(record, LineError) else read_rollouts(place, record, file.layout)
                for one in found:
                    survey.meet(file, one)
    return survey, [f"{told} ({count} files)" if count > 1 else told for told, count in layouts.items()]


def expected(files: Files, selection: Selection, survey: Survey) -> int | None:
    """How many rollouts there are, about; None where nothing tells. Exact where the survey has seen all."""
    if survey.complete:
        return survey.good
    density = _density(files.paths[0])
    if density is None or selection.where:
        return selection.limit
    count = int(density * sum(map(size_of, files.paths)))
    return min(count, *(most for most in (selection.limit, len(selection.sample or ()) or None) if most), count)


def _density(file: AnyFile) -> float | None:
    """Records in a byte of a file of lines or a table."""
    with file.open("rb") as raw:
        head = raw.read(LOOKED_AT)
    if head.startswith(b"PAR1"):
        with file.open("rb") as raw:
            return importlib.import_module("pyarrow.parquet").read_metadata(raw).num_rows / size_of(file)
    if packing(file):
        with unpacked(file) as content:
            lines, raw_size = content.read(LOOKED_AT).count(b"\n"), content.tell()
        return None if not lines else lines / raw_size * PACKED_BY
    return head.count(b"\n") / len(head) if head.startswith(b"{") and head.count(b"\n") else None
