"""What the rules were unsure of, and what the model then said, taken together.

A logarithmic opinion pool (Genest and Zidek, Statistical Science 1986) with equal weights: of each label the geometric
mean of what both give it. Neither is right often enough to overrule the other: the rules miss what is said in unusual
words, and a small model takes another value of the same element for the fact's. `tests/benchmarks/judge_quality.py`
says what this gains.
"""

from __future__ import annotations

import math
from typing import Final, get_args

from perception_reward.service.judges.base import Verdict
from perception_reward.trainer_client.wire import Label

LABELS: Final[tuple[Label, ...]] = get_args(Label)
# Of each label at least this much: a single zero would silence the other. The rules overlook what is said in words
# that they do not know, however sure they are, so a model that is sure overrules their "absent".
LEAST_OF_RULES: Final = 0.1
LEAST_OF_MODEL: Final = 1e-3
# Of what a judge without a probability for `contradicted` leaves to both other labels, the share of the one it names.
NAMED: Final = 0.9


def pooled(rules: Verdict, model: Verdict) -> Verdict:
    """The verdict of both. Its span is that of the judge whose label it is, the rules' first.

    Where the model was not asked there are no two to pool, and the rules' stands. Their "absent" is absent either way;
    what they found in words that the selection of evidence does not know is not outvoted by an answer nobody gave.
    """
    if model.unasked:
        return rules
    one, other = _by_label(rules), _by_label(model)
    weights = {
        label: math.sqrt(max(one[label], LEAST_OF_RULES) * max(other[label], LEAST_OF_MODEL)) for label in LABELS
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
    )


def _by_label(verdict: Verdict) -> dict[Label, float]:
    rest = 1.0 - verdict.probability
    contradicted = verdict.contradiction
    if contradicted is None:
        contradicted = rest * (NAMED if verdict.label == "contradicted" else 1.0 - NAMED)
    return {"stated": verdict.probability, "contradicted": contradicted, "absent": rest - contradicted}
