"""The reward functions as verl calls them; verl itself runs in tests/trainers/test_verl.py."""

from __future__ import annotations

import asyncio
import math
from typing import Any

import pytest

from perception_reward.trainer_client.errors import MissingScore
from perception_reward.trainer_client.trainers.problems import item_of
from perception_reward.trainer_client.trainers.verl import compute_score, compute_score_batch

GOOD = "<think>\nAB = 5 and the angle ABC is 90°.\n</think>\n<answer>\n\\boxed{13}\n</answer>"
KNOWN = {"annotation_id": "triangle/1", "index": 3}
KEYS = ["acc", "format", "missing", "perception", "repetition", "score"]


def test_one_sample_gives_a_score_and_its_components(served: str) -> None:
    found = asyncio.run(compute_score("geometry", GOOD, "13", KNOWN, base_url=served))
    assert sorted(found) == KEYS
    assert found["score"] == pytest.approx(1.7)
    assert found["missing"] == 0.0


def test_a_missing_score_is_raised_unless_the_user_wants_a_zero(served: str) -> None:
    unknown = {"annotation_id": "unknown"}
    for policy in ("native", "group_mean", "raise"):
        with pytest.raises(MissingScore, match="unknown_annotation"):
            asyncio.run(compute_score("geometry", GOOD, "13", unknown, base_url=served, on_missing=policy))
    found = asyncio.run(compute_score("geometry", GOOD, "13", unknown, base_url=served, on_missing="zero"))
    assert (found["score"], found["missing"]) == (0.0, 1.0)


def test_a_batch_gives_the_same_keys_for_every_sample(served: str) -> None:
    extras: list[Any] = [{**KNOWN, "group": "g"}, {"annotation_id": "unknown", "group": "g"}]
    good, missing = compute_score_batch(["geometry"] * 2, [GOOD] * 2, ["13"] * 2, extras, base_url=served)
    assert sorted(good) == sorted(missing) == KEYS
    assert missing["score"] == good["score"] == pytest.approx(1.7)
    assert math.isnan(missing["perception"])
    assert missing["missing"] == 1.0


def test_servers_may_come_as_a_list_out_of_a_configuration(served: str) -> None:
    (found,) = compute_score_batch(["geometry"], [GOOD], ["13"], [KNOWN], base_url=[served])
    assert found["score"] == pytest.approx(1.7)


def test_nothing_else_of_the_sample_leaves_the_trainer() -> None:
    extra = {**KNOWN, "images": [object()], "secret": "…"}
    assert item_of(GOOD, "13", extra) == {"annotation_id": "triangle/1", "answer": "13", "response": GOOD}


def test_a_sample_without_a_problem_is_told_what_is_missing() -> None:
    with pytest.raises(ValueError, match="names no annotation_id"):
        item_of(GOOD, "", {"index": 3})
