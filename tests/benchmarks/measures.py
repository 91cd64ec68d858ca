"""The measures of the judge benchmarks: AUC with an interval clustered by response, accuracy, confusion."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from perception_reward.trainer_client.wire import Label

LABELS: tuple[Label, Label, Label] = ("stated", "contradicted", "absent")
_REPEATS = 1000


@dataclass(frozen=True, slots=True)
class Judged:
    """A labelled pair with what the judge said: `cluster` is the response, `group` what figures are split by."""

    cluster: str
    group: str
    label: Label
    said: Label
    probability: float


def auc(positives: Sequence[float], negatives: Sequence[float]) -> float:
    """The share of (positive, negative) pairs in the right order, ties half; NaN where one side is empty."""
    if not positives or not negatives:
        return float("nan")
    ranked = sorted([(value, 1) for value in positives] + [(value, 0) for value in negatives])
    total, at = 0.0, 0
    while at < len(ranked):
        end = at
        while end < len(ranked) and ranked[end][0] == ranked[at][0]:
            end += 1
        total += sum(side for _, side in ranked[at:end]) * (at + 1 + end) / 2
        at = end
    n = len(positives)
    return (total - n * (n + 1) / 2) / (n * len(negatives))


def stated_auc(pairs: Sequence[Judged]) -> float:
    """AUC of `stated` against the rest."""
    return auc(
        [pair.probability for pair in pairs if pair.label == "stated"],
        [pair.probability for pair in pairs if pair.label != "stated"],
    )


def interval(
    pairs: Sequence[Judged], seed: int = 0, of: Callable[[Sequence[Judged]], float] = stated_auc
) -> tuple[float, float]:
    """The 95 % percentile bootstrap interval of a figure; whole responses are drawn, not pairs."""
    clusters: dict[str, list[Judged]] = defaultdict(list)
    for pair in pairs:
        clusters[pair.cluster].append(pair)
    drawn, rng = list(clusters.values()), random.Random(seed)
    values = [of([pair for cluster in rng.choices(drawn, k=len(drawn)) for pair in cluster]) for _ in range(_REPEATS)]
    values = sorted(value for value in values if value == value)
    return values[int(0.025 * len(values))], values[int(0.975 * len(values)) - 1]


def accuracy(pairs: Sequence[Judged]) -> float:
    """The share of pairs whose three-way label is right."""
    return sum(pair.label == pair.said for pair in pairs) / len(pairs)


def ece(pairs: Sequence[Judged]) -> float:
    """The expected calibration error of the probability of `stated`, in ten bins of equal width."""
    bins: dict[int, list[float]] = defaultdict(list)
    for pair in pairs:
        bins[min(9, int(10 * pair.probability))].append(pair.probability - (pair.label == "stated"))
    return sum(abs(sum(gaps)) for gaps in bins.values()) / len(pairs)


def confusion(pairs: Sequence[Judged]) -> list[list[str]]:
    """Rows by right label, columns by what the judge said."""
    counts = Counter((pair.label, pair.said) for pair in pairs)
    return [[label, *(str(counts[label, said]) for said in LABELS)] for label in LABELS]


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
