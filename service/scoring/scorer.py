"""How a request travels: from items to results. Online and batch scoring both use this one path.

    prepare   the response as text, its annotation, and what has to be found out: verdicts and one grade
    recall    ask the cache once for all of it
    find out  join identical work in flight; send the rest to the judge and the grader in one batch, write back once
    combine   components into a score, by the profile

Nothing here raises for a failed judge, cache, store or grader: such an item is missing, with the reason.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from contextvars import ContextVar
from typing import Any, Protocol

from perception_reward.annotations.store import AnnotationStore, Found, StoreUnavailable
from perception_reward.service import tracing
from perception_reward.service.cache.codec import decode_grade, decode_verdict, encode_grade, encode_verdict
from perception_reward.service.cache.tiered import VerdictCache
from perception_reward.service.excerpt import WHOLE
from perception_reward.service.fairness import begin_flow
from perception_reward.service.judges.base import Judge, Missing
from perception_reward.service.pace import Pace
from perception_reward.service.processes.outcomes import TimedOut, Unavailable
from perception_reward.service.profiles.model import Profile
from perception_reward.service.rewards.component import Component
from perception_reward.service.rewards.grading import AccuracyGrader, Question
from perception_reward.service.scoring.flights import Flights
from perception_reward.service.scoring.readings import Readings
from perception_reward.service.scoring.run_warnings import RunWarnings
from perception_reward.service.scoring.thoughts import Thoughts
from perception_reward.service.scoring.worksheet import Ask, Find, Work, Worksheet, facts_of, tasks_of, work_of
from perception_reward.service.streams import merge
from perception_reward.trainer_client.wire import (
    ItemResult,
    Reason,
    ScoreItem,
    ScoreRequest,
    ScoreResponse,
    Summary,
)

logger = logging.getLogger(__name__)


def _unbounded(items: int, facts: int) -> None: ...


# Told how many items and facts a request has, those of its annotations among them, before anything is made for them.
# What it raises ends the request. Of the task that scores.
room: ContextVar[Callable[[int, int], None]] = ContextVar("room", default=_unbounded)


class UnknownProfileError(ValueError):
    """The request names a profile that is not loaded; the message lists those that are."""


class ScorerObserver(Protocol):
    """What the scorer reports, for metrics."""

    def scored(self, profile: str, run: str | None, results: Sequence[ItemResult], step: int | None = None) -> None: ...
    def judged(self, asked: int, joined: int) -> None: ...
    def judge_batch(self, seconds: float) -> None: ...


class Scorer:
    """Scores items against annotations with one judge. One per event loop; safe for any number of requests."""

    def __init__(
        self,
        *,
        store: AnnotationStore,
        cache: VerdictCache,
        judge: Judge,
        grader: AccuracyGrader,
        profiles: Mapping[str, Profile],
        components: Mapping[str, Component],
        default_profile: str,
        max_response_chars: int,
        observer: ScorerObserver,
        part: str = WHOLE,
        readings: Readings | None = None,
    ) -> None:
        """components: all that a profile may name. part: what of each response is judged, see `excerpt`."""
        self._store = store
        self._cache = cache
        self._judge = judge
        self._grader = grader
        self._profiles = profiles
        self._components = components
        self._default_profile = default_profile
        self._max_response_chars = max_response_chars
        self._part = part
        self._observer = observer
        self._flights: Flights[bytes, Find] = Flights()
        self._readings = readings or Readings()
        self._warnings = RunWarnings()
        self._thoughts = Thoughts()

    async def aclose(self) -> None:
        await self._flights.aclose()

    def profile(self, name: str | None) -> Profile:
        """The profile of a request; `UnknownProfileError` lists the known ones."""
        wanted = name or self._default_profile
        if wanted not in self._profiles:
            raise UnknownProfileError(f"unknown profile {wanted!r}; known: {', '.join(sorted(self._profiles))}")
        return self._profiles[wanted]

    async def score(self, request: ScoreRequest, deadline: float) -> ScoreResponse:
        """Score a whole request; results are in the order of its items. `deadline` is event-loop time."""
        results: dict[int, ItemResult] = {}
        summary: Summary | None = None
        async with aclosing(self.stream(request, deadline)) as stream:
            async for index, result in stream:
                if isinstance(result, Summary):
                    summary = result
                else:
                    results[index] = result
        assert summary is not None
        return ScoreResponse(
            profile=self.profile(request.profile).name,
            judge=self._judge.info.fingerprint,
            results=[results[index] for index in range(len(results))],
            summary=summary,
        )

    async def stream(self, request: ScoreRequest, deadline: float) -> AsyncGenerator[tuple[int, ItemResult | Summary]]:
        """Yield (index, result) as each item is ready, then (number of items, summary)."""
        started = time.perf_counter()
        profile = self.profile(request.profile)
        if request.tolerance is not None:
            profile = profile.model_copy(update={"tolerance": request.tolerance})
        found = await self._annotations(request.items, deadline)
        sheets = await self._prepare(request, found, profile)
        work = await work_of(sheets)
        await self._recall(work)
        results: list[ItemResult] = []
        pace = Pace()
        async with aclosing(self._find_out(work, deadline)) as complete:
            async for index in complete:
                traces = await sheets[index].traces(self._judge, work.finds, deadline) if request.explain else {}
                results.append(sheets[index].result(work.finds, request.step, traces))
                yield index, results[-1]
                await pace.keep()
        self._observer.scored(profile.name, request.run, results, request.step)
        self._observer.judged(len(work.judged), work.joined)
        summary = await _summary(results, work, started)
        concerns = _concerns(summary, profile)
        if profile.mode != "parity":
            concerns |= self._thoughts.concerns(request.run, (sheet.reading for sheet in sheets))
        warnings = self._warnings.tell(request.run, concerns)
        version = found.version if found is not None else None
        yield len(sheets), summary.model_copy(update={"warnings": warnings, "annotations": version})

    async def _prepare(self, request: ScoreRequest, found: Found | None, profile: Profile) -> list[Worksheet]:
        annotations = {one.id: one for one in found or () if one is not None}
        components = [self._components[name] for name in profile.components]
        facts = sum(len(facts_of(item, annotations.get(item.annotation_id or ""))) for item in request.items)
        room.get()(len(request.items), facts)
        sheets: list[Worksheet] = []
        pace = Pace()
        for item in request.items:
            await pace.keep()
            annotation = annotations.get(item.annotation_id or "")
            sheets.append(
                Worksheet(
                    item,
                    annotation,
                    unread="unknown_annotation" if found is not None else "annotations_unavailable",
                    profile=profile,
                    components=components,
                    fingerprint=self._judge.info.fingerprint,
                    together=self._judge.together,
                    readings=self._readings,
                    max_response_chars=self._max_response_chars,
                    prefix=request.prefix,
                    part=self._part,
                )
            )
        return sheets

    async def _annotations(self, items: Sequence[ScoreItem], deadline: float) -> Found | None:
        """The annotations that the items name, in one read of one version; None when the store cannot answer."""
        ids = list(dict.fromkeys(item.annotation_id for item in items if item.annotation_id is not None))
        if not ids:
            return Found()
        try:
            async with asyncio.timeout_at(deadline):
                return await self._store.get_many(ids)
        except (StoreUnavailable, TimeoutError) as error:
            logger.warning("annotations cannot be read: %s", error)
            return None

    async def _recall(self, work: Work) -> None:
        """Ask the cache for all of it, in one read. A value that cannot be decoded is not known."""
        keys = list(work.keys)
        pace = Pace()
        with tracing.span("cache read", keys=len(keys)):
            values = await self._cache.get_many(keys)
        for key, value in zip(keys, values, strict=True):
            await pace.keep()
            find = None if value is None else decode_verdict(value) if key in work.asks else decode_grade(value)
            if find is not None:
                work.finds[key] = find
        work.cache_hits = work.finds.keys() & work.asks.keys()

    async def _find_out(self, work: Work, deadline: float) -> AsyncGenerator[int]:
        """Yield the index of each sheet once all that it needs is known; missing is what the deadline came before."""
        pace = Pace()
        for index, complete in work.begin():
            if complete:
                yield index
            await pace.keep()

        def launch(own: Sequence[bytes]) -> AsyncGenerator[tuple[bytes, Find]]:
            work.judged |= work.asks.keys() & set(own)
            return self._work(own, work, deadline)

        # What was joined ran under another request's deadline: where that failed, a try of our own is left.
        again: set[bytes] = set()
        for keys in (set(work.waiting), again):
            if not keys:
                continue
            async with aclosing(self._flights.run(keys, launch, deadline=deadline)) as landings:
                async for landed in landings:
                    if keys is not again and landed.joined and isinstance(landed.value, Missing):
                        again.add(landed.key)
                        continue
                    work.joined += landed.joined
                    for index in work.settle(landed.key, landed.value):
                        yield index
        for key in list(work.waiting):
            for index in work.settle(key, Missing("judge_timeout" if key in work.asks else "accuracy_timeout")):
                yield index

    async def _work(self, keys: Sequence[bytes], work: Work, deadline: float) -> AsyncGenerator[tuple[bytes, Find]]:
        """Judge and grade what nobody has found out yet. Missing is never cached.

        What is found is in the memory cache before anybody is told, and in one write to Redis at the end, however
        the end comes: a deadline or a client that leaves throws nothing away.
        """
        begin_flow()  # in the flight's own task, so for this work alone
        fresh: list[tuple[bytes, bytes]] = []
        wanted = set(keys)
        asks: list[Ask] = []
        questions: dict[bytes, Question] = {}
        pace = Pace()
        for key in keys:
            if key in work.asks:
                asks.append(work.asks[key])
            else:
                questions[key] = work.questions[key]
            await pace.keep()
        try:
            async with aclosing(merge(self._judged(asks, deadline), self._graded(questions, deadline))) as finds:
                async for key, find in finds:
                    if not isinstance(find, Missing):
                        value = encode_grade(find) if isinstance(find, bool) else encode_verdict(find)
                        fresh.append((key, value))
                        self._cache.remember(fresh[-1:])
                    if key in wanted:
                        wanted.discard(key)
                        yield key, find
        finally:
            self._cache.share(fresh)

    async def _judged(self, asks: Sequence[Ask], deadline: float) -> AsyncGenerator[tuple[bytes, Find]]:
        """One task per response, all tasks in one batch.

        A judge that decides facts together is always asked all of them, in their order, also where only some are
        wanted: its verdicts depend on the list.
        """
        if not asks:
            return
        started = time.perf_counter()
        tasks = await tasks_of(asks, whole_lists=self._judge.together)
        async with aclosing(self._judge.judge([task for task, _ in tasks], deadline)) as judged:
            async for index, outcomes in judged:
                for key, outcome in zip(tasks[index][1], outcomes, strict=True):
                    yield key, outcome
        self._observer.judge_batch(time.perf_counter() - started)

    async def _graded(self, questions: Mapping[bytes, Question], deadline: float) -> AsyncGenerator[tuple[bytes, Find]]:
        keys = list(questions)
        async with aclosing(self._grader.grade_many(list(questions.values()), deadline)) as graded:
            async for index, grade in graded:
                yield keys[index], grade if isinstance(grade, bool) else Missing(_ungraded(grade))


def _ungraded(failure: TimedOut | Unavailable) -> Reason:
    return "accuracy_timeout" if isinstance(failure, TimedOut) else "accuracy_unavailable"


def tally(results: Sequence[ItemResult]) -> dict[str, Any]:
    """What a summary says of all results: how many are missing, why, and how many had nothing to be held to."""
    reasons = Counter(result.reason for result in results if result.reason is not None)
    scored = [result.components for result in results if result.reason is None]
    return {
        "missing": reasons.total(),
        "reasons": dict(reasons),
        "without_facts": sum(components.get("perception", 0.0) is None for components in scored),
        "without_answer": sum(components.get("accuracy", 0.0) is None for components in scored),
    }


def _concerns(summary: Summary, profile: Profile) -> dict[str, str]:
    """What in a request is likely a mistake, by what it is about."""
    concerns: dict[str, str] = {}
    if summary.without_facts and profile.weight("perception", None):
        concerns["facts"] = (
            f"{summary.without_facts} of {summary.items} items have no facts that count, so perception pays them "
            "nothing: send annotation_id (of an annotation with facts) or facts"
        )
    if summary.without_answer and profile.weight("accuracy", None):
        concerns["answer"] = (
            f"{summary.without_answer} of {summary.items} items have no reference answer, so accuracy pays them "
            "nothing: send answer, or store it with the annotation"
        )
    return concerns


async def _summary(results: Sequence[ItemResult], work: Work, since: float) -> Summary:
    cache_hits, pace = 0, Pace()
    for sheet in work.sheets:
        cache_hits += sum(key in work.cache_hits for key in sheet.fact_keys)
        await pace.keep()
    return Summary(
        items=len(results),
        **tally(results),
        facts=sum(len(sheet.fact_keys) for sheet in work.sheets),
        cache_hits=cache_hits,
        judged=len(work.judged),
        seconds=time.perf_counter() - since,
    )
