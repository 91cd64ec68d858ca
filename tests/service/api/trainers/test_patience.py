from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from perception_reward.service.api.trainers.patience import LONGEST, PatientScorer
from perception_reward.trainer_client.wire import ScoreItem, ScoreRequest

FACT = {"id": "f1", "text": "Segment AB has length 5.", "kind": "length"}


def request(*responses: str) -> ScoreRequest:
    items = [ScoreItem.model_validate({"response": response, "facts": [FACT]}) for response in responses]
    return ScoreRequest(items=items)


def within(seconds: float) -> float:
    return asyncio.get_running_loop().time() + seconds


async def test_a_judge_that_comes_back_is_waited_for(serve: Callable[..., Any], flaky_judge: Callable[..., Any]):
    here = await serve(flaky_judge(5))
    scorer = PatientScorer(here.service.scorer, first=0.01)
    response = await scorer.score(request("AB = 5", "AB is 5 long"), within(60))
    assert [result.score for result in response.results] == [0.7, 0.7]
    assert response.summary.missing == 0


async def test_only_what_is_missing_is_scored_again(serve: Callable[..., Any], flaky_judge: Callable[..., Any]):
    here = await serve(flaky_judge(1))
    scorer = PatientScorer(here.service.scorer, first=0.01)
    await scorer.score(request("first", "second", "third"), within(60))
    first, second = ([task.response for task in batch] for batch in here.judge.batches)
    assert sorted(first) == ["first", "second", "third"]
    assert second == first[:1]


async def test_no_wait_goes_beyond_the_deadline(serve: Callable[..., Any], flaky_judge: Callable[..., Any]):
    here = await serve(flaky_judge())
    scorer = PatientScorer(here.service.scorer, first=1000)
    response = await scorer.score(request("AB = 5"), within(LONGEST / 2))
    assert response.results[0].reason == "judge_unavailable"
    assert len(here.judge.batches) == 1


async def test_what_no_wait_will_mend_is_not_waited_for(serve: Callable[..., Any]):
    here = await serve()
    items = [ScoreItem(response="x", annotation_id="no-such")]
    response = await PatientScorer(here.service.scorer).score(ScoreRequest(items=items), within(60))
    assert response.results[0].reason == "unknown_annotation"
