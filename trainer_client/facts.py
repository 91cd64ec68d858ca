"""Whether a run's rows lead to facts. Where none does, there is no perception in the reward, and nobody would be told.

A misspelt column (`problem_id` for `annotation_id`) leaves rows that can be scored for their answers alone, and a
service that was started with another file knows none of the annotations. Either is told at the start and stops the run.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Any

from perception_reward.trainer_client.errors import DataError
from perception_reward.trainer_client.options import named

if TYPE_CHECKING:
    from perception_reward.trainer_client.encoding import Item
    from perception_reward.trainer_client.wire import ItemResult

FACTS, ANNOTATION = "facts", "annotation_id"
# Rows of a mixed data set whose column of facts is there and empty, before it counts as empty for all of them.
MOST_EMPTY = 512
# Annotations that the service does not have, and none that it has, before it is taken for one with other annotations.
LEAST_UNKNOWN = 3
# Reasons that tell nothing about whether the annotation is known.
_UNTOLD = frozenset({"service_unavailable", "overloaded", "annotations_unavailable"})
# How alike two names are, from 0 to 1, for one to be the other misspelt.
ALIKE = 0.6
# Names in an error.
MOST_NAMES = 40

logger = logging.getLogger(__name__)


class FactsWatch:
    """Watches the first rows and results of one process, from any thread. Once a fact was led to, it rests.

    required: whether it raises at all.
    """

    def __init__(self, required: bool) -> None:
        self._rows_pass = self._results_pass = not required
        self._empty = 0
        self._unknown: set[str] = set()
        self._told = False
        self._lock = threading.Lock()

    def rows(self, items: Sequence[Mapping[str, Any]], names: Callable[[], Iterable[str]]) -> None:
        """Look at the items of a batch; those of other tasks are not among them. `DataError` where none names facts.

        names: what the rows' columns and fields are called. A row that has the column, and nothing in it, belongs to a
        mixed data set: it is an error only after 512 of them.
        """
        if self._rows_pass or not items:
            return
        if any(ANNOTATION in item or FACTS in item for item in items):
            self._rows_pass = True
            return
        there = sorted(set(names()))
        if any(_leaf(name) in (ANNOTATION, FACTS) for name in there):
            with self._lock:
                self._empty += len(items)
            if self._empty < MOST_EMPTY:
                return
            self._stop(f"{ANNOTATION} or {FACTS} is there, and empty in all of the first {self._empty} rows")
        self._stop(
            f"no row of the first batch names facts; it has {_listed(there)}.{guess(there)} Rename the column, or "
            "write the data set with `perception-reward dataset`"
        )

    def results(self, items: Sequence[Item], results: Sequence[ItemResult]) -> None:
        """Look at what came back. `DataError` where the service has none of the first annotations."""
        if self._results_pass:
            return
        for item, result in zip(items, results, strict=True):
            name = item.get(ANNOTATION) if isinstance(item, Mapping) else item.annotation_id
            if name is None or result.reason in _UNTOLD:
                continue
            if result.reason != "unknown_annotation":
                self._results_pass = True
                return
            with self._lock:
                self._unknown.add(str(name))
        if len(self._unknown) >= LEAST_UNKNOWN:
            shown = ", ".join(map(repr, sorted(self._unknown)[:LEAST_UNKNOWN]))
            self._stop(
                f"the service has none of the first {len(self._unknown)} annotations that the rows name, such as "
                f"{shown}. Start it with the annotations of this data set; `perception-reward check --dataset FILE` "
                "lists what it lacks"
            )

    def _stop(self, why: str) -> None:
        message = f"{why}. To train on answers alone: {named('require_facts')}=false."
        if not self._told:
            # Some trainers drop the error of a sample; the log is where people look then.
            self._told = True
            logger.error("perception_reward: %s", message)
        raise DataError(message)


def guess(names: Iterable[str]) -> str:
    """What was most likely meant, as a sentence behind another; empty where nothing comes near."""
    best, meant = 0.0, ""
    for name in names:
        leaf = _leaf(name).lower()
        for wanted in (ANNOTATION, FACTS):
            alike = SequenceMatcher(None, leaf, wanted).ratio()
            # `problem_id` is not spelt like `annotation_id`, and is what people call it.
            close = alike >= ALIKE or (wanted == ANNOTATION and (leaf == "id" or leaf.endswith("_id")))
            if close and alike > best:
                best, meant = alike, f"{name} -> {wanted}"
    return f" Did you mean: {meant}?" if meant else ""


def _leaf(name: str) -> str:
    return name.rpartition(".")[2]


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    return ", ".join(names[:MOST_NAMES]) + more or "no columns"
