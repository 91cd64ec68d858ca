"""How the cascade takes the rules' word and a model's together, fitted on labelled real responses.

    python tests/benchmarks/pooling.py [--model NAME] [--data ../shared/data] [--write] [--fooled]

Of the sets in `SEEN`, the sure pairs that `methods.py` has asked the model about. For facts about a figure's geometry
and for all others five numbers (`pooling.Pool`), by the likelihood of the right label with a ridge towards what Bayes'
rule would take; and, to name a label, a lowering of the odds of *stated*: that by which fewest are wrong, where what is
not stated and taken for stated counts `PRICE` times, since a policy learns to say what is paid for. It is chosen, like
the figures printed, on problems that the fit had not seen. Where grounding has taken *stated* from the model the odds
are no longer its own, and nothing is fitted on them. Where the model alone is right more often than it and the rules,
it is left alone: powers of the rules of 0. `--write` puts the numbers into the package. The sets in `UNSEEN` are not
read.

`--fooled` tells how many attacks the cascade as packaged would take for stated if the model said *stated*, with a
probability of 0.9, to everything that it is shown.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from importlib.resources import files
from pathlib import Path

import numpy as np
from folds import FOLDS, folds
from judging import judge_all
from labelled import SEEN, Pair
from labelled import SETS as LABELLED
from measures import LABELS, Judged, accuracy, ece, stated_auc, table
from methods import FITTED, Telling, grounded, grouped, kept, task_of, tellings
from numpy.typing import NDArray
from places import arguments
from real import CAP, probes_of
from scipy.optimize import minimize

from perception_reward.service.judges.base import JudgeTask, Verdict
from perception_reward.service.judges.cascade.checks import decides
from perception_reward.service.judges.cascade.checks import packaged as thresholds
from perception_reward.service.judges.cascade.pooling import (
    PACKAGED,
    PRICE,
    Pool,
    model_odds,
    packaged,
    pooled,
    rules_odds,
)
from perception_reward.service.judges.llm.evidence import ABSENT, shown_of, ungrounded
from perception_reward.service.judges.llm.grounding import grounds
from perception_reward.service.judges.llm.selection import select
from perception_reward.service.judges.symbolic.kinds import FIGURE_KINDS, kind_of

Numbers = NDArray[np.float64]

_LOWERED = [step / 10 for step in range(21)]
RIDGE = 2.0
# Powers of the model's odds, of the rules' word and of their odds; what is added for stated and contradicted.
BAYES = np.array([1.0, 1.0, 0.0, 0.0, 0.0])
# Pairs from which on anything is fitted: forty for each number.
LEAST = 200
_SEEDS = range(5)
# Attacks of a family.
_PROBES = 40
# What is added to each count.
_ADDED = 2


@dataclass(frozen=True, slots=True)
class Both:
    """A pair with what the rules and the model, grounded, say of it. own: whether that is the model's own word."""

    pair: Pair
    rules: Verdict
    model: Verdict
    own: bool = True


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--model", default="qwen1.5b", help="whose verdicts `methods.py` has kept")
    parser.add_argument("--write", action="store_true", help="put the numbers into the package")
    parser.add_argument("--fooled", action="store_true", help="only tell what attacks would do to a model that is")
    chosen = parser.parse_args()
    if chosen.fooled:
        print(fooled(chosen.data))
        return
    rules = {name: read(chosen.data, name) for name in SEEN}
    parts: list[str] = []
    for name, figure in (("figure", True), ("other", False)):
        every = [pair for pairs in rules.values() for pair in pairs if is_figure(pair[0]) == figure]
        counts = counts_of(every)
        both = [one for one in asked(chosen.data, chosen.model) if is_figure(one.pair) == figure]
        if len(both) < LEAST:
            print(f"{name}: {len(both)} pairs are too few, so its numbers stay as they are\n")
            numbers, lowered = as_they_are(figure)
        else:
            numbers, lowered, lines = fit(both, counts)
            print(f"{name}: {len(both)} pairs\n\n{table(HEADER, lines)}\n")
        parts.append(as_toml(name, numbers, lowered, counts))
    told = ", ".join(f"{name} = {len(pairs)}" for name, pairs in rules.items())
    text = "\n\n".join(
        [
            "# How the rules' word and a model's are taken together (`pooling.py`). Written by `make fit-pooling`.",
            f'[provenance]\ndate = {date.today().isoformat()}\nmodel = "{chosen.model}"\npairs = {{ {told} }}',
            *parts,
        ]
    )
    print(text)
    if chosen.write:
        target = Path(str(files("perception_reward.service.judges.cascade").joinpath(PACKAGED)))
        target.write_text(f"{text}\n", encoding="utf-8")
        print(f"written to {target}")


