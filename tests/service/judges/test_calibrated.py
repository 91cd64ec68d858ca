from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence

import pytest

from perception_reward.service.judges.base import Health, JudgeInfo, JudgeTask, Missing, Outcome, Verdict
from perception_reward.service.judges.calibrated import CalibratedJudge
from perception_reward.service.judges.calibration import Adjustment, Calibration
from perception_reward.trainer_client.wire import Fact

FACTS = (
    Fact(id="f1", text="Segment AB has length 5.", kind="length"),
    Fact(id="f2", text="Angle A measures 5 degrees.", kind="angle"),
    Fact(id="f3", text="Angle B measures 5 degrees.", kind="angle"),
)


class Unsure:
    """Says 0.5 of everything but the last fact, which it cannot tell. Its fingerprint is known once it is started."""

    together = True

    def __init__(self) -> None:
        self.method = "guess"
        self.info = JudgeInfo("unsure", "m", "guess", "unsure/?")
        self.closed = False

    async def judge(
        self, tasks: Sequence[JudgeTask], deadline: float
    ) -> AsyncGenerator[tuple[int, tuple[Outcome, ...]]]:
        try:
            for index in reversed(range(len(tasks))):
                yield index, (Verdict("absent", 0.5), Verdict("absent", 0.5), Missing("judge_timeout"))
        finally:
            self.closed = True

    async def health(self) -> Health:
        return Health(False, "unwell")

    async def start(self) -> None:
        self.info = JudgeInfo("unsure", "m", self.method, "unsure/1")

    async def aclose(self) -> None:
        self.info = JudgeInfo("unsure", "m", "guess", "closed")


def calibrated(judge: str | None = "unsure/1") -> tuple[Unsure, CalibratedJudge]:
    inner = Unsure()
    calibration = Calibration(judge=judge, every=Adjustment(threshold=0.6), kinds={"length": Adjustment(threshold=0.4)})
    return inner, CalibratedJudge(inner, calibration)


async def test_verdicts_are_read_by_the_kind_of_their_fact_and_missing_stays_missing():
    _, judge = calibrated()
    tasks = [JudgeTask("a", FACTS), JudgeTask("b", FACTS)]
    found = [pair async for pair in judge.judge(tasks, asyncio.get_running_loop().time() + 1)]
    assert [index for index, _ in found] == [1, 0]
    for _, outcomes in found:
        assert [outcome.label for outcome in outcomes if isinstance(outcome, Verdict)] == ["stated", "absent"]
        assert outcomes[2] == Missing("judge_timeout")


async def test_closing_early_closes_the_judge():
    inner, judge = calibrated()
    asked = judge.judge([JudgeTask("a", FACTS), JudgeTask("b", FACTS)], asyncio.get_running_loop().time() + 1)
    await anext(asked)
    await asked.aclose()
    assert inner.closed


async def test_it_is_the_judge_with_another_fingerprint():
    inner, judge = calibrated()
    await judge.start()
    assert judge.info.name == "unsure"
    assert judge.info.fingerprint.startswith("unsure/1+calibration/")
    assert judge.together
    assert await judge.health() == Health(False, "unwell")
    await judge.aclose()
    assert inner.info.fingerprint == "closed"


async def test_a_calibration_for_another_judge_is_refused_at_start():
    _, judge = calibrated("other/2")
    with pytest.raises(ValueError, match=r"other/2.*unsure/1.*--judge-calibration"):
        await judge.start()


async def test_a_taught_models_calibration_fits_it_however_it_is_served():
    inner, judge = calibrated(judge=None)
    inner.method = "verdict"
    await judge.start()
    assert judge.info.fingerprint.startswith("unsure/1+calibration/")
    # The rules, or a model that is asked otherwise, are not what was taught.
    inner.method = "paper"
    with pytest.raises(ValueError, match="asked by the method verdict"):
        await judge.start()
