from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence

from perception_reward.service.audit.probes import observe, probe
from perception_reward.service.audit.truths import repeats
from perception_reward.service.judges.base import JudgeTask, Missing, Outcome, Verdict
from perception_reward.service.judges.symbolic.judge import SymbolicJudge
from perception_reward.trainer_client.wire import Fact

FACT = Fact(id="f1", text="Segment AB has length 5.")
OTHER = Fact(id="f2", text="Segment AC has length 7.")


def test_the_same_question_has_the_same_id_whatever_the_fact_is_called():
    one = probe("generated", "plain", FACT, "AB = 5", "stated", problem="p")
    same = probe("generated", "plain", FACT.model_copy(update={"id": "g"}), "AB = 5", "stated", problem="p")
    assert one.id == same.id


def test_another_response_base_or_company_is_another_probe():
    plain = probe("generated", "plain", FACT, "AB = 5", "stated")
    others = [
        probe("generated", "plain", FACT, "AB = 6", "stated"),
        probe("generated", "plain", OTHER, "AB = 5", "stated"),
        probe("generated", "plain", FACT, "AB = 5", "stated", base=plain),
        probe("generated", "plain", FACT, "AB = 5", "stated", asked=(FACT, OTHER)),
    ]
    assert len({plain.id, *(other.id for other in others)}) == 5


def test_a_fact_is_asked_alone_unless_it_has_company():
    assert probe("generated", "plain", FACT, "", "absent").task == (FACT,)
    assert probe("flip", "batch", FACT, "", None, asked=(OTHER, FACT)).task == (OTHER, FACT)


def test_a_lone_surrogate_has_an_id():
    assert len(probe("attack", "odd", FACT, "\ud800", "absent").id) == 16


AB = Fact(id="f1", text="Segment AB has length 5.")
AC = Fact(id="f2", text="Segment AC has length 7.")


class Recording(SymbolicJudge):
    """The symbolic judge, which keeps what it was asked and leaves out what it is told to."""

    def __init__(self, *, silent_about: str | None = None) -> None:
        super().__init__()
        self.tasks: list[JudgeTask] = []
        self._silent_about = silent_about

    async def judge(
        self, tasks: Sequence[JudgeTask], deadline: float
    ) -> AsyncGenerator[tuple[int, tuple[Outcome, ...]]]:
        self.tasks += tasks
        async for index, outcomes in super().judge(tasks, deadline):
            if self._silent_about is None or self._silent_about not in tasks[index].response:
                yield index, outcomes


async def test_observations_come_in_the_order_of_the_probes():
    probes = [probe("generated", "plain", AB, f"AB = {value}", "stated") for value in range(200)]
    seen = await observe(SymbolicJudge(), probes, batch=7)
    assert [observation.probe for observation in seen] == probes
    stated = [isinstance(each.outcome, Verdict) and each.outcome.label == "stated" for each in seen]
    assert [at for at, right in enumerate(stated) if right] == [5]


async def test_a_fact_among_others_gets_its_own_verdict():
    probes = [probe("flip", "order", fact, "AB = 5", None, asked=(AC, AB)) for fact in (AB, AC)]
    judge = Recording()
    seen = await observe(judge, probes)
    assert [task.facts for task in judge.tasks] == [(AC, AB)]
    assert [each.outcome.label for each in seen if isinstance(each.outcome, Verdict)] == ["stated", "absent"]


async def test_a_repeat_is_asked_once_more_and_last():
    first = [probe("generated", "plain", fact, "AB = 5", None) for fact in (AB, AC)]
    judge = Recording()
    await observe(judge, [*repeats(first), *first])
    assert [task.facts for task in judge.tasks] == [(AB,), (AC,), (AB,), (AC,)]


async def test_whether_a_verdict_changes_is_not_answered_from_memory():
    plain = probe("generated", "plain", AB, "AB = 5", None)
    flip = probe("flip", "batch", AB, "AB = 5", None, base=plain, asked=(AB, AC))
    judge = Recording()
    await observe(judge, [plain, flip, *repeats([plain])])
    assert [task.anew for task in sorted(judge.tasks, key=lambda task: len(task.facts))] == [False, True, True]


async def test_what_the_judge_leaves_out_is_missing():
    probes = [probe("generated", "plain", AB, response, "stated") for response in ("AB = 5", "AB is 5")]
    seen = await observe(Recording(silent_about="is"), probes)
    assert isinstance(seen[0].outcome, Verdict)
    assert seen[1].outcome == Missing("judge_timeout")


async def test_a_judge_without_time_gives_missing_verdicts():
    probes = [probe("generated", "plain", AB, "AB = 5", "stated")]
    assert (await observe(SymbolicJudge(), probes, deadline_per_batch=0.0))[0].outcome == Missing("judge_timeout")


async def test_a_response_is_cut_as_the_service_cuts_it():
    judge = Recording()
    await observe(judge, [probe("attack", "long", AB, "x" * 50, "absent")], max_response_chars=20)
    assert judge.tasks[0].response == "x" * 20


async def test_of_a_scope_that_part_is_judged_and_spans_are_those_of_the_response():
    inside, outside = "<think>no</think><p>AB = 5</p>", "AB = 5 <p>no</p>"
    probes = [probe("attack", "x", AB, response, "absent") for response in (inside, outside, "AB = 5")]
    judge = Recording()
    seen = await observe(judge, probes, scope="p", max_response_chars=6)
    assert sorted(task.response for task in judge.tasks) == ["AB = 5", "no"]
    found = [each.outcome for each in seen if isinstance(each.outcome, Verdict)]
    assert [verdict.label for verdict in found] == ["stated", "absent", "absent"]
    assert inside[slice(*found[0].span or (0, 0))] == "AB = 5"


async def test_every_answer_is_told_to_the_progress():
    probes = [probe("generated", "plain", fact, text, None) for text in ("a", "b") for fact in (AB, AC)]
    told: list[int] = []
    await observe(SymbolicJudge(), probes, progress=told.append)
    assert sum(told) == len(probes)
