"""Which settings suit a model and a user's data: every way of asking tried on labelled pairs, quality beside cost.

    tried = [one async for one in try_all(engine, probes, ways, settings)]
    best = chosen(tried, tolerance=0.01)

A way is asked as the service asks it. What is only made of the model's answers (grounding, calibration, the cascade) is
made anew of the same answers, so that a model reads nothing twice. A calibration is judged on problems that it was not
fitted on.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from hashlib import blake2b

from perception_reward.service.audit.figures import Estimate, Proportion
from perception_reward.service.audit.fit import Unfit, across_folds, fit_calibration, folds_of
from perception_reward.service.audit.probes import Observation, Probe, observe
from perception_reward.service.audit.quality import decided, sample_of, unit_of
from perception_reward.service.audit.statistics import auc, estimate, proportion
from perception_reward.service.excerpt import excerpt
from perception_reward.service.judges.base import Health, Judge, JudgeInfo, JudgeTask, Missing, Outcome, Verdict
from perception_reward.service.judges.calibrated import MARK
from perception_reward.service.judges.calibration import Calibration
from perception_reward.service.judges.cascade.judge import CascadeJudge
from perception_reward.service.judges.llm.engine import Choice, Engine, LogProbs, Tokens, Writing, Written
from perception_reward.service.judges.llm.judge import LLMJudge
from perception_reward.service.judges.llm.methods import make_method
from perception_reward.service.judges.make import evidence_of
from perception_reward.service.judges.symbolic.judge import SymbolicJudge
from perception_reward.service.settings import Settings

# Settings of a way of asking, by name.
Way = Mapping[str, str]
# Characters of a token, where an engine does not tell what it wrote.
TOKEN_CHARACTERS = 4


@dataclass(frozen=True, slots=True)
class Tried:
    """What settings are worth. read, written: tokens of the model for each fact, without the instruction that all
    prompts share; seconds: for each fact, of the judge as it was asked. info: of the model without rules.
    calibration: where `observations` are calibrated, the one fitted on all pairs."""

    settings: Mapping[str, object]
    observations: tuple[Observation, ...]
    read: float
    written: float
    seconds: float
    info: JudgeInfo
    calibration: Calibration | None = None

    @property
    def hits(self) -> list[bool]:
        """Whether each verdict is right; one that is missing is not."""
        return [
            isinstance(seen.outcome, Verdict) and seen.outcome.label == seen.probe.expected
            for seen in self.observations
        ]

    @property
    def accuracy(self) -> Proportion:
        return proportion(self.hits, [unit_of(seen.probe) for seen in self.observations])

    def auc(self, seed: int = 0) -> Estimate:
        return estimate(auc, sample_of(decided(self.observations)), seed=seed)

    @property
    def mistaken(self) -> Proportion:
        """Of what is not stated, the share taken for stated."""
        others = [seen for seen in self.observations if seen.probe.expected != "stated"]
        taken = [isinstance(seen.outcome, Verdict) and seen.outcome.label == "stated" for seen in others]
        return proportion(taken, [unit_of(seen.probe) for seen in others])

    @property
    def missing(self) -> int:
        return sum(isinstance(seen.outcome, Missing) for seen in self.observations)


class Metered:
    """An engine that counts the tokens of what it is asked, and is asked the same only once."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.name, self.model = engine.name, engine.model
        self._known: dict[bytes, LogProbs | Written] = {}
        self.reset()

    def reset(self) -> None:
        self.written, self.new = 0, 0
        self._lengths: list[int] = []
        self._beginning: Tokens | None = None

    @property
    def read(self) -> int:
        """Tokens read since `reset`; what all prompts begin with counts once, as a prefix cache computes it."""
        shared = len(self._beginning or ())
        return sum(self._lengths) - shared * max(0, len(self._lengths) - 1)

    @property
    def identity(self) -> Mapping[str, object]:
        return self._engine.identity

    @property
    def capacity(self) -> int:
        return self._engine.capacity

    async def choose(self, choice: Choice, affinity: str, deadline: float) -> tuple[LogProbs, ...]:
        self._count(choice.shared, sum(map(len, choice.suffixes)))
        keys = [_digest(choice.shared, suffix) for suffix in choice.suffixes]
        new = tuple(suffix for key, suffix in zip(keys, choice.suffixes, strict=True) if key not in self._known)
        if new:
            self.new += 1
            found = await self._engine.choose(replace(choice, suffixes=new), affinity, deadline)
            self._known.update((_digest(choice.shared, one), odds) for one, odds in zip(new, found, strict=True))
        known = [self._known[key] for key in keys]
        return tuple(one for one in known if not isinstance(one, Written))

    async def write(self, writing: Writing, affinity: str, deadline: float) -> Written:
        self._count(writing.prompt, 0)
        key = _digest(writing.prompt, ())
        found = self._known.get(key)
        if not isinstance(found, Written):
            self.new += 1
            found = self._known[key] = await self._engine.write(writing, affinity, deadline)
        self.written += len(found.tokens) or len(found.text) // TOKEN_CHARACTERS
        return found

    def _count(self, prompt: Tokens, more: int) -> None:
        self._lengths.append(len(prompt) + more)
        before = prompt if self._beginning is None else self._beginning
        pairs = enumerate(zip(before, prompt, strict=False))
        least = min(len(before), len(prompt))
        self._beginning = before[: next((at for at, (one, other) in pairs if one != other), least)]

    async def health(self) -> Health:
        return await self._engine.health()

    async def start(self) -> None:
        """Whoever made the engine starts and closes it: several judges ask it."""

    async def aclose(self) -> None: ...


