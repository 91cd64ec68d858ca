"""What tells a file that another program has changed, without reading it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TypeAlias

Stamp: TypeAlias = tuple[int, int, int]
"""When it was written, in nanoseconds; its size; and its inode, as a mounted secret is replaced whole, by a link."""


def stamp(path: Path) -> Stamp:
    """OSError where there is no such file."""
    status = path.stat()
    return status.st_mtime_ns, status.st_size, status.st_ino


def stamps(paths: Iterable[Path]) -> tuple[Stamp | None, ...]:
    """Those of all files, None for one that is not there."""
    return tuple(map(_stamp_if_there, paths))


def _stamp_if_there(path: Path) -> Stamp | None:
    try:
        return stamp(path)
    except OSError:
        return None
