"""Annotations in memory, read from files.

The first file belongs to the store: what is written over HTTP goes to it. An answered write is on disk; a
write that fails changed nothing. The other files are only read, and so are their annotations. Without any
file the store is memory alone, and empty again after a restart.

One process writes. Several replicas that write need the Redis store.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from types import MappingProxyType

from perception_reward.annotations.cursor import from_cursor, to_cursor
from perception_reward.annotations.faults import LineError, RecordFileError
from perception_reward.annotations.figures import Figures, Header
from perception_reward.annotations.jsonl import open_annotations, read_file, read_header, write_jsonl
from perception_reward.annotations.model import Annotation
from perception_reward.annotations.records import Form, RecordFile
from perception_reward.annotations.stamps import Stamp, stamp, stamps
from perception_reward.annotations.store import Found, Page, StoreError, StoreReadOnly, StoreUnavailable
from perception_reward.annotations.tables import data_files
from perception_reward.annotations.version import Version


@dataclass(frozen=True)
class _Contents:
    """What the store holds at one moment. Replaced whole, never changed, so that a reader needs no lock."""

    own: Mapping[str, Annotation]
    read_only: Mapping[str, Annotation]
    files: Mapping[str, Path]
    stamps: tuple[Stamp, ...]
    # Of the first file, and of the others together.
    own_version: Version
    rest_version: Version
    figures: Figures | None = None
    # Of the first file, which takes writes only if it is JSON Lines.
    form: Form = "JSON Lines"

    @cached_property
    def version(self) -> Version:
        return self.own_version.with_all(self.rest_version)

    def get(self, annotation_id: str) -> Annotation | None:
        return self.own.get(annotation_id) or self.read_only.get(annotation_id)

    @cached_property
    def ids(self) -> list[str]:
        return sorted((*self.own, *self.read_only))


@dataclass(slots=True)
class _Change:
    """Annotations to put, or with None to delete, and the future that learns how it went."""

    annotations: Mapping[str, Annotation | None]
    done: asyncio.Future[None]


class FileStore:
    """The annotations of `paths`, in any form that `records` knows, or folders of the `datasets` library; the first
    takes what is written.

    Reading happens in `start` and `reload`, both of which raise `RecordFileError` (all faults of a
    file, or an id that two files share) or `OSError` (no such file).
    """

    def __init__(self, paths: Sequence[Path] = ()) -> None:
        self._paths = tuple(file for path in paths for file in data_files(path))
        self._contents = _Contents({}, {}, {}, (), Version(), Version())
        self._looked_at: tuple[Stamp | None, ...] = ()
        self._changes: list[_Change] = []
        self._writer: asyncio.Task[None] | None = None
        self._lock = asyncio.Lock()

    async def start(self) -> None:
        """Read the files."""
        await self.reload()

    async def aclose(self) -> None:
        """Finish the writes that are under way."""
        if self._writer is not None:
            await self._writer

    async def reload(self) -> None:
        """Read the files again, in a thread. If one cannot be read, the old contents stay, and it raises."""
        if self._paths:
            async with self._lock:
                # Before reading: what is written meanwhile is noticed as a change.
                self._looked_at = await asyncio.to_thread(stamps, self._paths)
                self._contents = await asyncio.to_thread(_read, self._paths)

    async def header(self) -> Header:
        """The version of all files, and the figures in the first one."""
        return Header(version=str(self._contents.version), figures=self._contents.figures)

    async def record(self, figures: Figures) -> None:
        self._check_writable(())
        async with self._lock:
            contents = replace(self._contents, figures=figures)
            self._contents = await asyncio.to_thread(self._saved, contents)
            self._looked_at = self._contents.stamps

    async def changed(self) -> bool:
        """Whether a file is another than was read last, also in vain. Looked up in a thread."""
        if not self._paths:
            return False
        async with self._lock:
            return await asyncio.to_thread(stamps, self._paths) != self._looked_at

    async def get_many(self, ids: Sequence[str]) -> Found:
        contents = self._contents
        return Found(map(contents.get, ids), str(contents.version))

    async def list(self, *, cursor: str | None = None, limit: int = 100) -> Page:
        """Up to `limit` annotations after `cursor`. Raises `ValueError` for a cursor that is none."""
        contents = self._contents
        first = bisect_right(contents.ids, from_cursor(cursor)) if cursor is not None else 0
        ids = contents.ids[first : first + limit]
        more = first + limit < len(contents.ids)
        found = tuple(found for found in map(contents.get, ids) if found is not None)
        return Page(found, to_cursor(ids[-1]) if more and ids else None)

    async def count(self) -> int:
        return len(self._contents.own) + len(self._contents.read_only)

    async def put_many(self, annotations: Iterable[Annotation]) -> None:
        """Store all or none. Raises `StoreReadOnly` for annotations of files that are only read."""
        await self._change({annotation.id: annotation for annotation in annotations})

    async def delete(self, annotation_id: str) -> bool:
        """Whether there was one to delete. Raises `StoreReadOnly` for one of a file that is only read."""
        existed = self._contents.get(annotation_id) is not None
        if existed:
            await self._change({annotation_id: None})
        return existed

    async def _change(self, annotations: Mapping[str, Annotation | None]) -> None:
        if not annotations:
            return
        self._check_writable(annotations)
        change = _Change(annotations, asyncio.get_running_loop().create_future())
        self._changes.append(change)
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write_changes(), name="annotation file writer")
        await change.done

    def _check_writable(self, ids: Iterable[str]) -> None:
        if self._contents.form != "JSON Lines":
            raise StoreReadOnly(
                f"{self._paths[0].name} is {self._contents.form}, which is only read; name a .jsonl file first to write"
            )
        for annotation_id in ids:
            if path := self._contents.files.get(annotation_id):
                raise StoreReadOnly(
                    f"annotation {annotation_id!r} is in {path.name}, which is only read: edit that file "
                    f"and reload, or move it to {self._paths[0].name}"
                )

    async def _write_changes(self) -> None:
        """One file write for all the changes that wait; more come while it runs, and share the next one."""
        while self._changes:
            async with self._lock:
                changes, self._changes = self._changes, []
                try:
                    self._contents = await asyncio.to_thread(self._written, self._contents, changes)
                    self._looked_at = self._contents.stamps
                except Exception as error:
                    failure = error if isinstance(error, StoreError) else _failure(self._paths, error)
                else:
                    failure = None
            for change in changes:
                _settle(change.done, failure)

    def _written(self, contents: _Contents, changes: Sequence[_Change]) -> _Contents:
        own, version = dict(contents.own), contents.own_version
        for change in changes:
            for annotation_id, annotation in change.annotations.items():
                if (old := own.pop(annotation_id, None) if annotation is None else own.get(annotation_id)) is not None:
                    version = version.without(old)
                if annotation is not None:
                    own[annotation_id] = annotation
                    version = version.having(annotation)
        return self._saved(replace(contents, own=MappingProxyType(own), own_version=version))

    def _saved(self, contents: _Contents) -> _Contents:
        """Contents that are in the first file, if there is one."""
        if self._paths:
            path = self._paths[0]
            if stamp(path) != contents.stamps[0]:
                raise StoreUnavailable(f"{path.name} was changed on disk since it was read; reload before writing")
            header = Header(version=str(contents.own_version), figures=contents.figures) if contents.figures else None
            write_jsonl(path, contents.own.values(), header=header)
            contents = replace(contents, stamps=(stamp(path), *contents.stamps[1:]))
        _ = contents.ids, contents.version  # made here, in the thread, not in the event loop
        return contents


def _settle(done: asyncio.Future[None], failure: StoreError | None) -> None:
    if done.done():  # its caller has gone
        return
    if failure is None:
        done.set_result(None)
    else:
        done.set_exception(failure)


def _failure(paths: Sequence[Path], error: Exception) -> StoreUnavailable:
    name = paths[0].name if paths else "memory"
    return StoreUnavailable(f"{name} could not be written, and nothing was changed: {error}")


def _read(paths: Sequence[Path]) -> _Contents:
    read_at = tuple(map(stamp, paths))
    own: Mapping[str, Annotation] = {}
    read_only: dict[str, Annotation] = {}
    files: dict[str, Path] = {}
    recognised = [open_annotations(path) for path in paths]
    for place, file in enumerate(recognised):
        by_place = read_file(file)
        _check_new(file, by_place, dict.fromkeys(own, paths[0]) | files)
        by_id = {annotation.id: annotation for annotation in by_place.values()}
        if place == 0:
            own = by_id
        else:
            read_only.update(by_id)
            files.update(dict.fromkeys(by_id, paths[place]))
    versions = Version.of(own.values()), Version.of(read_only.values())
    figures = read_header(recognised[0]).figures
    contents = _Contents(MappingProxyType(own), read_only, files, read_at, *versions, figures, recognised[0].form)
    _ = contents.ids, contents.version  # made here, in the thread, not in the event loop
    return contents


def _check_new(file: RecordFile, by_place: Mapping[int, Annotation], known: Mapping[str, Path]) -> None:
    faults = [
        LineError(place, "id", f"the id {annotation.id!r} is already in {known[annotation.id].name}")
        for place, annotation in by_place.items()
        if annotation.id in known
    ]
    if faults:
        raise RecordFileError(file.path, faults, file.unit)
