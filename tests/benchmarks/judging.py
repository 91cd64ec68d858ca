"""The symbolic judge over tasks, on this event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from perception_reward.service.judges.base import JudgeTask, Verdict
from perception_reward.service.judges.symbolic.judge import SymbolicJudge


def judge_all(tasks: Sequence[JudgeTask]) -> list[tuple[Verdict, ...]]:
    """Every task's verdicts, in order."""

    async def run() -> list[tuple[Verdict, ...]]:
        judge = SymbolicJudge()
        await judge.start()
        done: dict[int, tuple[Verdict, ...]] = {}
        deadline = asyncio.get_running_loop().time() + 3600
        async for index, outcomes in judge.judge(tasks, deadline):
            verdicts = tuple(outcome for outcome in outcomes if isinstance(outcome, Verdict))
            if len(verdicts) < len(outcomes):
                raise RuntimeError(f"task {index}: the symbolic judge left a verdict out: {outcomes}")
            done[index] = verdicts
        await judge.aclose()
        return [done[index] for index in range(len(tasks))]

    return asyncio.run(run())
