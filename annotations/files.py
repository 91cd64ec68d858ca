"""Files of records, opened: on this machine or at a URL that fsspec knows, plain or packed with gzip or zstd.

    with unpacked(remote("s3://bucket/rollouts.jsonl.zst")) as raw:
        raw.read(65536)

A file at a URL is a `RemoteFile`, which has as much of a `Path` as reading needs.
"""

from __future__ import annotations

import gzip
import importlib
import io
import zlib
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, TypeAlias, cast

GZIP = b"\x1f\x8b"
ZSTD = b"\x28\xb5\x2f\xfd"
# The ends of names that say how a file is packed.
PACKED = (".gz", ".zst")


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file in a file system of fsspec. path: as that file system calls it. url: as a person does."""

    system: Any
    path: str
    url: str

    @property
    def name(self) -> str:
        return PurePosixPath(self.path).name

    @property
    def suffix(self) -> str:
        return PurePosixPath(self.path).suffix

    def with_suffix(self, suffix: str) -> PurePosixPath:
        return PurePosixPath(self.path).with_suffix(suffix)

    def exists(self) -> bool:
        return bool(self.system.exists(self.path))

    def is_file(self) -> bool:
        return bool(self.system.isfile(self.path))

    def is_dir(self) -> bool:
        return bool(self.system.isdir(self.path))

    def open(self, mode: str = "rb") -> BinaryIO:
        return cast(BinaryIO, self.system.open(self.path, mode))

    def __str__(self) -> str:
        return self.url

    def __fspath__(self) -> str:
        return self.url


AnyFile: TypeAlias = Path | RemoteFile


class Unpackable(ValueError):
    """A packed file is damaged; the message says how."""


def is_url(name: str) -> bool:
    """Whether fsspec is asked for it: `s3://…`, `gs://…`, `memory://…`, `file://…`."""
    return "://" in name


def remote(url: str) -> RemoteFile:
    """The file or folder at `url`. Raises `ImportError` and `ValueError` as fsspec does, in words of ours."""
    try:
        system, path = importlib.import_module("fsspec.core").url_to_fs(url)
    except ImportError as error:
        raise ImportError(f"{url}: {error}") from error
    return RemoteFile(system, path, url)


def packing(file: AnyFile) -> str:
    """`gzip`, `zstd`, or nothing, as its first bytes say."""
    with file.open("rb") as raw:
        head = raw.read(len(ZSTD))
    return "gzip" if head.startswith(GZIP) else "zstd" if head == ZSTD else ""


def unpacked(file: AnyFile) -> BinaryIO:
    """The content. Closing it closes all that was opened for it."""
    how = packing(file)
    raw = cast(BinaryIO, file.open("rb"))
    if how == "gzip":
        stream = gzip.GzipFile(fileobj=raw)
        # What a GzipFile closes when it is closed: only what it has opened, unless it is told.
        stream.myfileobj = raw  # pyright: ignore[reportAttributeAccessIssue]
        return cast(BinaryIO, stream)
    if how == "zstd":
        arrow = importlib.import_module("pyarrow")
        return cast(BinaryIO, io.BufferedReader(arrow.CompressedInputStream(arrow.PythonFile(raw, "r"), "zstd")))
    return raw


@contextmanager
def damage_named() -> Generator[None]:
    """Turn what a damaged packed file raises, in whatever library, into `Unpackable`."""
    try:
        yield
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise Unpackable(f"is no complete gzip file ({error})") from None
    except OSError as error:
        # pyarrow has no class of its own for these.
        if error.errno is None and ("ZSTD" in str(error) or "compressed stream" in str(error)):
            raise Unpackable(f"is no complete zstd file ({error})") from None
        raise
