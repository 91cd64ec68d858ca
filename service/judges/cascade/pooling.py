"""What the rules were unsure of, and what the model then said, taken together.

    pooled(rules, model, kind_of(fact.text))    # one verdict

A logarithmic opinion pool: the odds of each label are the model's, times how often the rules say what they said where
that label is right, times the rules' own odds where they give some, each to a power, times a constant of the label. The
model's power and the constants take back what a small model says too often and how sure it is of it; the odds of a
model that is calibrated stand as they are. The label is the likeliest once the odds of stated, which costs most where
it is wrong, are lowered; probabilities are not. For facts about a figure's geometry the rules' word is worth much; for
all others it is one of two guesses. Powers and constants are in `pooling.toml`, for the one and for the other, fitted
on real responses by `make fit-pooling`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Final, TypeAlias, get_args

import tomllib

from perception_reward.service.judges.base import Verdict
from perception_reward.service.judges.symbolic.kinds import FIGURE_KINDS
from perception_reward.trainer_client.wire import Label

LABELS: Final[tuple[Label, ...]] = get_args(Label)
PACKAGED: Final = "pooling.toml"
# What a wrong *stated* costs beside another error: of probabilities that are right, its logarithm is the best lowering.
PRICE: Final = 2.0
# Of each label at least this much: a single zero would silence the other judge.
LEAST: Final = 1e-3
# Of what a judge without a probability for `contradicted` leaves to both other labels, the share of the one it names.
NAMED: Final = 0.9

# By label, the logarithm of its odds up to a constant.
Odds: TypeAlias = dict[Label, float]


@dataclass(frozen=True, slots=True)
class Pool:
    """model, said, chances: the powers of the model's odds, of the rules' word and of the rules' odds.

    bias: what is added to the log-odds of each label. counts: how often the rules say what (second) where which label
    is right (first), each with 2 added. lowered: what is taken off the log-odds of stated to name a label.
    """

    model: float
    said: float
    chances: float
    bias: Mapping[Label, float]
    counts: Mapping[Label, Mapping[Label, int]]
    lowered: float

    def odds(self, rules: Verdict, model: Verdict, *, calibrated: bool = False) -> Odds:
        """Of each label by both."""
        power, bias = (1.0, dict.fromkeys(LABELS, 0.0)) if calibrated else (self.model, self.bias)
        shares, said, own = model_odds(model), self.said_odds(rules), rules_odds(rules)
        return {
            label: power * shares[label] + self.said * said[label] + self.chances * own[label] + bias[label]
            for label in LABELS
        }

    def said_odds(self, rules: Verdict) -> Odds:
        """By how often they say it where each label is right."""
        return {label: math.log(row[rules.label] / sum(row.values())) for label, row in self.counts.items()}


def pooled(rules: Verdict, model: Verdict, kind: str, *, calibrated: bool = False) -> Verdict:
    """The verdict of both on a fact of `kind` (`kinds.kind_of`). Its span is that of the judge whose label it is, the
    rules' first. calibrated: whether the model's probabilities are.

    Where the model was not asked there are no two to pool, and the rules' stands. Their "absent" is absent either way;
    what they found in words that the selection of evidence does not know is not outvoted by an answer nobody gave.
    """
    if model.stage == "evidence":
        return rules
    figure, other = packaged()
    pool = figure if kind in FIGURE_KINDS else other
    odds = pool.odds(rules, model, calibrated=calibrated)
    most = max(odds.values())
    weights = {label: math.exp(each - most) for label, each in odds.items()}
    total = math.fsum(weights.values())
    lowered = min(pool.lowered, math.log(PRICE)) if calibrated else pool.lowered
    named = odds | {"stated": odds["stated"] - lowered}
    label = max(LABELS, key=lambda name: named[name])
    stated = weights["stated"] / total
    return Verdict(
        label,
        stated,
        next((said.span for said in (rules, model) if said.label == label and said.span is not None), None),
        certainty=weights[label] / total,
        contradiction=min(1.0 - stated, weights["contradicted"] / total),
        truncated=rules.truncated or model.truncated,
        stage="pooled",
    )


@cache
def packaged() -> tuple[Pool, Pool]:
    """What comes with the package: for facts about a figure's geometry, and for all others."""
    tables = tomllib.loads(resources.files(__package__ or "").joinpath(PACKAGED).read_text(encoding="utf-8"))
    figure, other = (_pool(**tables[name]) for name in ("figure", "other"))
    return figure, other


def _pool(
    model: float,
    said: float,
    chances: float,
    stated: float,
    contradicted: float,
    lowered: float,
    counts: list[list[int]],
) -> Pool:
    bias: dict[Label, float] = {"stated": stated, "contradicted": contradicted, "absent": 0.0}
    table: dict[Label, Mapping[Label, int]] = {
        label: dict(zip(LABELS, row, strict=True)) for label, row in zip(LABELS, counts, strict=True)
    }
    return Pool(model, said, chances, bias, table, lowered)


def model_odds(verdict: Verdict) -> Odds:
    rest = 1.0 - verdict.probability
    contradicted = verdict.contradiction
    if contradicted is None:
        contradicted = rest * (NAMED if verdict.label == "contradicted" else 1.0 - NAMED)
    return _logarithms({"stated": verdict.probability, "contradicted": contradicted, "absent": rest - contradicted})


def rules_odds(verdict: Verdict) -> Odds:
    """The same for every label where the rules give no probability of `contradicted`."""
    if verdict.contradiction is None:
        return dict.fromkeys(LABELS, 0.0)
    return model_odds(verdict)


def _logarithms(shares: Mapping[Label, float]) -> Odds:
    return {label: math.log(max(share, LEAST)) for label, share in shares.items()}