class Replayed:
    """A judge that says what was said before; `asked` counts the facts."""

    together = False

    def __init__(self, observations: Sequence[Observation], info: JudgeInfo, settings: Settings) -> None:
        self.info = info
        self.asked = 0
        self._said = {(_text(seen.probe, settings), seen.probe.fact): seen.outcome for seen in observations}

    async def judge(
        self, tasks: Sequence[JudgeTask], deadline: float
    ) -> AsyncGenerator[tuple[int, tuple[Outcome, ...]]]:
        for index, task in enumerate(tasks):
            self.asked += len(task.facts)
            yield index, tuple(self._said[task.response, fact] for fact in task.facts)

    async def health(self) -> Health:
        return Health(True)

    async def start(self) -> None: ...

    async def aclose(self) -> None: ...


def together(probes: Sequence[Probe]) -> list[Probe]:
    """The facts of each response asked together, as in service, for methods that ask about all at once."""
    facts: dict[str, list[Probe]] = defaultdict(list)
    for probe in probes:
        facts[probe.response].append(probe)
    found: list[Probe] = []
    for group in facts.values():
        named = tuple(probe.fact.model_copy(update={"id": f"f{at}"}) for at, probe in enumerate(group, start=1))
        found += [replace(probe, fact=fact, asked=named) for probe, fact in zip(group, named, strict=True)]
    return found


def ways(methods: Sequence[str], languages: Sequence[str]) -> Iterator[Way]:
    """All ways of asking, by the settings that make them. Grounded ones last: they ask for nothing new."""
    for method in methods:
        if method != "verdict":
            yield {"judge_method": method, "judge_evidence": "whole", "judge_grounding": "off"}
            continue
        for language in languages:
            for evidence in ("selected", "whole"):
                for grounding in ("off", "on"):
                    yield {
                        "judge_method": method,
                        "judge_evidence": evidence,
                        "judge_grounding": grounding,
                        "judge_language": language,
                    }


async def by_rules(probes: Sequence[Probe], settings: Settings) -> Tried:
    """The symbolic judge."""
    judge = SymbolicJudge()
    began = time.perf_counter()
    seen = await _observed(judge, probes, settings)
    return Tried({"judge": "symbolic"}, seen, 0.0, 0.0, (time.perf_counter() - began) / len(probes), judge.info)


