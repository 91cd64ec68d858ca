"""What a request has to find out: for each of its items a worksheet, and for all of them together the work."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from itertools import repeat
from types import MappingProxyType
from typing import Literal, NamedTuple, TypeAlias

from perception_reward.annotations.model import Annotation
from perception_reward.service.cache.keys import facts_digest, grade_key, response_digest, verdict_key
from perception_reward.service.excerpt import WHOLE, excerpt
from perception_reward.service.judges.base import Judge, JudgeTask, Missing, Outcome, Verdict, shifted
from perception_reward.service.judges.trace import shown_by, trace_of
from perception_reward.service.pace import Pace
from perception_reward.service.profiles.model import Profile
from perception_reward.service.rewards.component import Component, Sample, Value
from perception_reward.service.rewards.grading import Question
from perception_reward.service.scoring.calls import after_call, without_results
from perception_reward.service.scoring.combine import combine
from perception_reward.service.scoring.readings import Readings
from perception_reward.service.scoring.responses import response_text, stripped, was_parsed
from perception_reward.trainer_client.reference import Choices, options_of, texts_of
from perception_reward.trainer_client.tokens import Opened, opened_thought
from perception_reward.trainer_client.wire import (
    Components,
    Fact,
    FactResult,
    ItemResult,
    Reason,
    Response,
    ScoreItem,
    Trace,
)

Find: TypeAlias = Outcome | bool
_NO_TRACES: Mapping[bytes, Trace] = MappingProxyType({})


class Ask(NamedTuple):
    """One fact of one response, to be decided by the judge: the one at `place` of all that are asked of it.

    keys: the cache keys of all its facts, in their order.
    """

    response: str
    facts: tuple[Fact, ...]
    keys: tuple[bytes, ...]
    place: int
    group: str | None


class Worksheet:
    """What one item needs, by cache key, and how the finds become its result.

    unread: why there is no annotation, where the item names one and there is none.
    prefix: what the prompt had written of the response, where the item does not say.
    part: what of the response is judged, see `excerpt`. A response that has no such part states nothing.
    components: those of the profile. What none of them needs is not found out.
    keys: everything that has to be found out for it. asks: the verdicts it needs.
    question: the grade it needs, if its answer has to be compared at all.
    reading: what the response's text alone says.
    """

    def __init__(
        self,
        item: ScoreItem,
        annotation: Annotation | None,
        *,
        unread: Reason,
        profile: Profile,
        components: Sequence[Component],
        fingerprint: str,
        together: bool,
        readings: Readings,
        max_response_chars: int,
        prefix: str | None = None,
        part: str = WHOLE,
    ) -> None:
        self.item = item
        self.profile = profile
        self._components = components
        needs = {component.needs for component in components}
        self.reason: Reason | None = None
        if item.annotation_id is not None and annotation is None:
            self.reason = unread
        text, begin = stripped(response_text(item.response))
        digest = response_digest(text)
        prefix = prefix if item.prefix is None else item.prefix
        opened: Opened = opened_thought(prefix) if prefix and not was_parsed(item.response) else ""
        self._text = text
        self._opened: Opened = opened
        self.reading = readings.read(text, digest, profile.mode, opened, components)
        found = excerpt(text, part, opened)
        self._start = begin + found.start if found is not None else None
        judged = found.text if found is not None else ""
        self._truncated = len(judged) > max_response_chars
        self._seen = judged[:max_response_chars]
        self.facts = tuple(facts_of(item, annotation)) if "verdicts" in needs else ()
        # A judge that decides facts together reads one text.
        self._offsets = self._behind_calls(item.response, text, begin) if not together else {}
        self._reference = item.answer if item.answer is not None or annotation is None else annotation.answer
        self.fact_keys = self._fact_keys(
            fingerprint, together, response_digest(self._seen) if self._seen != text else digest
        )
        self.asks = self._asks()
        choices = item.choices or (annotation.choices if annotation else None)
        self.question = self._question(choices) if "grade" in needs else None
        self.grade_key = grade_key(self.question.digest()) if self.question is not None else None
        self.keys = frozenset(self.fact_keys if self.grade_key is None else (*self.fact_keys, self.grade_key))

    def _fact_keys(self, fingerprint: str, together: bool, response: bytes) -> tuple[bytes, ...]:
        if not self.facts or self._start is None:
            return ()
        context = facts_digest(self.facts) if together else None
        digests = {call: response_digest(self._text_after(call)) for call in self._offsets}
        return tuple(
            verdict_key(fingerprint, fact, digests.get(fact.call or "", response), context) for fact in self.facts
        )

    def _asks(self) -> dict[bytes, Ask]:
        group = self.item.group
        texts = {call: self._text_after(call) for call in self._offsets}
        return {
            key: Ask(texts.get(self.facts[place].call or "", self._seen), self.facts, self.fact_keys, place, group)
            for place, key in enumerate(self.fact_keys)
        }

    def _behind_calls(self, response: Response, text: str, begin: int) -> dict[str, int]:
        """For each call that a fact is about, the character of what is judged behind it."""
        if self._start is None:
            return {}
        said = text if isinstance(response, str) else response_text(response)
        # Where in `text`: in a string the call is looked for there, in messages in all of the policy's words.
        skipped = self._start - begin if isinstance(response, str) else self._start
        calls = {fact.call for fact in self.facts if fact.call is not None}
        found = {call: max(0, after_call(response, said, call) - skipped) for call in calls}
        return {call: min(offset, len(self._seen)) for call, offset in found.items()}

    def _text_after(self, call: str) -> str:
        return without_results(self._seen)[self._offsets[call] :]

    def _question(self, choices: Choices | None) -> Question | None:
        answer = self.reading.answer
        if self._reference is None or answer is None:
            return None
        own = self.item.tolerance
        return Question(
            answer,
            texts_of(self._reference),
            options_of(choices) if choices else None,
            self.profile.tolerance if own is None else own,
            self.profile.mode,
        )

    async def traces(self, judge: Judge, finds: Mapping[bytes, Find], deadline: float) -> dict[bytes, Trace]:
        """By the keys of its facts, why the verdicts in `finds` are what they are."""
        traces: dict[bytes, Trace] = {}
        for task, keys in await tasks_of(list(self.asks.values()), whole_lists=False):
            for key, shown in zip(keys, await shown_by(judge, task, deadline), strict=True):
                if isinstance(verdict := finds[key], Verdict):
                    words = None if verdict.span is None else task.response[slice(*verdict.span)]
                    traces[key] = trace_of(verdict, words, shown)
        return traces

    def result(
        self, finds: dict[bytes, Find], step: int | None, traces: Mapping[bytes, Trace] = _NO_TRACES
    ) -> ItemResult:
        """The item's result once every one of `keys` is in `finds`; `traces` are told of its facts."""
        outcomes = self._outcomes(finds)
        sample = self._sample(finds, outcomes)
        read = self.reading.values
        values: dict[str, Value] = {
            one.name: read[one.name] if one.needs == "text" else one.of(sample) for one in self._components
        }
        components: Components = {name: None if isinstance(value, Missing) else value for name, value in values.items()}
        missing: list[Reason] = [value.reason for value in values.values() if isinstance(value, Missing)]
        reason = self.reason or next(iter(missing), None)
        status: Literal["ok", "missing"] = "ok" if reason is None else "missing"
        return ItemResult(
            id=self.item.id,
            status=status,
            score=combine(self.profile, components, step) if reason is None else None,
            components=components,
            facts=self._fact_results(outcomes, traces),
            reason=reason,
            truncated=bool(self.facts) and (self._truncated or any(map(_is_of_a_part, outcomes))),
        )

    def _outcomes(self, finds: dict[bytes, Find]) -> list[Outcome]:
        """One per fact; spans are those of the response as it was sent."""
        if self._start is None:
            return [Verdict("absent", 0.0) for _ in self.facts]
        outcomes = [_outcome(finds[key]) for key in self.fact_keys]
        if not self._start and not self._offsets:
            return outcomes
        starts = [self._start + self._offsets.get(fact.call or "", 0) for fact in self.facts]
        return [shifted(outcome, start) if start else outcome for outcome, start in zip(outcomes, starts, strict=True)]

    def _sample(self, finds: dict[bytes, Find], outcomes: list[Outcome]) -> Sample:
        grade = None if self.grade_key is None else finds[self.grade_key]
        return Sample(
            self._text,
            self._opened,
            self.profile.mode,
            item=self.item,
            reference=self._reference,
            grade=grade if isinstance(grade, Missing | bool) else None,
            facts=self.facts,
            outcomes=outcomes,
            rule=self.profile.perception,
        )

    def _fact_results(self, outcomes: list[Outcome], traces: Mapping[bytes, Trace]) -> list[FactResult] | None:
        if not outcomes or any(isinstance(outcome, Missing) for outcome in outcomes):
            return None
        told = map(traces.get, self.fact_keys) if traces else repeat(None)
        return [
            FactResult(id=fact.id, verdict=one.label, probability=one.probability, span=one.span, trace=trace)
            for fact, one, trace in zip(self.facts, outcomes, told, strict=False)
            if isinstance(one, Verdict)
        ]


