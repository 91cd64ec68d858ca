"""What `score` is told to read, as files in order: files, folders, globs, and URLs of all three.

    inputs_of(["rollouts/", "more/*.parquet", "s3://bucket/run-7/"])

Of a folder everything counts that may hold rollouts, below it too; what the `datasets` library keeps beside its tables
does not. Numbers in names count as numbers: a trainer's `2.jsonl` comes before its `10.jsonl`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from glob import glob, has_magic
from hashlib import blake2b
from pathlib import Path, PurePosixPath
from typing import Any

from perception_reward.annotations.files import PACKED, AnyFile, RemoteFile, is_url, remote

SUFFIXES = frozenset((".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".parquet", ".arrow", ".xlsx"))
# What the `datasets` library writes beside its tables.
BESIDE = frozenset(("state.json", "dataset_info.json", "dataset_dict.json"))


def inputs_of(named: Sequence[str]) -> list[AnyFile]:
    """The files, each once. Raises `ValueError` in one line for what names none, and `OSError`."""
    found: dict[str, AnyFile] = {}
    for name in named:
        files = list(_at_url(name) if is_url(name) else _here(name))
        if not files:
            raise ValueError(f"{name}: {_nothing(name)}")
        found.update((str(file), file) for file in files)
    return list(found.values())


def size_of(file: AnyFile) -> int:
    """Bytes."""
    return int(file.system.size(file.path)) if isinstance(file, RemoteFile) else file.stat().st_size


def identity(files: Iterable[AnyFile]) -> str:
    """Changes with the files' names, sizes and times of change: 32 hexadecimal digits."""
    told = blake2b(digest_size=16)
    for file in files:
        told.update(repr((str(file), *_state(file))).encode("utf-8", "surrogatepass"))
    return told.hexdigest()


def _state(file: AnyFile) -> tuple[object, ...]:
    if isinstance(file, RemoteFile):
        info: dict[str, Any] = file.system.info(file.path)
        times = ("ETag", "etag", "mtime", "LastModified", "created", "updated", "md5Hash")
        return (info.get("size"), *(str(info[name]) for name in times if name in info))
    state = file.stat()
    return (state.st_size, state.st_mtime_ns)


def _here(name: str) -> Iterator[AnyFile]:
    path = Path(name)
    if path.is_dir():
        yield from _ordered(file for file in path.rglob("*") if _counts(file.relative_to(path)) and file.is_file())
    elif path.exists() or not has_magic(name):
        yield path
    else:
        for found in sorted(glob(name, recursive=True), key=_natural):
            yield from _here(found)


def _at_url(url: str) -> Iterator[AnyFile]:
    place = remote(url)
    if has_magic(place.path):
        for path in sorted(place.system.glob(place.path), key=_natural):
            yield from _in(place, path)
    else:
        yield from _in(place, place.path)


def _in(place: RemoteFile, path: str) -> Iterator[AnyFile]:
    if place.system.isdir(path):
        below = (found for found in place.system.find(path) if _counts(PurePosixPath(found[len(path) :].lstrip("/"))))
        yield from _ordered(RemoteFile(place.system, found, place.system.unstrip_protocol(found)) for found in below)
    else:
        yield RemoteFile(place.system, path, place.system.unstrip_protocol(path))


def _counts(path: PurePosixPath | Path) -> bool:
    suffixes = [suffix.lower() for suffix in path.suffixes]
    form = suffixes[-2:-1] if suffixes and suffixes[-1] in PACKED else suffixes[-1:]
    if path.name in BESIDE or path.name.startswith("cache-") or any(part.startswith(".") for part in path.parts):
        return False
    return bool(SUFFIXES.intersection(form))


def _ordered(files: Iterable[AnyFile]) -> list[AnyFile]:
    return sorted(files, key=lambda file: _natural(str(file)))


def _natural(name: str) -> list[tuple[int, str]]:
    parts = re.split(r"(\d+)", name)
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts]


def _nothing(name: str) -> str:
    if has_magic(name):
        return "there is no such file"
    return f"there is no file in it that may hold rollouts ({', '.join(sorted(SUFFIXES))}; packed as .gz or .zst)"
