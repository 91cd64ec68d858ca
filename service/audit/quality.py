"""From observations to figures: how right, how steady, how hard to fool."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, TypeAlias

import numpy as np

from perception_reward.service.audit import statistics
from perception_reward.service.audit.figures import (
    Attacks,
    Bin,
    ClassFigures,
    Flips,
    Judged,
    Proportion,
    Quality,
    Row,
)
from perception_reward.service.audit.probes import Observation, Probe
from perception_reward.service.audit.statistics import LABELS, Sample, estimate, proportion
from perception_reward.service.judges.base import Missing, Verdict
from perception_reward.trainer_client.wire import Label

# An observation whose right answer is known and whose verdict was given: probe, right answer, verdict.
Decided: TypeAlias = tuple[Probe, Label, Verdict]

# Families of probes that hold what a defence reacts to.
DEFENCE: Final = "defence: "


def unit_of(probe: Probe) -> str:
    """The problem to which a probe belongs; one of its own where it names none."""
    return probe.problem or probe.id


def decided(observations: Iterable[Observation]) -> list[Decided]:
    return [
        (seen.probe, seen.probe.expected, seen.outcome)
        for seen in observations
        if seen.probe.expected is not None and isinstance(seen.outcome, Verdict)
    ]


def quality_of(observations: Sequence[Observation], *, seed: int, resamples: int) -> Quality | None:
    """None where no observation has a right answer."""
    known = [seen for seen in observations if seen.probe.expected is not None]
    if not known:
        return None
    pairs = decided(known)
    sample = sample_of(pairs)

    def by(groups: Mapping[str, Sequence[Observation]]) -> list[Row]:
        return [_row(name, group, seed, resamples) for name, group in sorted(groups.items())]

    figures = {
        name: estimate(figure, sample, seed=seed, resamples=resamples)
        for name, figure in {
            "kappa": statistics.kappa,
            "mcc": statistics.mcc,
            "auc": statistics.auc,
            "brier": statistics.brier,
            "ece": statistics.ece,
        }.items()
    }
    return Quality(
        asked=len(known),
        missing=_missing(known),
        problems=len({unit_of(seen.probe) for seen in known}),
        accuracy=_share(pairs, [verdict.label == right for _, right, verdict in pairs]),
        classes=[_class(label, pairs) for label in LABELS],
        **figures,
        confusion=_confusion(known),
        reliability=_reliability(pairs),
        kinds=by(_grouped(known, lambda probe: probe.fact.kind)),
        families=by(_grouped(known, lambda probe: probe.family)),
    )


def sample_of(pairs: Sequence[Decided]) -> Sample:
    numbers: dict[str, int] = {}
    units = [numbers.setdefault(unit_of(probe), len(numbers)) for probe, _, _ in pairs]
    return Sample(
        expected=np.array([LABELS.index(right) for _, right, _ in pairs], dtype=np.int64),
        judged=np.array([LABELS.index(verdict.label) for *_, verdict in pairs], dtype=np.int64),
        probability=np.array([verdict.probability for *_, verdict in pairs], dtype=np.float64),
        unit=np.array(units, dtype=np.int64),
    )


def _row(name: str, observations: Sequence[Observation], seed: int, resamples: int) -> Row:
    pairs = decided(observations)
    stated = _class("stated", pairs)
    return Row(
        name=name,
        asked=len(observations),
        missing=len(observations) - len(pairs),
        accuracy=_share(pairs, [verdict.label == right for _, right, verdict in pairs]),
        recall=stated.recall,
        specificity=stated.specificity,
        auc=estimate(statistics.auc, sample_of(pairs), seed=seed, resamples=resamples),
    )


def _class(label: Label, pairs: Sequence[Decided]) -> ClassFigures:
    positive = [pair for pair in pairs if pair[1] == label]
    negative = [pair for pair in pairs if pair[1] != label]
    named = [pair for pair in pairs if pair[2].label == label]
    return ClassFigures(
        label=label,
        recall=_share(positive, [verdict.label == label for *_, verdict in positive]),
        precision=_share(named, [right == label for _, right, _ in named]),
        specificity=_share(negative, [verdict.label != label for *_, verdict in negative]),
    )


def _share(pairs: Sequence[Decided], hits: Sequence[bool]) -> Proportion:
    return proportion(hits, [unit_of(probe) for probe, _, _ in pairs])


def _confusion(observations: Sequence[Observation]) -> dict[Label, dict[Judged, int]]:
    columns: tuple[Judged, ...] = (*LABELS, "missing")
    counts = Counter(
        (seen.probe.expected, seen.outcome.label if isinstance(seen.outcome, Verdict) else "missing")
        for seen in observations
    )
    return {right: {judged: counts[right, judged] for judged in columns} for right in LABELS}


def _reliability(pairs: Sequence[Decided]) -> list[Bin]:
    bins: dict[int, list[Decided]] = defaultdict(list)
    for pair in pairs:
        bins[min(int(pair[2].probability * statistics.BINS), statistics.BINS - 1)].append(pair)
    return [
        Bin(
            low=place / statistics.BINS,
            high=(place + 1) / statistics.BINS,
            count=len(bins[place]),
            probability=_mean([verdict.probability for *_, verdict in bins[place]]),
            stated=_share(bins[place], [right == "stated" for _, right, _ in bins[place]]),
        )
        for place in range(statistics.BINS)
    ]


def flips_of(observations: Sequence[Observation]) -> list[Flips]:
    """By family, each variant against its base, where the right answer of both is the same (or not given)."""
    families: dict[str, list[tuple[Observation, Observation]]] = defaultdict(list)
    for base, variant in _variants(observations):
        families[variant.probe.family].append((base, variant))
    return [_flips(family, group) for family, group in sorted(families.items())]


def _variants(observations: Sequence[Observation]) -> list[tuple[Observation, Observation]]:
    """(base, variant) where both were asked."""
    bases = {seen.probe.id: seen for seen in observations}
    pairs = [(bases[seen.probe.base], seen) for seen in observations if seen.probe.base in bases]
    return [
        (base, variant)
        for base, variant in pairs
        if variant.probe.purpose != "attack" and _same_answer(base.probe, variant.probe)
    ]


def _same_answer(base: Probe, variant: Probe) -> bool:
    return None in (base.expected, variant.expected) or base.expected == variant.expected


def _flips(family: str, pairs: Sequence[tuple[Observation, Observation]]) -> Flips:
    both = [
        (variant.probe, before, after)
        for base, variant in pairs
        if isinstance(before := base.outcome, Verdict) and isinstance(after := variant.outcome, Verdict)
    ]
    shifts = [abs(after.probability - before.probability) for _, before, after in both]
    return Flips(
        family=family,
        pairs=len(pairs),
        missing=len(pairs) - len(both),
        flipped=proportion(
            [before.label != after.label for _, before, after in both], [unit_of(probe) for probe, *_ in both]
        ),
        shift=_mean(shifts),
        largest_shift=max(shifts, default=None),
        refused=_refused([pair for pair in pairs if pair[1].probe.purpose == "flip"]),
    )


def refusals_of(observations: Sequence[Observation]) -> Proportion | None:
    """Over all probes that hold what a defence reacts to; None where no such probe was answered."""
    defences = [pair for pair in _variants(observations) if pair[1].probe.family.startswith(DEFENCE)]
    return _refused(defences)


def _refused(pairs: Sequence[tuple[Observation, Observation]]) -> Proportion | None:
    """Of the true statements which the judge found in the base, the share that it no longer found in the variant."""
    kept = [
        (variant.probe, after.label == "stated")
        for base, variant in pairs
        if isinstance(before := base.outcome, Verdict) and isinstance(after := variant.outcome, Verdict)
        if variant.probe.expected == before.label == "stated"
    ]
    return proportion([not found for _, found in kept], [unit_of(probe) for probe, _ in kept]) if kept else None


def attacks_of(observations: Sequence[Observation]) -> list[Attacks]:
    """By family. What a response states although it is attacked is no success, and not counted."""
    tried = [seen for seen in observations if is_attack(seen.probe)]
    groups = _grouped(tried, lambda probe: probe.family)
    return [attacks_together(family, group) for family, group in sorted(groups.items())]


def is_attack(probe: Probe) -> bool:
    return probe.purpose == "attack" and probe.expected != "stated"


def attacks_together(family: str, observations: Sequence[Observation]) -> Attacks:
    answered = [(seen.probe, seen.outcome) for seen in observations if isinstance(seen.outcome, Verdict)]
    return Attacks(
        family=family,
        tried=len(observations),
        missing=len(observations) - len(answered),
        success=proportion(
            [verdict.label == "stated" for _, verdict in answered], [unit_of(probe) for probe, _ in answered]
        ),
    )


def _grouped(observations: Iterable[Observation], key: Callable[[Probe], str]) -> dict[str, list[Observation]]:
    groups: dict[str, list[Observation]] = defaultdict(list)
    for seen in observations:
        groups[key(seen.probe)].append(seen)
    return groups


def _missing(observations: Iterable[Observation]) -> dict[str, int]:
    return dict(
        sorted(Counter(seen.outcome.reason for seen in observations if isinstance(seen.outcome, Missing)).items())
    )


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None
