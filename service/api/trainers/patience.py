"""Waiting for what is only away for a while.

A trainer that speaks to `/v1/score` through the client tries again for minutes. Those with a protocol of their own
give up after a few tries and lose their run, so a request waits here for a judge or a store that is restarted.
"""

from __future__ import annotations

import asyncio

from perception_reward.service.backoff import Backoff
from perception_reward.service.scoring.scorer import Scorer, tally
from perception_reward.trainer_client.wire import Reason, ScoreRequest, ScoreResponse

# What can be over in a moment. The others would be missing again.
PASSING: frozenset[Reason] = frozenset({"judge_unavailable", "annotations_unavailable", "overloaded"})
# Seconds between two looks, the first and the longest.
FIRST, LONGEST = 0.5, 10.0


class PatientScorer:
    """A scorer that scores again, until its deadline, what is missing for a passing reason."""

    def __init__(self, scorer: Scorer, first: float | None = None) -> None:
        self._scorer = scorer
        self._first = FIRST if first is None else first

    async def score(self, request: ScoreRequest, deadline: float) -> ScoreResponse:
        """As `Scorer.score`. Only what is missing is scored again, and most of that comes from the cache."""
        backoff, loop = Backoff(self._first, LONGEST), asyncio.get_running_loop()
        started = loop.time()
        response = await self._scorer.score(request, deadline)
        took = loop.time() - started
        while away := [place for place, result in enumerate(response.results) if result.reason in PASSING]:
            pause = backoff.next()
            # A look that does not end in time would lose what is known of the others.
            if loop.time() + pause + took >= deadline:
                break
            await asyncio.sleep(pause)
            part = request.model_copy(update={"items": [request.items[place] for place in away]})
            response = _with(response, away, await self._scorer.score(part, deadline))
        return response


def _with(response: ScoreResponse, places: list[int], again: ScoreResponse) -> ScoreResponse:
    """`response` with the results at `places` replaced."""
    results = list(response.results)
    for place, result in zip(places, again.results, strict=True):
        results[place] = result
    seconds = response.summary.seconds + again.summary.seconds
    summary = response.summary.model_copy(update={**tally(results), "seconds": seconds})
    return response.model_copy(update={"results": results, "summary": summary})
