from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from perception_reward.service.judges.base import Missing, Verdict
from perception_reward.service.profiles.load import load_profiles
from perception_reward.service.rewards.registry import BUILT_IN
from perception_reward.service.scoring.readings import Readings
from perception_reward.service.scoring.worksheet import Worksheet, tasks_of, work_of
from perception_reward.trainer_client.wire import Fact, ScoreItem

FACTS = [{"id": f"f{n}", "text": f"Segment AB has length {n}."} for n in range(4)]


def sheet(response: str, facts: list[dict[str, str]] = FACTS, answer: str | None = None) -> Worksheet:
    return Worksheet(
        ScoreItem.model_validate({"response": response, "facts": facts, "answer": answer}),
        None,
        unread="unknown_annotation",
        profile=load_profiles()["perception-r1"],
        components=BUILT_IN,
        fingerprint="test/1",
        together=False,
        readings=Readings(),
        max_response_chars=1000,
    )


async def test_what_items_share_is_found_out_once():
    work = await work_of([sheet("same", answer="5"), sheet("same"), sheet("other")])
    assert len(work.asks) == 2 * len(FACTS)
    assert len(work.questions) == 0  # neither response holds an answer
    assert work.keys == work.asks.keys()


async def test_an_answer_that_has_to_be_compared_is_a_question():
    work = await work_of([sheet("\\boxed{5}", answer="5"), sheet("\\boxed{5}", answer="5")])
    assert [question.references for question in work.questions.values()] == [("5",)]


async def test_facts_judged_alone_go_in_one_task_per_response_and_only_those_wanted():
    work = await work_of([sheet("one"), sheet("two")])
    wanted = [ask for ask in reversed(work.asks.values()) if ask.place != 1]
    tasks = {task.response: (task, keys) for task, keys in await tasks_of(wanted, whole_lists=False)}
    assert {response: [fact.id for fact in task.facts] for response, (task, _) in tasks.items()} == {
        "one": ["f0", "f2", "f3"],
        "two": ["f0", "f2", "f3"],
    }
    for task, keys in tasks.values():
        assert [work.asks[key].facts[work.asks[key].place] for key in keys] == list(task.facts)


async def test_facts_judged_together_go_as_a_whole_list_whatever_is_wanted():
    work = await work_of([sheet("one")])
    [(task, keys)] = await tasks_of(list(work.asks.values())[2:], whole_lists=True)
    assert [fact.id for fact in task.facts] == ["f0", "f1", "f2", "f3"]
    assert list(keys) == list(work.asks)


async def test_a_sheet_is_complete_once_all_that_it_needs_is_known():
    work = await work_of([sheet("one", FACTS[:2]), sheet("one", FACTS[1:3]), sheet("\\boxed{}", [])])
    assert list(work.begin()) == [(0, False), (1, False), (2, True)]
    first, both, last = work.asks
    assert work.settle(both, Verdict("absent", 0.0)) == []
    assert work.settle(first, Verdict("stated", 1.0)) == [0]
    assert work.waiting == {last: [1]}
    assert work.settle(last, Missing("judge_timeout")) == [1]
    assert not work.waiting


async def test_what_no_component_needs_is_not_found_out():
    facts = [Fact.model_validate(fact) for fact in FACTS]
    item = ScoreItem(response="\\boxed{5}", facts=facts, answer="5")

    def keys(*needs: str) -> tuple[int, bool]:
        found = Worksheet(
            item,
            None,
            unread="unknown_annotation",
            profile=load_profiles()["perception-r1"],
            components=[one for one in BUILT_IN if one.needs in needs],
            fingerprint="test/1",
            together=False,
            readings=Readings(),
            max_response_chars=1000,
        )
        return len(found.asks), found.question is not None

    assert keys("text") == (0, False)
    assert keys("text", "grade") == (0, True)
    assert keys("verdicts") == (len(FACTS), False)


async def test_what_is_complete_is_found_in_time_that_does_not_grow_with_all_that_is_known():
    work = await work_of([sheet(f"response {number}") for number in range(20)])
    looked = 0

    class Finds(dict[bytes, Any]):
        def __contains__(self, key: object) -> bool:
            nonlocal looked
            looked += 1
            return super().__contains__(key)

        def __iter__(self) -> Iterator[bytes]:
            raise AssertionError("all that is known is gone through")

        def keys(self) -> Any:
            raise AssertionError("all that is known is gone through")

    work.finds = Finds(dict.fromkeys(work.keys, Verdict("absent", 0.0)))
    assert all(complete for _, complete in work.begin())
    assert looked == len(work.keys)
