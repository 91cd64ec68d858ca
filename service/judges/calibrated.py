"""A judge whose probabilities are read through a calibration."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import replace

from perception_reward.service.judges.base import Health, Judge, JudgeInfo, JudgeTask, Outcome, Verdict
from perception_reward.service.judges.calibration import Calibration
from perception_reward.service.judges.trace import shown_by

MARK = "+calibration/"


class CalibratedJudge:
    """Implements `Judge`. What is missing stays missing."""

    def __init__(self, inner: Judge, calibration: Calibration) -> None:
        self._inner = inner
        self._calibration = calibration

    @property
    def info(self) -> JudgeInfo:
        inner = self._inner.info
        return replace(inner, fingerprint=f"{inner.fingerprint}{MARK}{self._calibration.digest}")

    @property
    def together(self) -> bool:
        return self._inner.together

    async def judge(
        self, tasks: Sequence[JudgeTask], deadline: float
    ) -> AsyncGenerator[tuple[int, tuple[Outcome, ...]]]:
        async with aclosing(self._inner.judge(tasks, deadline)) as found:
            async for index, outcomes in found:
                facts = tasks[index].facts
                yield (
                    index,
                    tuple(
                        self._calibration.reading(fact)(outcome) if isinstance(outcome, Verdict) else outcome
                        for fact, outcome in zip(facts, outcomes, strict=True)
                    ),
                )

    async def shown(self, task: JudgeTask, deadline: float) -> Sequence[str | None]:
        return await shown_by(self._inner, task, deadline)

    async def health(self) -> Health:
        return await self._inner.health()

    async def start(self) -> None:
        """Start the judge. ValueError where the calibration was fitted for another one: a judge is only fully known
        once it is started."""
        await self._inner.start()
        actual = self._inner.info.fingerprint
        if self._calibration.judge is None:
            if self._inner.info.method != "verdict":
                raise ValueError(
                    f"the calibration is that of a taught model, which is asked by the method verdict, and this judge "
                    f"is {actual}; name the model, or leave out --judge-calibration"
                )
        elif self._calibration.judge != actual:
            raise ValueError(
                f"the calibration was fitted for the judge {self._calibration.judge}, and this one is {actual}; "
                "fit it again with `perception-reward audit --fit`, or leave out --judge-calibration"
            )

    async def aclose(self) -> None:
        await self._inner.aclose()
