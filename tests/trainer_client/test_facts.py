from __future__ import annotations

import logging
from typing import Any

import pytest

from perception_reward.trainer_client import DataError, RewardClient
from perception_reward.trainer_client.facts import LEAST_UNKNOWN, MOST_EMPTY, FactsWatch, guess
from perception_reward.trainer_client.missing import missing_result

ANSWER = {"answer": "13", "response": "…"}


@pytest.mark.parametrize(
    ("names", "meant"),
    [
        (["answer", "problem_id", "prompt"], "problem_id -> annotation_id"),
        (["anotation_id", "id"], "anotation_id -> annotation_id"),
        (["extra_info.index", "extra_info.anno_id"], "extra_info.anno_id -> annotation_id"),
        (["visual_fact", "answer", "Facts"], "Facts -> facts"),
        (["id", "image"], "id -> annotation_id"),
    ],
)
def test_the_nearest_name_is_guessed(names: list[str], meant: str) -> None:
    assert guess(names) == f" Did you mean: {meant}?"


def test_nothing_is_guessed_where_nothing_comes_near() -> None:
    assert guess(["answer", "image", "prompt", "video"]) == ""


def test_rows_that_lead_to_facts_are_never_asked_for_their_names() -> None:
    watch = FactsWatch(required=True)
    watch.rows([ANSWER, {"annotation_id": "a"}], lambda: pytest.fail("nobody has to know"))
    watch.rows([ANSWER], lambda: ["answer"])


@pytest.mark.parametrize("field", ["annotation_id", "facts"])
def test_a_column_that_is_there_may_be_empty_for_a_while(field: str) -> None:
    watch = FactsWatch(required=True)
    watch.rows([ANSWER] * (MOST_EMPTY - 1), lambda: ["answer", field])
    with pytest.raises(DataError, match=f"empty in all of the first {MOST_EMPTY} rows"):
        watch.rows([ANSWER], lambda: ["answer", field])


def test_a_batch_of_other_tasks_tells_nothing() -> None:
    FactsWatch(required=True).rows([], lambda: ["prompt"])


def test_nothing_is_required_of_who_wants_no_perception() -> None:
    watch = FactsWatch(required=False)
    watch.rows([ANSWER], lambda: ["answer", "problem_id"])
    watch.results([{"annotation_id": name} for name in "abcd"], [missing_result(None, "unknown_annotation")] * 4)


def test_what_some_trainers_drop_is_in_the_log_and_only_once(caplog: pytest.LogCaptureFixture) -> None:
    watch = FactsWatch(required=True)
    for _ in range(3):
        with caplog.at_level(logging.ERROR), pytest.raises(DataError):
            watch.rows([ANSWER], lambda: ["answer", "problem_id"])
    assert len(caplog.records) == 1
    assert "problem_id -> annotation_id" in caplog.text


def test_annotations_are_unknown_only_where_none_of_several_is_known() -> None:
    watch = FactsWatch(required=True)
    unknown, silent = missing_result(None, "unknown_annotation"), missing_result(None, "service_unavailable")
    names: list[dict[str, Any]] = [{"annotation_id": f"geo/{number}"} for number in range(LEAST_UNKNOWN)]
    watch.results([*names[1:], *names[1:]], [unknown] * 2 * (LEAST_UNKNOWN - 1))
    watch.results(names[:1], [silent])
    with pytest.raises(DataError, match=r"'geo/0', 'geo/1', 'geo/2'.*require_facts"):
        watch.results(names[:1], [unknown])


async def test_one_known_annotation_is_enough(served: str) -> None:
    async with RewardClient(served) as client:
        await client.score([{"annotation_id": "triangle/1", "response": "AB = 5"}])
        results = await client.score([{"annotation_id": f"geo/{number}", "response": "…"} for number in range(9)])
    assert {result.reason for result in results} == {"unknown_annotation"}


async def test_a_client_is_told_of_a_service_with_other_annotations(served: str) -> None:
    async with RewardClient(served) as client:
        with pytest.raises(DataError, match="none of the first 9 annotations"):
            await client.score([{"annotation_id": f"geo/{number}", "response": "…"} for number in range(9)])