HEADER = ("", "AUC stated", "three-way", "contradicted, taken for stated", "absent, taken for stated", "ECE")


def as_they_are(figure: bool) -> tuple[Numbers, float]:
    pool = packaged()[0 if figure else 1]
    numbers = np.array([pool.model, pool.said, pool.chances, pool.bias["stated"], pool.bias["contradicted"]])
    return numbers, pool.lowered


def is_figure(pair: Pair) -> bool:
    return kind_of(pair.fact) in FIGURE_KINDS


def read(data: Path, name: str) -> list[tuple[Pair, Verdict]]:
    """Sure pairs with the rules' verdicts."""
    pairs = [pair for pair in LABELLED[name](data) if not pair.doubtful]
    return [(pair, said) for pair, (said,) in zip(pairs, judge_all([task_of([pair]) for pair in pairs]), strict=True)]


def asked(data: Path, model: str) -> list[Both]:
    """What the model was asked about, but for what it would not be asked in the cascade."""
    found: list[Both] = []
    for name in SEEN:
        pairs = [pair for pair in LABELLED[name](data) if not pair.doubtful]
        told = tellings(grouped(pairs), kept(model, FITTED, name))
        said = judge_all([task_of([one.pair]) for one in told])
        found += [both for one, (rules,) in zip(told, said, strict=True) if (both := _both(one, rules)) is not None]
    return found


def _both(told: Telling, rules: Verdict) -> Both | None:
    said = grounded(told).verdict
    if said is None or said.stage == "evidence" or decides(thresholds(), kind_of(told.pair.fact), rules):
        return None
    return Both(told.pair, rules, said, own=said == told.verdict)


def counts_of(read: Sequence[tuple[Pair, Verdict]]) -> list[list[int]]:
    """How often the rules say what (second) where which label is right (first)."""
    found = Counter((pair.label, said.label) for pair, said in read)
    return [[found[right, said] + _ADDED for said in LABELS] for right in LABELS]


# --- the fit ----------------------------------------------------------------------------------------------------------


def fit(both: Sequence[Both], counts: list[list[int]]) -> tuple[Numbers, float, list[list[str]]]:
    """The numbers, the lowering, and what they and the model alone are worth on problems held out."""
    parts, right = features(both, counts), np.eye(3)[[LABELS.index(one.pair.label) for one in both]]
    own = np.array([one.own for one in both])
    alone = judged(parts, crossed(parts, right, both, only_model=True), both)
    odds = crossed(parts, right, both)
    lowered = lowering(parts, odds, both)
    lines = [["model alone, as it is", *line(as_said(both))], ["model alone, fitted", *line(alone)]]
    lines.append(["both, as packaged until now", *line(as_packaged(both))])
    lines += [[f"both, lowered by {low}", *line(judged(parts, odds, both, low))] for low in sorted({0.0, lowered})]
    harmful = accuracy(as_said(both)) > accuracy(judged(parts, odds, both, lowered))
    return fitted(parts[own], right[own], only_model=harmful), lowered, lines


def lowering(parts: Numbers, odds: Numbers, both: Sequence[Both]) -> float:
    """That by which the errors cost least, of those that leave as many right as the model alone has."""
    alone = accuracy(as_said(both))
    found = {low: judged(parts, odds, both, low) for low in _LOWERED}
    good = {low: cost(each) for low, each in found.items() if accuracy(each) >= alone} or {0.0: 0}
    return min(good, key=lambda low: (good[low], low))


def features(both: Sequence[Both], counts: list[list[int]]) -> Numbers:
    """Of shape (pairs, 3 parts, 3 labels): log-odds by the model, the rules' word and the rules' odds."""
    table = {right: dict(zip(LABELS, row, strict=True)) for right, row in zip(LABELS, counts, strict=True)}
    pool = Pool(1.0, 1.0, 0.0, dict.fromkeys(LABELS, 0.0), table, 0.0)
    rows = [(model_odds(one.model), pool.said_odds(one.rules), rules_odds(one.rules)) for one in both]
    return np.array([[[part[label] for label in LABELS] for part in row] for row in rows])


def log_odds(parts: Numbers, numbers: Numbers) -> Numbers:
    return np.einsum("npl,p->nl", parts, numbers[:3]) + np.array([numbers[3], numbers[4], 0.0])


