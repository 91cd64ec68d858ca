"""The packaged samples: they are what the demo, the README and the picture say of them."""

from __future__ import annotations

from importlib.resources import as_file, files

import pytest

from perception_reward.annotations.jsonl import read_annotations
from perception_reward.annotations.model import Annotation
from perception_reward.trainer_client.wire import ScoreItem

SAMPLES = files("perception_reward.service.demo")


@pytest.fixture(scope="module")
def annotations() -> dict[str, Annotation]:
    with as_file(SAMPLES / "annotations.jsonl") as path:
        return {found.id: found for found in read_annotations(path).values()}


@pytest.fixture(scope="module")
def rollouts() -> list[ScoreItem]:
    lines = (SAMPLES / "rollouts.jsonl").read_text(encoding="utf-8").splitlines()
    return [ScoreItem.model_validate_json(line) for line in lines]


def test_every_problem_has_a_rollout_and_every_rollout_a_problem(
    annotations: dict[str, Annotation], rollouts: list[ScoreItem]
) -> None:
    assert {rollout.annotation_id for rollout in rollouts} == set(annotations)
    assert len({rollout.id for rollout in rollouts}) == len(rollouts)


def test_every_problem_has_an_answer_and_facts(annotations: dict[str, Annotation]) -> None:
    assert all(found.answer and found.question and len(found.facts) >= 4 for found in annotations.values())


def test_responses_are_as_long_as_a_model_writes_them(rollouts: list[ScoreItem]) -> None:
    assert all(600 <= len(rollout.response) <= 1500 for rollout in rollouts)
