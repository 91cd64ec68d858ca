"""Files that a command writes: whole or not at all, never over what it reads, and over nothing else unasked.

    check_outputs([out], read=[source], replace=False)      # before the work: raises OutputRefused
    with written(out, replace=False) as part:               # a file beside it, which takes its name at the end
        part.write_text(...)

The check follows symbolic links, hard links and other spellings of a path. What appears under the name in the
meantime is not replaced either. A device or a pipe is written straight into.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

# What a name's end promises, where that is not JSON Lines.
OTHER_FORMS = {
    ".parquet": "Parquet",
    ".csv": "CSV",
    ".tsv": "TSV",
    ".json": "one JSON document",
    ".arrow": "Arrow",
    ".xlsx": "a spreadsheet",
    ".zip": "a zip archive",
    ".zst": "zstd",
}


class OutputRefused(OSError):
    """A file is not written; the message says which, why, and what to do."""


def check_outputs(outs: Sequence[Path], *, read: Iterable[Path] = (), replace: bool, keep: bool = False) -> None:
    """Refuse `outs` that exist (unless `replace`), that are among `read`, or that are one file.

    keep: they grow as `part_of` them, which is looked at too. Raises `OutputRefused`.
    """
    sources = [source for source in read if source.exists()]
    for place, out in enumerate(outs):
        for path in (out, part_of(out)) if keep else (out,):
            if (source := next((source for source in sources if _same(path, source)), None)) is not None:
                raise OutputRefused(f"{out} would replace {source}, which is read; name another file")
        if any(_same(out, other) for other in outs[:place]):
            raise OutputRefused(f"{out} is named for two outputs; name another file for one of them")
        if out.is_dir():
            raise OutputRefused(f"{out} is a folder; name a file in it")
        if not out.resolve().parent.is_dir():
            raise OutputRefused(f"{out} cannot be written: there is no folder {out.resolve().parent}")
        if not replace and os.path.lexists(out) and not is_device(out):
            raise OutputRefused(f"{out} exists; name another file, or pass --force to replace it")


def check_json_lines(*outs: Path) -> None:
    """Refuse names that promise another form than JSON Lines. Raises `OutputRefused`."""
    for out in outs:
        if (form := OTHER_FORMS.get(out.suffix.lower())) is not None:
            raise OutputRefused(f"{out}: what is written is JSON Lines, not {form}; name it {out.stem}.jsonl")


def part_of(path: Path) -> Path:
    """Where a file is written that grows over many runs."""
    path = path.resolve()
    return path.with_name(path.name + ".part")


@contextmanager
def written(path: Path, *, replace: bool) -> Generator[Path]:
    """The path to write to. At the end it takes the name `path`; a failure leaves what was there.

    replace: a file of that name is replaced; else `OutputRefused` is raised where one has appeared.
    """
    path = path.resolve()
    if is_device(path):
        yield path
        return
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    part.open("xb").close()
    try:
        yield part
        take_name(part, path, replace)
    except BaseException:
        part.unlink()
        raise


def take_name(part: Path, path: Path, replace: bool) -> None:
    """Give a finished part the name `path`; without `replace`, `OutputRefused` where one of that name has appeared."""
    with part.open("rb") as whole:
        os.fsync(whole.fileno())
    if replace:
        if path.exists():
            part.chmod(path.stat().st_mode & 0o777)
        part.replace(path)
        return
    try:
        # A link fails where there is a file of that name; a rename would replace it.
        os.link(part, path)
    except OSError:
        if path.exists():
            raise OutputRefused(f"{path} has appeared while it was being made, and is not replaced") from None
        part.replace(path)  # a file system without links
    else:
        part.unlink()


def _same(one: Path, other: Path) -> bool:
    with suppress(OSError):
        if one.exists() and other.exists():
            return one.samefile(other) and not is_device(one)
    return one.resolve() == other.resolve()


def is_device(path: Path) -> bool:
    """Whether it is a pipe, a terminal or the like, which is written straight into."""
    return path.exists() and not path.is_file() and not path.is_dir()
