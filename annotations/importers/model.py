"""What an importer is: how rows are read, and what each of them says is seen.

    def make(row: Record, options: Options) -> Problem:
        return Problem(id=text(row, "id"), drafts=[Draft(text(row, "caption"), "caption")])

    CAPTIONS = Importer("captions", reads="…", rows=records("id", "caption"), make=make)

`make` raises `Refused` for a row that cannot be used; what is wrong with one fact alone goes to `Problem.refused`. The
reason is a few words that are the same for all such rows, so that they can be counted; `detail` is what is particular.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias, cast

from perception_reward.annotations.faults import LineError, Record, printable
from perception_reward.trainer_client.reference import Answer, Choices
from perception_reward.trainer_client.wire import Origin, Polarity


class Refused(ValueError):
    """A row, or a part of one, that is not imported: why, and which."""

    def __init__(self, why: str, detail: object = "") -> None:
        self.why = why
        self.detail = " ".join(printable(detail).split())
        super().__init__(f"{why}: {self.detail}" if self.detail else why)


@dataclass(frozen=True, slots=True)
class Draft:
    """A fact before it has an id; without one of its own it gets its place among the drafts."""

    text: str
    kind: str
    origin: Origin = "seen"
    polarity: Polarity = "present"
    id: str = ""
    page: int | None = None
    region: tuple[float, float, float, float] | None = None


@dataclass(slots=True)
class Problem:
    """What a row is imported as. refused: what of it is not."""

    id: str
    drafts: list[Draft] = field(default_factory=list[Draft])
    question: str | None = None
    answer: Answer | None = None
    choices: Choices | None = None
    images: Sequence[str] = ()
    source: str = ""
    refused: list[Refused] = field(default_factory=list[Refused])


@dataclass(frozen=True, slots=True)
class Options:
    """columns: by the name that an importer knows, the name that the file has for it."""

    columns: Mapping[str, str] = field(default_factory=dict[str, str])


Row: TypeAlias = tuple[str, Record | LineError]
Rows: TypeAlias = Callable[[Path, Options], Iterator[Row]]


@dataclass(frozen=True, slots=True)
class Importer:
    """One layout of data.

    reads: what it is, in a line. kinds: the kinds of facts that it makes. rows: each row and where it stands.
    make: a row's problem; raises `Refused`. mapped: the columns that may have other names.
    """

    name: str
    reads: str
    kinds: tuple[str, ...]
    rows: Rows
    make: Callable[[Record], Problem]
    mapped: tuple[str, ...] = ()


def text(row: Record, *names: str) -> str:
    """The first of the columns `names` that holds text, without the space around it. Raises `Refused` for none."""
    found = optional(row, *names)
    if found is None:
        raise Refused(f"has no {names[0]}")
    return found


def optional(row: Record, *names: str) -> str | None:
    """As `text`, or None. A number is text too."""
    for name in names:
        value = row.get(name)
        if isinstance(value, str) and value.strip():
            return value.strip()
        if isinstance(value, int | float) and not isinstance(value, bool):
            return str(value)
    return None


def records_in(value: object) -> list[dict[str, Any]]:
    """The objects of a list; what is none is left out."""
    entries = cast("list[object]", value) if isinstance(value, list) else []
    return [cast("dict[str, Any]", entry) for entry in entries if isinstance(entry, dict)]


def texts_in(value: object) -> list[str]:
    """The texts of a list, or one text by itself; what is neither is left out."""
    entries = cast("list[object]", value) if isinstance(value, list) else [value]
    return [entry.strip() for entry in entries if isinstance(entry, str) and entry.strip()]


def quoted(words: str) -> str:
    """Words of the image inside a sentence, on one line."""
    return '"' + " ".join(words.split()).replace('"', "'") + '"'
