"""Which records are scored: `--where`, `--sample` and `--limit`.

wanted = Condition.read("metadata.source=SciBench")
wanted.holds({"metadata": {"source": "SciBench"}})          # True
"""

from __future__ import annotations

import heapq
import operator
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from perception_reward.annotations.faults import LineError, Record
from perception_reward.service.batch.layouts import at

COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "!=": operator.ne,
    "<=": operator.le,
    ">=": operator.ge,
    "=": operator.eq,
    "<": operator.lt,
    ">": operator.gt,
}
_CONDITION = re.compile(r"\s*([^=!<>]+?)\s*(!=|<=|>=|==?|<|>)\s*(.*?)\s*", re.DOTALL)
# Which record of which file: the file's position from 0, and the place in it from 1.
Place = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Condition:
    """A column, or a path of names as in `layouts`, compared with a value: as numbers where both are, else as text.

    A record without the column fulfils `!=` alone.
    """

    column: str
    comparison: str
    value: str

    @classmethod
    def read(cls, text: str) -> Condition:
        """Of `COLUMN=VALUE`, with `=`, `!=`, `<`, `<=`, `>` or `>=`. Raises `ValueError`."""
        found = _CONDITION.fullmatch(text)
        if found is None:
            raise ValueError(f"{text!r} is not COLUMN=VALUE (or !=, <, <=, >, >=), such as step>=100")
        column, comparison, value = found.groups()
        return cls(column, "=" if comparison == "==" else comparison, value.strip("'\""))

    def holds(self, record: Record) -> bool:
        found = at(record, self.column)
        if found is None:
            return self.comparison == "!="
        number, wanted = _number(found), _number(self.value)
        if number is not None and wanted is not None:
            return COMPARISONS[self.comparison](number, wanted)
        return COMPARISONS[self.comparison](_text(found), self.value)


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return float(value)
    except ValueError:
        return None


def _text(value: object) -> str:
    # As JSON writes it, which is how a person sees it in the file.
    return str(value).lower() if isinstance(value, bool) else str(value)


@dataclass(frozen=True, slots=True)
class Selection:
    """where: all have to hold. sample: the places that were drawn, None for all; seed: how. limit: records at most."""

    where: Sequence[Condition] = ()
    sample: frozenset[Place] | None = None
    limit: int | None = None
    seed: str = ""

    def takes(self, file: int, place: int, record: Record | LineError) -> bool:
        """Faulty records are taken, to be told, unless conditions or a sample choose among them."""
        if self.sample is not None:
            return (file, place) in self.sample
        if isinstance(record, LineError):
            return not self.where
        return all(condition.holds(record) for condition in self.where)


def drawn(places: Iterable[Place], count: int, seed: int) -> frozenset[Place]:
    """`count` of the places, the same ones for a seed; memory holds so many and no more."""
    kept: list[tuple[int, Place]] = []
    for place in places:
        digest = blake2b(repr((seed, place)).encode(), digest_size=8).digest()
        entry = (-int.from_bytes(digest, "big"), place)
        if len(kept) < count:
            heapq.heappush(kept, entry)
        elif entry > kept[0]:
            heapq.heapreplace(kept, entry)
    return frozenset(place for _, place in kept)
