"""What is wrong with a file of records: where, and in words that are safe to print."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from perception_reward.annotations.store import StoreError

if TYPE_CHECKING:
    from pydantic import ValidationError

SHOWN_FAULTS = 20
MAX_NAME_CHARACTERS = 80

Record: TypeAlias = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class LineError:
    """A fault of one line, item or row, counted from 1, or with 0 of the whole file.

    `field` is empty where all of it is at fault.
    """

    line: int
    field: str
    message: str


class RecordFileError(StoreError, ValueError):
    """A file that cannot be used, with all its faults; the message shows the first 20."""

    def __init__(self, path: os.PathLike[str] | str, faults: Iterable[LineError], unit: str = "line") -> None:
        self.path = str(path)
        self.faults = tuple(faults)
        self._unit = unit
        name = Path(str(path)).name
        shown = [said(name, unit, fault) for fault in self.faults[:SHOWN_FAULTS]]
        if len(self.faults) > SHOWN_FAULTS:
            shown.append(f"… and {len(self.faults) - SHOWN_FAULTS} more faults in {name}")
        super().__init__("\n".join(shown))

    def __reduce__(self) -> tuple[type[RecordFileError], tuple[str, tuple[LineError, ...], str]]:
        return type(self), (self.path, self.faults, self._unit)


def said(name: str, unit: str, fault: LineError) -> str:
    """`rollouts.jsonl line 17: has no response`."""
    return f"{name} {unit} {fault.line}: {fault.message}" if fault.line else f"{name} {fault.message}"


def printable(part: object) -> str:
    """A name from the file, short and without what could break a log line or an encoder."""
    cut = str(part)[:MAX_NAME_CHARACTERS]
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in cut)


def first_fault(error: ValidationError) -> tuple[str, str]:
    """Where the first fault is, as `items[3].response` (empty: all of it is), and what it is."""
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    return where(first["loc"]), first["msg"].removeprefix("Value error, ")


def where(location: Sequence[object]) -> str:
    """`("items", 3, "response")` as `items[3].response`.

    A name that was sent is cut to `MAX_NAME_CHARACTERS`. Parts in parentheses are forms of a value, and no names.
    """
    path = ""
    for part in location:
        if isinstance(part, int):
            path += f"[{part}]"
        elif not (name := cut(str(part), MAX_NAME_CHARACTERS)).startswith("("):
            path += f".{name}" if path else name
    return path


def cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