def fitted(parts: Numbers, right: Numbers, *, only_model: bool = False) -> Numbers:
    free = np.array([1.0, float(not only_model), float(not only_model), 1.0, 1.0])
    start = BAYES * free

    def loss(numbers: Numbers) -> float:
        odds = log_odds(parts, numbers)
        odds -= odds.max(axis=1, keepdims=True)
        chances = odds - np.log(np.exp(odds).sum(axis=1, keepdims=True))
        return -float((right * chances).sum()) + RIDGE / 2 * float(((numbers - start) ** 2).sum())

    # A power below 0 would turn a judge round.
    bounds = [(0.0, 3.0) if each else (0.0, 0.0) for each in free[:3]] + [(-5.0, 5.0)] * 2
    return np.asarray(minimize(loss, start, method="L-BFGS-B", bounds=bounds).x)


def crossed(parts: Numbers, right: Numbers, both: Sequence[Both], *, only_model: bool = False) -> Numbers:
    """Log-odds by what was fitted on other problems, the mean of several ways of dividing them."""
    odds, own = np.zeros(right.shape), np.array([one.own for one in both])
    for seed in _SEEDS:
        fold = folds((one.pair.problem for one in both), seed)
        place = np.array([fold[one.pair.problem] for one in both])
        for number in range(FOLDS):
            inside = place == number
            others = ~inside & own
            numbers = fitted(parts[others], right[others], only_model=only_model)
            odds[inside] += log_odds(parts[inside], numbers) / len(_SEEDS)
    return odds


# --- attacks ----------------------------------------------------------------------------------------------------------


def fooled(data: Path) -> str:
    lines: list[list[str]] = []
    for name, probes in probes_of(data, _PROBES).items():
        tasks = [JudgeTask(probe.response[:CAP], (probe.fact,)) for probe in probes]
        rules = [said for (said,) in judge_all(tasks)]
        taken = sum(fooled_by(*both).label == "stated" for both in zip(tasks, rules, strict=True))
        lines.append([name, str(len(probes)), str(taken), f"{taken / len(probes):.3f}"])
    return table(["attacks on", "tried", "stated", "share"], lines)


def fooled_by(task: JudgeTask, rules: Verdict) -> Verdict:
    kind = kind_of(task.facts[0].text)
    if decides(thresholds(), kind, rules):
        return rules
    (shown,) = shown_of(select, grounds, task)
    said = Verdict("stated", 0.9, contradiction=0.05) if shown.text else ABSENT
    return pooled(rules, said if shown.grounded or not shown.text else ungrounded(said), kind)


# --- the report -------------------------------------------------------------------------------------------------------


def judged(parts: Numbers, odds: Numbers, both: Sequence[Both], lowered: float = 0.0) -> list[Judged]:
    named = (odds - np.array([lowered, 0.0, 0.0])).argmax(axis=1)
    chances = np.exp(odds - odds.max(axis=1, keepdims=True))
    chances /= chances.sum(axis=1, keepdims=True)
    return [
        Judged(one.pair.problem, "", one.pair.label, LABELS[int(label)], float(row[0]))
        for one, label, row in zip(both, named, chances, strict=True)
    ]


def as_said(both: Sequence[Both]) -> list[Judged]:
    return [Judged(one.pair.problem, "", one.pair.label, one.model.label, one.model.probability) for one in both]


def as_packaged(both: Sequence[Both]) -> list[Judged]:
    found = [pooled(one.rules, one.model, kind_of(one.pair.fact)) for one in both]
    return [
        Judged(one.pair.problem, "", one.pair.label, said.label, said.probability)
        for one, said in zip(both, found, strict=True)
    ]


def cost(found: Sequence[Judged]) -> float:
    return sum(PRICE if one.said == "stated" else 1 for one in found if one.said != one.label)


def line(found: Sequence[Judged]) -> list[str]:
    taken: list[str] = []
    for label in LABELS[1:]:
        right = [one for one in found if one.label == label]
        taken.append(f"{sum(one.said == 'stated' for one in right)} of {len(right)}")
    return [f"{stated_auc(found):.3f}", f"{accuracy(found):.3f}", *taken, f"{ece(found):.3f}"]


def as_toml(name: str, numbers: Numbers, lowered: float, counts: list[list[int]]) -> str:
    names = ("model", "said", "chances", "stated", "contradicted")
    lines = [f"{key} = {value:.3f}" for key, value in zip(names, numbers, strict=True)]
    return "\n".join([f"[{name}]", *lines, f"lowered = {lowered}", f"counts = {counts}"])


if __name__ == "__main__":
    main()
