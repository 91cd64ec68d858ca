from __future__ import annotations

import random
import sys
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import tomllib

from perception_reward.service.judges.base import Verdict
from perception_reward.trainer_client.wire import Label

LABELS: tuple[Label, Label, Label] = ("stated", "contradicted", "absent")


@pytest.fixture(scope="module")
def pooling() -> Any:
    """The benchmark; its folder is on the path only while it is imported."""
    folder = str(Path(__file__).parent)
    sys.path.insert(0, folder)
    try:
        import pooling as module
    finally:
        sys.path.remove(folder)
    return module


def test_the_packaged_pairs_that_are_measured_are_those_that_the_pool_was_fitted_with(pooling: Any):
    from labelled import starting_pairs

    told = tomllib.loads(files("perception_reward.service.judges.cascade").joinpath("pooling.toml").read_text("utf-8"))
    assert len(starting_pairs(Path())) == told["provenance"]["pairs"]["starting"]


def verdict(label: Label, share: float) -> Verdict:
    rest = (1 - share) / 2
    shares = {each: share if each == label else rest for each in LABELS}
    return Verdict(label, shares["stated"], certainty=share, contradiction=shares["contradicted"])


def both(pooling: Any, rules_right: float, model_right: float) -> list[Any]:
    """Each with so often the right label, and else another one."""
    from labelled import Pair

    drawn = random.Random(0)
    found: list[Any] = []
    for number in range(240):
        right = LABELS[number % 3]

        def said(share: float, right: Label = right) -> Label:
            return right if drawn.random() < share else drawn.choice([each for each in LABELS if each != right])

        rules = verdict(said(rules_right), 0.8)
        pair = Pair(str(number), str(number), "The car is red.", right, False, "")
        found.append(pooling.Both(pair, rules, verdict(said(model_right), 0.8)))
    return found


def counts(pooling: Any, pairs: list[Any]) -> list[list[int]]:
    return pooling.counts_of([(one.pair, one.rules) for one in pairs])


def test_rules_that_know_something_are_heard_and_make_it_better(pooling: Any):
    pairs = both(pooling, 0.7, 0.7)
    (model, said, chances, *_), _, lines = pooling.fit(pairs, counts(pooling, pairs))
    assert model > 0.2
    assert said + chances > 0.2
    alone, pooled = lines[0], lines[-1]
    assert float(pooled[1]) > float(alone[1])
    assert float(pooled[2]) >= float(alone[2])


def test_rules_that_guess_are_left_out_or_change_nothing(pooling: Any):
    pairs = both(pooling, 1 / 3, 0.7)
    (model, said, chances, *_), *_ = pooling.fit(pairs, counts(pooling, pairs))
    assert model > 0.2
    assert chances < 0.2
    table = counts(pooling, pairs)
    # Their word counts alike for every label, or for nothing.
    shares = [row[0] / sum(row) for row in table]
    assert said == 0 or max(shares) - min(shares) < 0.25
