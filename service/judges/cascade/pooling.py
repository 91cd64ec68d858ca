"""What the rules were unsure of, and what the model then said, taken together.

Bayes' rule: the model's probabilities, times how often the rules say what they said where that label is right. For
facts about a figure's geometry the rules' word is worth much; for all others their "absent" tells next to nothing, and
their "contradicted" is often another thing's value. A small model takes another value of the same element for the
fact's. `tests/benchmarks/methods.py` counts the table and says what pooling gains.
"""

from __future__ import annotations

import math
from typing import Final, get_args

from perception_reward.service.judges.base import Verdict
from perception_reward.service.judges.symbolic.kinds import FIGURE_KINDS
from perception_reward.trainer_client.wire import Label

LABELS: Final[tuple[Label, ...]] = get_args(Label)
# Of each label at least this much: a single zero would silence the rules.
LEAST_OF_MODEL: Final = 1e-3
# A one-token answer is less sure than it is right; chosen with the table, on the same responses.
SHARPER: Final = 1.5
# How often the rules say what where which label is right, each count with 2 added: real responses, the sets `labelled`,
# `general`, `further`, `fresh_seen` and `newest_seen`, by whether the kind of the fact is a figure's.
_COUNTS: Final[dict[bool, dict[Label, dict[Label, int]]]] = {
    True: {
        "stated": {"stated": 163, "contradicted": 4, "absent": 34},
        "contradicted": {"stated": 2, "contradicted": 71, "absent": 19},
        "absent": {"stated": 2, "contradicted": 3, "absent": 98},
    },
    False: {
        "stated": {"stated": 112, "contradicted": 61, "absent": 77},
        "contradicted": {"stated": 9, "contradicted": 109, "absent": 50},
        "absent": {"stated": 8, "contradicted": 31, "absent": 155},
    },
}
# Of what a judge without a probability for `contradicted` leaves to both other labels, the share of the one it names.
NAMED: Final = 0.9


def pooled(rules: Verdict, model: Verdict, kind: str) -> Verdict:
    """The verdict of both on a fact of `kind` (`kinds.kind_of`). Its span is that of the judge whose label it is, the
    rules' first.

    Where the model was not asked there are no two to pool, and the rules' stands. Their "absent" is absent either way;
    what they found in words that the selection of evidence does not know is not outvoted by an answer nobody gave.
    """
    if model.stage == "evidence":
        return rules
    shares, counts = _by_label(model), _COUNTS[kind in FIGURE_KINDS]
    weights = {
        label: max(shares[label], LEAST_OF_MODEL) ** SHARPER * row[rules.label] / sum(row.values())
        for label, row in counts.items()
    }
    total = math.fsum(weights.values())
    label = max(LABELS, key=lambda name: weights[name])
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


def _by_label(verdict: Verdict) -> dict[Label, float]:
    rest = 1.0 - verdict.probability
    contradicted = verdict.contradiction
    if contradicted is None:
        contradicted = rest * (NAMED if verdict.label == "contradicted" else 1.0 - NAMED)
    return {"stated": verdict.probability, "contradicted": contradicted, "absent": rest - contradicted}
