"""What one request has to find out, and the judge's tasks that it makes."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass

from perception_reward.service.judges.base import JudgeTask
from perception_reward.service.pace import Pace
from perception_reward.service.rewards.grading import Question
from perception_reward.service.worksheet import Ask, Worksheet


@dataclass(slots=True)
class Errand:
    """What one request has to find out, by cache key, and where it came from."""

    asks: dict[bytes, Ask]
    questions: dict[bytes, Question]
    cache_hits: Set[bytes] = frozenset()
    judged: Set[bytes] = frozenset()
    joined: int = 0

    @property
    def keys(self) -> set[bytes]:
        return self.asks.keys() | self.questions.keys()


async def errand_of(sheets: Sequence[Worksheet]) -> Errand:
    errand = Errand({}, {})
    pace = Pace()
    for sheet in sheets:
        await pace.keep()
        errand.asks.update(sheet.asks)
        if sheet.question is not None and sheet.grade_key is not None:
            errand.questions[sheet.grade_key] = sheet.question
    return errand


async def tasks_of(asks: Sequence[Ask], *, whole_lists: bool) -> list[tuple[JudgeTask, tuple[bytes, ...]]]:
    """The judge's tasks, each with the keys of its facts, in the order in which facts were asked."""
    if whole_lists:
        lists = {ask.keys: ask for ask in asks}
        return [(JudgeTask(ask.response, ask.facts, ask.group), ask.keys) for ask in lists.values()]
    pace = Pace()
    by_response: dict[str, list[Ask]] = {}
    for ask in asks:
        by_response.setdefault(ask.response, []).append(ask)
        await pace.keep()
    tasks: list[tuple[JudgeTask, tuple[bytes, ...]]] = []
    for response, group in by_response.items():
        group.sort(key=lambda ask: ask.place)
        task = JudgeTask(response, tuple(ask.facts[ask.place] for ask in group), group[0].group)
        tasks.append((task, tuple(ask.keys[ask.place] for ask in group)))
        await pace.keep()
    return tasks
