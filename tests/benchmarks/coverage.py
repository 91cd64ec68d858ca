"""The weights of the symbolic judge's rule for facts that are not geometry, fitted on labelled real responses.

    python tests/benchmarks/coverage.py [--data ../shared/data] [--write]

Softmax regression with a ridge on five features (`coverage.Features`), on the sure pairs that are not geometry of the
sets in `REAL`. A verdict is *stated* from a probability of a half on, and the odds of *stated* are lowered until
`TARGET` of these verdicts are right: chosen, like the figures printed, on problems that the fit had not seen. `--write`
puts the weights into the package. The sets in `UNSEEN` are not read.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from importlib.resources import files
from pathlib import Path

import numpy as np
from folds import FOLDS, folds
from labelled import REAL, SETS, Pair
from measures import Judged, accuracy, stated_auc, table
from numpy.typing import NDArray
from places import arguments
from real import world
from scipy.optimize import minimize

from perception_reward.annotations.language.sentences import read
from perception_reward.service.judges.symbolic.coverage import LABELS, Features, Seen, label_of, look, wanted
from perception_reward.service.judges.symbolic.passages import Passages

TARGET = 0.88
RIDGE = 3.0
_SEEDS = range(5)
_LOWERED = [step / 100 for step in range(0, 200, 5)]

Numbers = NDArray[np.float64]


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--write", action="store_true", help="put the weights into the package")
    chosen = parser.parse_args()
    if not chosen.data.is_dir():
        raise SystemExit(f"no data sets at {chosen.data}; --data names their folder")
    found = {name: [pair for pair in SETS[name](chosen.data) if _counts(pair)] for name in REAL}
    pairs = [pair for each in found.values() for pair in each]
    seen = [look(wanted(pair.fact), Passages(read(pair.response))) for pair in pairs]
    design, right = np.array([one.features for one in seen]), _one_hot(pairs)
    crossed = cross_fitted(design, right, [pair.problem for pair in pairs])
    lowered = choose(crossed, pairs, seen)
    print(report(judged(crossed, pairs, seen, lowered), found))
    text = as_toml(fitted(design, right), lowered, {name: len(each) for name, each in found.items()})
    print(f"\n{text}")
    if chosen.write:
        target = Path(str(files("perception_reward.service.judges.symbolic").joinpath("coverage.toml")))
        target.write_text(text, encoding="utf-8")
        print(f"written to {target}")


def _counts(pair: Pair) -> bool:
    return not pair.doubtful and world(pair.fact) == "other"


def _one_hot(pairs: Sequence[Pair]) -> Numbers:
    return np.eye(len(LABELS))[[LABELS.index(pair.label) for pair in pairs]]


# --- the fit ----------------------------------------------------------------------------------------------------------


def fitted(design: Numbers, right: Numbers) -> Numbers:
    """Weights of shape (features + 1, labels), the bias last, the ridge on features of unit variance."""
    middle, spread = design.mean(0), design.std(0) + 1e-9
    scaled = np.c_[(design - middle) / spread, np.ones(len(design))]

    def loss(flat: Numbers) -> tuple[float, Numbers]:
        weights = flat.reshape(scaled.shape[1], right.shape[1])
        chances = softmax(scaled @ weights)
        slope = scaled.T @ (chances - right)
        slope[:-1] += RIDGE * weights[:-1]
        surprise = -float((right * np.log(chances + 1e-12)).sum())
        return surprise + RIDGE / 2 * float((weights[:-1] ** 2).sum()), slope.ravel()

    found = minimize(loss, np.zeros(scaled.shape[1] * right.shape[1]), jac=True, method="L-BFGS-B")
    weights = found.x.reshape(scaled.shape[1], right.shape[1])
    steep = weights[:-1] / spread[:, None]
    weights = np.r_[steep, [weights[-1] - middle @ steep]]
    return weights - weights[:, -1:]


def softmax(odds: Numbers) -> Numbers:
    powers = np.exp(odds - odds.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def cross_fitted(design: Numbers, right: Numbers, problems: Sequence[str]) -> Numbers:
    """For each pair its log-odds, the mean of fits on other problems with several ways of dividing them."""
    odds = np.zeros(right.shape)
    for seed in _SEEDS:
        fold = folds(problems, seed)
        place = np.array([fold[problem] for problem in problems])
        for number in range(FOLDS):
            inside = place == number
            weights = fitted(design[~inside], right[~inside])
            odds[inside] += np.c_[design[inside], np.ones(inside.sum())] @ weights / len(_SEEDS)
    return odds


def choose(odds: Numbers, pairs: Sequence[Pair], seen: Sequence[Seen]) -> float:
    """By how much the log-odds of *stated* have to be lowered until enough of these verdicts are right."""
    for lowered in _LOWERED:
        said = [one for one in judged(odds, pairs, seen, lowered) if one.said == "stated"]
        if said and sum(one.label == "stated" for one in said) / len(said) >= TARGET:
            return lowered
    return _LOWERED[-1]


def judged(odds: Numbers, pairs: Sequence[Pair], seen: Sequence[Seen], lowered: float) -> list[Judged]:
    chances = softmax(odds - lowered * np.eye(len(LABELS))[0])
    return [
        Judged(pair.problem, "other", pair.label, label_of(one, dict(zip(LABELS, row, strict=True)))[0], float(row[0]))
        for pair, one, row in zip(pairs, seen, chances, strict=True)
    ]


# --- the report -------------------------------------------------------------------------------------------------------


def report(every: Sequence[Judged], found: dict[str, list[Pair]]) -> str:
    at, lines = 0, [_line("all", every)]
    for name, each in found.items():
        if each:
            lines.append(_line(name, every[at : at + len(each)]))
        at += len(each)
    header = ["set, cross-fitted", "pairs", "AUC stated", "three-way", "said stated", "of these right"]
    return table(header, lines)


def _line(name: str, group: Sequence[Judged]) -> list[str]:
    said = [one for one in group if one.said == "stated"]
    right = sum(one.label == "stated" for one in said)
    return [
        name, str(len(group)), f"{stated_auc(group):.3f}", f"{accuracy(group):.3f}", str(len(said)),
        f"{right / len(said):.3f}" if said else "–",
    ]  # fmt: skip


def as_toml(weights: Numbers, lowered: float, counts: dict[str, int]) -> str:
    """The packaged file, with where its numbers come from."""
    bias = weights[-1] - lowered * np.eye(len(LABELS))[0]
    rows = [(name, weights[at]) for at, name in enumerate(Features._fields)] + [("bias", bias)]
    lines = [
        "# What each feature adds to the log-odds of stated and of contradicted over absent (`coverage.py`). Written",
        "# by `make fit-coverage WRITE=--write`; fit anew when terms or features have changed.",
        "",
        "[provenance]",
        f"date = {date.today().isoformat()}",
        "pairs = { " + ", ".join(f"{name} = {count}" for name, count in counts.items() if count) + " }",
        f"lowered = {lowered}",
        "",
        "[weights]",
        *(f"{name} = [{row[0]:.4f}, {row[1]:.4f}]" for name, row in rows),
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
