"""The reward functions as verl calls them; verl itself runs in tests/trainers/test_verl.py."""

from __future__ import annotations

import asyncio
import math
from typing import Any

import pytest

from perception_reward.trainer_client import DataError, RewardClient, ServiceUnavailable
from perception_reward.trainer_client.errors import MissingScore
from perception_reward.trainer_client.trainers.columns import MISSING
from perception_reward.trainer_client.trainers.problems import items_of
from perception_reward.trainer_client.trainers.verl import compute_score, compute_score_batch

GOOD = "<think>\nAB = 5 and the angle ABC is 90°.\n</think>\n<answer>\n\\boxed{13}\n</answer>"
KNOWN = {"annotation_id": "triangle/1", "index": 3}
KEYS = sorted(["acc", "format", "perception", "repetition", "score", *MISSING])


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
    assert (found["score"], found["missing"], found["missing/unknown_annotation"]) == (0.0, 1.0, 1.0)


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
    items = items_of(RewardClient().facts, [{"ground_truth": "13", "extra_info": extra}], [GOOD])
    assert items == [{"annotation_id": "triangle/1", "answer": "13", "response": GOOD}]


def test_a_sample_without_a_problem_is_told_what_is_missing(served: str) -> None:
    with pytest.raises(DataError, match="names no annotation_id"):
        asyncio.run(compute_score("geometry", GOOD, "", {"index": 3}, base_url=served))


def test_a_misspelt_field_is_told_for_every_sample_so_that_the_batch_is_empty(served: str) -> None:
    extra = {"problem_id": "triangle/1", "index": 3}
    for _ in range(3):
        with pytest.raises(DataError, match=r"extra_info\.problem_id -> annotation_id"):
            asyncio.run(compute_score("geometry", GOOD, "13", extra, base_url=served, run="misspelt"))
    found = asyncio.run(compute_score("geometry", GOOD, "13", extra, base_url=served, require_facts=False))
    assert found["score"] == pytest.approx(1.0)
    with pytest.raises(DataError, match="problem_id"):
        compute_score_batch(["geometry"] * 2, [GOOD] * 2, ["13"] * 2, [extra] * 2, base_url=served, run="a batch")


def test_a_service_that_is_not_there_is_told_at_the_first_sample_where_only_the_call_names_it() -> None:
    with pytest.raises(ServiceUnavailable, match=r"127\.0\.0\.1:9"):
        asyncio.run(compute_score("geometry", GOOD, "13", KNOWN, base_url="http://127.0.0.1:9", start_wait=0.0))
