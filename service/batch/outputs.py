"""Results on their way to a file: written as they come, safe at every commit, and whole under their name at the end.

    with Output(Path("results.jsonl"), plan, replace=False) as output:
        output.done                                 # what an earlier run of the same plan has left: Done(…)
        output.write(chunk, scored)                 # commits by itself, every half second or so
        output.finish()                             # now results.jsonl is there, and the parts are gone

Beside RESULTS stand, until it is whole,

    RESULTS.part                  the results so far: text, or a folder of Parquet files
    RESULTS.missing.jsonl.part    the side table so far
    RESULTS.journal               the plan, and how far both are good: replaced once that is on the disk

A run that is killed may leave more in the parts than the journal knows; the next one cuts them back to it. A packed
part is cut between two members (gzip) or frames (zstd), of which each commit writes one.
"""

from __future__ import annotations

import fcntl
import gzip
import importlib
import json
import os
import shutil
import threading
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol

from typing_extensions import Self

from perception_reward.annotations.outputs import OutputRefused, part_of, take_name, written
from perception_reward.service.batch.chunks import UNREADABLE, Chunk, Scored, Tally
from perception_reward.service.batch.results import table_schema

# Seconds between two commits at least; bytes that wait for one at most.
EVERY = 0.5
MOST_BYTES = 8 << 20
# Rows of a row group of the finished table, about: readers take a group at a time.
GROUP_ROWS = 32768


@dataclass(slots=True)
class Done:
    """How far a run has come. file, place: the last record that was taken, and `records` how many were; results,
    bytes, parts, missing: of the parts that are good."""

    file: int = 0
    place: int = 0
    records: int = 0
    unread: int = 0
    bytes: int = 0
    parts: int = 0
    missing: int = 0
    tally: Tally = field(default_factory=Tally)

    def to_json(self) -> dict[str, Any]:
        counts = {name: getattr(self, name) for name in _COUNTS}
        return {**counts, "tally": self.tally.to_json()}

    @classmethod
    def of_json(cls, told: Mapping[str, Any]) -> Done:
        counts: dict[str, int] = {name: told[name] for name in _COUNTS}
        return cls(**counts, tally=Tally.of_json(told["tally"]))


_COUNTS = ("file", "place", "records", "unread", "bytes", "parts", "missing")


class _Part(Protocol):
    """What the results are written to."""

    def add(self, results: bytes) -> None: ...
    def flush(self, done: Done) -> None: ...
    def finish(self, out: Path, *, replace: bool) -> None: ...
    def close(self) -> None: ...


