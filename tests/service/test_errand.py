from __future__ import annotations

from perception_reward.service.errand import errand_of, tasks_of
from perception_reward.service.profiles.load import load_profiles
from perception_reward.service.readings import Readings
from perception_reward.service.worksheet import Worksheet
from perception_reward.trainer_client.wire import ScoreItem

FACTS = [{"id": f"f{n}", "text": f"Segment AB has length {n}."} for n in range(4)]


def sheet(response: str, facts: list[dict[str, str]] = FACTS, answer: str | None = None) -> Worksheet:
    return Worksheet(
        ScoreItem.model_validate({"response": response, "facts": facts, "answer": answer}),
        None,
        unread="unknown_annotation",
        profile=load_profiles()["perception-r1"],
        fingerprint="test/1",
        scope="fact",
        readings=Readings(),
        max_response_chars=1000,
    )


async def test_what_items_share_is_found_out_once():
    errand = await errand_of([sheet("same", answer="5"), sheet("same"), sheet("other")])
    assert len(errand.asks) == 2 * len(FACTS)
    assert len(errand.questions) == 0  # neither response holds an answer
    assert errand.keys == errand.asks.keys()


async def test_an_answer_that_has_to_be_compared_is_a_question():
    errand = await errand_of([sheet("\\boxed{5}", answer="5"), sheet("\\boxed{5}", answer="5")])
    assert [question.references for question in errand.questions.values()] == [("5",)]


async def test_facts_judged_alone_go_in_one_task_per_response_and_only_those_wanted():
    errand = await errand_of([sheet("one"), sheet("two")])
    wanted = [ask for ask in reversed(errand.asks.values()) if ask.place != 1]
    tasks = {task.response: (task, keys) for task, keys in await tasks_of(wanted, whole_lists=False)}
    assert {response: [fact.id for fact in task.facts] for response, (task, _) in tasks.items()} == {
        "one": ["f0", "f2", "f3"],
        "two": ["f0", "f2", "f3"],
    }
    for task, keys in tasks.values():
        assert [errand.asks[key].facts[errand.asks[key].place] for key in keys] == list(task.facts)


async def test_facts_judged_together_go_as_a_whole_list_whatever_is_wanted():
    errand = await errand_of([sheet("one")])
    [(task, keys)] = await tasks_of(list(errand.asks.values())[2:], whole_lists=True)
    assert [fact.id for fact in task.facts] == ["f0", "f1", "f2", "f3"]
    assert list(keys) == list(errand.asks)
