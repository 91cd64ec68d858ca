"""What the cascade's rules decide alone, and how that is watched.

Thresholds say from which certainty on they do, by what sort of statement a fact is and what they say of it:
`thresholds.toml` is chosen on labelled data by `tests/benchmarks/cascade.py`, which says there on what and when. About
what they have decided the model is asked now and then, only to count how often the two agree.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from functools import cache
from hashlib import blake2b
from importlib import resources
from types import MappingProxyType
from typing import Final, Literal, Protocol, TypeAlias, get_args

import tomllib

from perception_reward.service.judges.base import Judge, JudgeTask, Missing, Verdict
from perception_reward.service.judges.symbolic.kinds import KINDS, kind_of
from perception_reward.trainer_client.wire import Fact, Label

# `rules` and `model` decided; `none`: neither did, and the verdict is missing.
Stage: TypeAlias = Literal["rules", "model", "none"]
Comparison: TypeAlias = Literal["agreed", "disagreed", "missing", "skipped"]


class CascadeObserver(Protocol):
    """Called on the event loop, so it must not block."""

    def cascaded(self, stage: Stage, kind: str, facts: int) -> None:
        """A stage had the last word on so many facts of a kind."""
        ...

    def compared(self, kind: str, result: Comparison) -> None:
        """The model was asked about a fact that the rules had decided: `missing` where it gave no verdict,
        `skipped` where too many comparisons were under way to ask."""
        ...


class Unobserved:
    """An observer that takes no notice."""

    def cascaded(self, stage: Stage, kind: str, facts: int) -> None: ...

    def compared(self, kind: str, result: Comparison) -> None: ...


logger = logging.getLogger(__name__)

# Comparisons wait for nobody, and nobody for them: past so many under way, further ones are skipped.
MOST_UNDER_WAY: Final = 16
# Seconds for the model to answer one of them.
TIME_LIMIT: Final = 60.0


class Checks:
    """Comparisons in the background. No verdict changes by them. Belongs to one event loop.

    share: of the facts that the rules decide, in [0, 1]. Drawn by content, so that every replica draws the same.
    """

    def __init__(self, model: Judge, share: float, observer: CascadeObserver) -> None:
        self._model = model
        self._share = share
        self._observer = observer
        self._under_way: set[asyncio.Task[None]] = set()

    def consider(self, task: JudgeTask, decided: Sequence[tuple[Fact, Verdict]]) -> None:
        """Compare those of `decided` that are drawn; returns at once."""
        drawn = [pair for pair in decided if self._draws(task.response, pair[0])] if self._share > 0 else []
        if not drawn:
            return
        if len(self._under_way) >= MOST_UNDER_WAY:
            for fact, _ in drawn:
                self._observer.compared(kind_of(fact.text), "skipped")
            return
        check = asyncio.create_task(self._compare(task, drawn))
        self._under_way.add(check)
        check.add_done_callback(self._under_way.discard)

    def _draws(self, response: str, fact: Fact) -> bool:
        content = f"{len(fact.identity)},{fact.identity}{response}".encode("utf-8", "surrogatepass")
        return int.from_bytes(blake2b(content, digest_size=8).digest()) < self._share * 2**64

    async def _compare(self, task: JudgeTask, drawn: Sequence[tuple[Fact, Verdict]]) -> None:
        asked = replace(task, facts=tuple(fact for fact, _ in drawn))
        deadline = asyncio.get_running_loop().time() + TIME_LIMIT
        try:
            async with aclosing(self._model.judge([asked], deadline)) as judged:
                async for _, outcomes in judged:
                    for (fact, verdict), outcome in zip(drawn, outcomes, strict=True):
                        missing = isinstance(outcome, Missing)
                        same = "agreed" if not missing and outcome.label == verdict.label else "disagreed"
                        self._observer.compared(kind_of(fact.text), "missing" if missing else same)
        except Exception:
            # Nobody waits for this task: its error would be told when it is collected, or never.
            logger.exception("a comparison of the rules with the model failed")

    async def idle(self) -> None:
        """Wait until no comparison is under way."""
        await asyncio.gather(*self._under_way, return_exceptions=True)

    async def aclose(self) -> None:
        for check in self._under_way:
            check.cancel()
        await self.idle()


PACKAGED: Final = "thresholds.toml"

# By kind and label, the least certainty that decides. What is not there is never decided by the rules.
Thresholds: TypeAlias = Mapping[str, Mapping[Label, float]]


def decides(thresholds: Thresholds, kind: str, verdict: Verdict) -> bool:
    """Whether a verdict of the rules about a fact of `kind` stands without asking a model.

    A settled one always does: a response that lists every value is not to be saved by a model that sees the right one.
    """
    least = thresholds.get(kind, {}).get(verdict.label)
    return verdict.settled or (least is not None and verdict.certainty >= least)


@cache
def packaged() -> Thresholds:
    """The thresholds that come with the package."""
    return read(resources.files(__package__ or "").joinpath(PACKAGED).read_text(encoding="utf-8"))


def read(text: str) -> Thresholds:
    """Thresholds from TOML, a table of labels for each kind. ValueError says which entry is wrong."""
    tables = tomllib.loads(text).get("kinds", {})
    labels: tuple[Label, ...] = get_args(Label)
    found: dict[str, Mapping[Label, float]] = {}
    for kind, table in tables.items():
        if kind not in KINDS:
            raise ValueError(f"thresholds for {kind!r}, which is no kind; there are {', '.join(sorted(KINDS))}")
        for label, least in table.items():
            if label not in labels or not isinstance(least, int | float) or not 0 <= least <= 1:
                raise ValueError(f"kinds.{kind}: {label} = {least!r}; write a label and a certainty in [0, 1]")
        found[kind] = MappingProxyType({label: float(table[label]) for label in labels if label in table})
    return MappingProxyType(found)