class Output:
    """A file of results with its side table and its journal. For one writer at a time, in any thread."""

    def __init__(self, out: Path, plan: Mapping[str, str], *, replace: bool) -> None:
        """plan: all that makes the results what they are. A part of another plan is refused, unless `replace`.

        Raises `OutputRefused`, and `OSError`.
        """
        self.out = out.resolve()
        self.part = part_of(out)
        self.journal = self.out.with_name(self.out.name + ".journal")
        self.missing = missing_of(self.out)
        self._missing_part = part_of(self.missing)
        self._plan = dict(plan)
        self._replace = replace
        self._lock = threading.Lock()
        self._stack = ExitStack()
        self._committed = time.monotonic()
        self._waiting = 0
        self._side = b""
        try:
            self._begin()
        except BaseException:
            self._stack.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._stack.close()

    @property
    def done(self) -> Done:
        return self._done

    def write(self, chunk: Chunk, scored: Scored) -> None:
        """The results of a chunk, and with them all that was read up to its end. Raises `OSError`."""
        with self._lock:
            first = self._done.tally.items
            for row in scored.missing:
                if row["line"] is not None:
                    row.update(line=first + row["line"], judge=self._plan.get("judge"))
                self._side += json.dumps(row).encode() + b"\n"
            for piece in scored.results:
                self._results.add(piece)
                self._waiting += len(piece)
            self._done.tally.merge(scored.tally)
            self._done.unread += sum(row["reason"] == UNREADABLE for row in scored.missing)
            self._done.records += len(chunk.records)
            self._done.file, self._done.place = chunk.end
            if self._waiting > MOST_BYTES or time.monotonic() - self._committed > EVERY:
                self._commit()

    def commit(self) -> None:
        """Bring everything to the disk. Raises `OSError`, and then nothing before this commit is lost."""
        with self._lock:
            self._commit()

    def finish(self) -> None:
        """Give the results their name, and the side table its own where it has a row."""
        with self._lock:
            self._commit()
            self._results.close()
            if self._done.missing:
                self._missing_part.replace(self.missing)
            else:
                self._missing_part.unlink(missing_ok=True)
                self.missing.unlink(missing_ok=True)
            self._results.finish(self.out, replace=self._replace)
            self.journal.unlink(missing_ok=True)

    def _begin(self) -> None:
        begun = self._journal()
        if begun is not None and (differing := self._differing(begun["plan"])):
            if not self._replace:
                raise OutputRefused(
                    f"{self.part} was begun with another {', another '.join(differing)}; go on with the same, or pass "
                    "--force to begin anew"
                )
            begun = None
        if begun is None:
            self._clear()
        table = self.out.suffix.lower() == ".parquet"
        if begun is not None and not self._missing_part.exists() and self.missing.exists():
            # It was killed between the names of the two.
            self.missing.replace(self._missing_part)
        self._done = Done() if begun is None else Done.of_json(begun["done"])
        part = self._stack.enter_context(_locked(self.part, folder=table))
        self._missing_file = self._stack.enter_context(_opened(self._missing_part, self._done.missing))
        self._results: _Part = (
            TableParts(part, self._done.parts) if table else TextPart(part, self._done.bytes, packer(self.out))
        )
        self._stack.callback(self._results.close)
        self._note()

    def _journal(self) -> dict[str, Any] | None:
        """What an unfinished run has noted; None where there is none. A part without a journal is nobody's."""
        if not self.journal.exists():
            if self.part.exists() and not self._replace:
                raise OutputRefused(
                    f"{self.part} is there without {self.journal.name}, so nothing says how far it is good; move it "
                    "away, or pass --force to replace it"
                )
            return None
        if not self.part.exists():
            return None
        return json.loads(self.journal.read_text(encoding="utf-8"))

    def _differing(self, begun: Mapping[str, str]) -> list[str]:
        names = dict.fromkeys((*self._plan, *begun))
        return [name for name in names if self._plan.get(name) != begun.get(name)]

    def _clear(self) -> None:
        self.journal.unlink(missing_ok=True)
        self._missing_part.unlink(missing_ok=True)
        if self.part.is_dir():
            shutil.rmtree(self.part)
        else:
            self.part.unlink(missing_ok=True)

    def _commit(self) -> None:
        self._results.flush(self._done)
        if self._side:
            _appended(self._missing_file, self._done.missing, self._side)
            self._done.missing += len(self._side)
            self._side = b""
        self._note()
        self._waiting = 0
        self._committed = time.monotonic()

    def _note(self) -> None:
        told = {"plan": self._plan, "done": self._done.to_json()}
        fresh = self.journal.with_name(self.journal.name + ".new")
        with fresh.open("w", encoding="utf-8") as out:
            json.dump(told, out)
            out.flush()
            os.fsync(out.fileno())
        fresh.replace(self.journal)


class TextPart:
    """JSON Lines, packed or not."""

    def __init__(self, part: _Held, good: int, pack: Callable[[bytes], bytes]) -> None:
        self._part = part
        self._pack = pack
        self._pending: list[bytes] = []
        os.ftruncate(part.number, good)

    def add(self, results: bytes) -> None:
        self._pending.append(results)

    def flush(self, done: Done) -> None:
        if self._pending:
            packed = self._pack(b"".join(self._pending))
            _appended(self._part.number, done.bytes, packed)
            done.bytes += len(packed)
            self._pending = []

    def finish(self, out: Path, *, replace: bool) -> None:
        take_name(self._part.path, out, replace)

    def close(self) -> None:
        self._pending = []