class Work:
    """What the worksheets of one request need, by cache key, and where each of it came from.

    finds: what is known. waiting: for each key that is not known yet, the sheets that need it.
    cache_hits, judged: the verdicts that the cache knew, and those that this request had the judge decide. joined: how
    many finds came of another request's work.
    """

    def __init__(self, sheets: Sequence[Worksheet]) -> None:
        self.sheets = sheets
        self.asks: dict[bytes, Ask] = {}
        self.questions: dict[bytes, Question] = {}
        self.finds: dict[bytes, Find] = {}
        self.waiting: dict[bytes, list[int]] = {}
        self.cache_hits: Set[bytes] = frozenset()
        self.judged: Set[bytes] = frozenset()
        self.joined = 0
        self._lacking: dict[int, int] = {}

    @property
    def keys(self) -> set[bytes]:
        return self.asks.keys() | self.questions.keys()

    def begin(self) -> Iterator[tuple[int, bool]]:
        """Go through the sheets: the index of each, and whether it lacks nothing."""
        for index, sheet in enumerate(self.sheets):
            lacking = [key for key in sheet.keys if key not in self.finds]
            self._lacking[index] = len(lacking)
            for key in lacking:
                self.waiting.setdefault(key, []).append(index)
            yield index, not lacking

    def settle(self, key: bytes, find: Find) -> list[int]:
        """Enter a find; the sheets that lack nothing more."""
        self.finds[key] = find
        indexes = self.waiting.pop(key)
        for index in indexes:
            self._lacking[index] -= 1
        return [index for index in indexes if not self._lacking[index]]


async def work_of(sheets: Sequence[Worksheet]) -> Work:
    work = Work(sheets)
    pace = Pace()
    for sheet in sheets:
        await pace.keep()
        work.asks.update(sheet.asks)
        if sheet.question is not None and sheet.grade_key is not None:
            work.questions[sheet.grade_key] = sheet.question
    return work


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


def facts_of(item: ScoreItem, annotation: Annotation | None) -> Sequence[Fact]:
    """The item's own facts, or those of its annotation."""
    if item.facts is not None:
        return item.facts
    return annotation.facts if annotation is not None else ()


def _outcome(find: Find) -> Outcome:
    assert not isinstance(find, bool)
    return find


def _is_of_a_part(outcome: Outcome) -> bool:
    return isinstance(outcome, Verdict) and outcome.truncated