async def try_all(
    engine: Engine, probes: Sequence[Probe], asked: Sequence[Way], settings: Settings, rules: Tried, *, seed: int
) -> AsyncGenerator[Tried]:
    """What each way is worth with a model: as it is, calibrated, and behind the rules.

    engine: started. settings: `judge` names the model. rules: what the symbolic judge said.
    """
    meter = Metered(engine)
    pace = 0.0
    for way in asked:
        given = settings.model_copy(update=dict(way))
        method = make_method(given.judge_method, given.judge_language)
        evidence = evidence_of(given, method, None)
        judge = LLMJudge(meter, method, tokenizer=settings.judge_tokenizer or engine.model, evidence=evidence)
        await judge.start()
        meter.reset()
        began = time.perf_counter()
        seen = await _observed(judge, probes, given)
        tokens = max(1, meter.read + meter.written)
        if meter.new:
            pace = (time.perf_counter() - began) / tokens
        plain = Tried(
            {"judge": settings.judge, **way},
            seen,
            meter.read / len(probes),
            meter.written / len(probes),
            pace * tokens / len(probes),
            judge.info,
        )
        readings = [plain]
        # With too few pairs, or where it does no good, there is none to choose.
        with suppress(Unfit):
            fitted = fit_calibration(seen, judge.info, seed=0).calibration
            readings.append(replace(plain, observations=tuple(across_folds(seen, seed)), calibration=fitted))
        for one in readings:
            yield one
            if not method.together:
                yield await _cascaded(one, given, rules)


async def _cascaded(model: Tried, settings: Settings, rules: Tried) -> Tried:
    marked = replace(model.info, fingerprint=model.info.fingerprint + MARK) if model.calibration else model.info
    replayed = Replayed(model.observations, marked, settings)
    seen = await _observed(CascadeJudge(SymbolicJudge(), replayed), [one.probe for one in model.observations], settings)
    share = replayed.asked / max(1, len(seen))
    return replace(
        model,
        settings={**model.settings, "judge": f"cascade:{settings.judge}"},
        observations=seen,
        read=model.read * share,
        written=model.written * share,
        seconds=rules.seconds + model.seconds * share,
    )


def chosen(tried: Sequence[Tried], tolerance: float, places: Sequence[int] | None = None) -> Tried:
    """The fastest of those whose share of right verdicts is at most `tolerance` below the best one's.

    places: the observations that count; None for all.
    """
    shares = [_share(one.hits, places) for one in tried]
    good = [one for one, share in zip(tried, shares, strict=True) if share >= max(shares) - tolerance - 1e-9]
    return min(good, key=lambda one: (one.seconds, one.read + one.written))


def worth(tried: Sequence[Tried], tolerance: float, seed: int) -> Proportion:
    """The share of right verdicts of what is chosen so, on problems that it was not chosen on."""
    units = [unit_of(seen.probe) for seen in tried[0].observations]
    fold_of = folds_of(units, seed)
    hits: dict[int, bool] = {}
    for fold in set(fold_of.values()):
        rest = [place for place, unit in enumerate(units) if fold_of[unit] != fold]
        best = chosen(tried, tolerance, rest).hits
        hits.update((place, best[place]) for place, unit in enumerate(units) if fold_of[unit] == fold)
    return proportion([hits[place] for place in range(len(units))], units)


def _share(hits: Sequence[bool], places: Sequence[int] | None) -> float:
    counted = hits if places is None else [hits[place] for place in places]
    return sum(counted) / max(1, len(counted))


async def _observed(judge: Judge, probes: Sequence[Probe], settings: Settings) -> tuple[Observation, ...]:
    return tuple(
        await observe(judge, probes, max_response_chars=settings.max_response_chars, scope=settings.judge_scope)
    )


def _text(probe: Probe, settings: Settings) -> str:
    part = excerpt(probe.response, settings.judge_scope)
    return part.text[: settings.max_response_chars] if part else ""


def _digest(prompt: Tokens, suffix: Tokens) -> bytes:
    return blake2b(repr((prompt, suffix)).encode(), digest_size=16).digest()