class TableParts:
    """Parquet files in a folder, one for each commit, which become the row groups of one table."""

    def __init__(self, part: _Held, good: int) -> None:
        self._folder = part.path
        self._pending: list[bytes] = []
        for file in self._folder.iterdir():
            if file.suffix != ".parquet" or int(file.stem) >= good:
                file.unlink()

    def add(self, results: bytes) -> None:
        self._pending.append(results)

    def flush(self, done: Done) -> None:
        if not self._pending:
            return
        arrow, parquet = importlib.import_module("pyarrow"), importlib.import_module("pyarrow.parquet")
        tables = [arrow.ipc.open_stream(pending).read_all() for pending in self._pending]
        fresh = self._folder / f"{done.parts:08}.new"
        with fresh.open("wb") as out:
            parquet.write_table(_joined(arrow, tables), out, compression="zstd")
            out.flush()
            os.fsync(out.fileno())
        fresh.replace(self._folder / f"{done.parts:08}.parquet")
        done.parts += 1
        self._pending = []

    def finish(self, out: Path, *, replace: bool) -> None:
        arrow, parquet = importlib.import_module("pyarrow"), importlib.import_module("pyarrow.parquet")
        parts = sorted(self._folder.iterdir())
        schemas = [table_schema(), *map(parquet.read_schema, parts)]
        empty = _joined(arrow, [schema.empty_table() for schema in schemas])
        with (
            written(out, replace=replace) as whole,
            parquet.ParquetWriter(whole, empty.schema, compression="zstd") as to,
        ):
            waiting: list[Any] = []
            for part in parts:
                waiting.append(parquet.read_table(part))
                if sum(table.num_rows for table in waiting) >= GROUP_ROWS:
                    to.write_table(_joined(arrow, [empty, *waiting]), row_group_size=2 * GROUP_ROWS)
                    waiting = []
            if waiting:
                to.write_table(_joined(arrow, [empty, *waiting]), row_group_size=2 * GROUP_ROWS)
        shutil.rmtree(self._folder)

    def close(self) -> None:
        self._pending = []


def _joined(arrow: Any, tables: Sequence[Any]) -> Any:
    """As one table. Where all of a part's scores are missing, it may not know the profile's components."""
    return arrow.concat_tables(tables, promote_options="permissive")


@dataclass(frozen=True, slots=True)
class _Held:
    path: Path
    number: int


class Stream:
    """A pipe or a device: what is written there is gone, so that there is nothing to go on with."""

    def __init__(self, out: Path) -> None:
        self.done = Done()
        self._stream = out.open("wb")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._stream.close()

    def write(self, chunk: Chunk, scored: Scored) -> None:
        self._stream.writelines(scored.results)
        self.done.tally.merge(scored.tally)

    def commit(self) -> None:
        self._stream.flush()

    def finish(self) -> None:
        self._stream.flush()


def missing_of(out: Path) -> Path:
    """The side table of `out`: `results.jsonl.missing.jsonl`."""
    return out.with_name(out.name + ".missing.jsonl")


def packer(out: Path) -> Callable[[bytes], bytes]:
    """What packs a piece of `out`, as the end of its name says."""
    if out.suffix == ".gz":
        return lambda data: gzip.compress(data, 6, mtime=0)
    return _zstd if out.suffix == ".zst" else bytes


def _zstd(data: bytes) -> bytes:
    arrow = importlib.import_module("pyarrow")
    frame = arrow.BufferOutputStream()
    with arrow.CompressedOutputStream(frame, "zstd") as packed:
        packed.write(data)
    return frame.getvalue().to_pybytes()


@contextmanager
def _locked(part: Path, *, folder: bool) -> Generator[_Held]:
    """The part, which no other run may have open. Raises `OutputRefused`."""
    if folder:
        part.mkdir(exist_ok=True)
    number = os.open(part, os.O_RDONLY if folder else os.O_RDWR | os.O_CREAT, 0o666)
    try:
        try:
            fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise OutputRefused(f"{part} is being written by another run; wait for it, or name another file") from None
        yield _Held(part, number)
    finally:
        os.close(number)


@contextmanager
def _opened(part: Path, good: int) -> Generator[int]:
    number = os.open(part, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        os.ftruncate(number, good)
        yield number
    finally:
        os.close(number)


def _appended(number: int, at: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        wrote = os.pwrite(number, view, at)
        view, at = view[wrote:], at + wrote
    os.fsync(number)
