"""Reward functions that need no trainer to be called, as their trainers call them."""

from __future__ import annotations

import asyncio
import json
import math
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import pytest

from perception_reward.trainer_client.errors import DataError, MissingScore, Unauthorized
from perception_reward.trainer_client.trainers import areal, columns, easyr1, slime, verifiers

GOOD = "<think>\nAB = 5 and the angle ABC is 90°.\n</think>\n<answer>\n\\boxed{13}\n</answer>"
TRUTH = json.dumps({"annotation_id": "triangle/1", "answer": "13"})
UNKNOWN = json.dumps({"annotation_id": "unknown", "answer": "13"})
FULL = pytest.approx(1.7)


@pytest.fixture(autouse=True)
def _at(served: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("PERCEPTION_REWARD_URL", served)
    columns.client_of.cache_clear()
    yield
    columns.client_of.cache_clear()


def test_easyr1_gets_the_same_keys_for_every_response_and_the_mean_for_what_is_missing() -> None:
    inputs = [{"response": text, "response_length": 9, "ground_truth": TRUTH} for text in (GOOD, "No idea.")]
    missing = {"response": GOOD, "response_length": 9, "ground_truth": UNKNOWN}
    good, bad, unknown = easyr1.compute_score([*inputs, missing])
    assert (good["overall"], bad["overall"], unknown["overall"]) == (FULL, 0.0, pytest.approx(0.85))
    assert set(good) == set(bad) == {"overall", "accuracy", "format", "perception", "repetition", *columns.MISSING}
    assert (good["missing"], unknown["missing"], unknown["missing/unknown_annotation"]) == (0.0, 1.0, 1.0)


def sample(label: str = TRUTH, **fields: Any) -> SimpleNamespace:
    return SimpleNamespace(response=GOOD, label=label, metadata={}, group_index=3, **fields)


def test_slime_gets_a_number_or_an_object_with_its_key() -> None:
    plain = SimpleNamespace(reward_key=None, dynamic_sampling_filter_path=None)
    keyed = SimpleNamespace(reward_key="score", dynamic_sampling_filter_path=None)
    assert asyncio.run(slime.custom_rm(plain, sample())) == FULL
    assert asyncio.run(slime.custom_rm(keyed, sample()))["score"] == FULL
    assert asyncio.run(slime.custom_rm(plain, [sample(), sample(UNKNOWN)])) == [FULL, FULL]


def test_slime_gets_nan_for_what_is_missing_only_where_a_filter_drops_it() -> None:
    filtered = SimpleNamespace(reward_key=None, dynamic_sampling_filter_path="…")
    found = asyncio.run(slime.custom_rm(filtered, [sample(), sample(UNKNOWN)]))
    assert found[0] == FULL
    assert math.isnan(found[1])
    with pytest.raises(MissingScore):
        asyncio.run(slime.custom_rm(SimpleNamespace(reward_key=None), sample(UNKNOWN)))


def test_slime_gets_what_the_user_wants_for_what_is_missing_whatever_filter_is_set(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    filtered = SimpleNamespace(reward_key=None, dynamic_sampling_filter_path="…")
    monkeypatch.setenv("PERCEPTION_REWARD_ON_MISSING", "raise")
    with pytest.raises(MissingScore):
        asyncio.run(slime.custom_rm(filtered, sample(UNKNOWN)))
    columns.client_of.cache_clear()
    monkeypatch.setenv("PERCEPTION_REWARD_ON_MISSING", "group_mean")
    assert asyncio.run(slime.custom_rm(filtered, [sample(), sample(UNKNOWN)])) == [FULL, FULL]


CLOSED = GOOD.removeprefix("<think>\n")
OPENED = "<|im_start|>user\nFind AC.<|im_end|>\n<|im_start|>assistant\n<think>\n"


def test_a_thought_that_the_prompt_opened_is_seen_where_the_trainer_shows_the_prompt() -> None:
    plain = SimpleNamespace(reward_key=None)
    one = SimpleNamespace(response=CLOSED, label=TRUTH, metadata={}, prompt=OPENED)
    assert asyncio.run(slime.custom_rm(plain, one)) == FULL
    assert areal.reward_fn(OPENED, CLOSED + "<|im_end|>", [1], [2], annotation_id="triangle/1") == FULL


def test_elsewhere_the_option_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = [{"response": CLOSED, "response_length": 9, "ground_truth": TRUTH}]
    (untold,) = easyr1.compute_score(asked)
    assert untold["format"] == 0.0
    (told,) = easyr1.compute_score(asked, prefix="<think>")
    assert told["overall"] == FULL
    monkeypatch.setenv("PERCEPTION_REWARD_PREFIX", "<think>\n")
    columns.client_of.cache_clear()
    assert easyr1.compute_score(asked)[0]["overall"] == FULL
    # Reasoning that a parser took out is the whole thought.
    thought, answer = CLOSED.split("</think>")
    reply = [{"role": "assistant", "reasoning": thought, "content": answer}]
    assert asyncio.run(verifiers.score_reply(reply, SimpleNamespace(annotation_id="triangle/1", answer="13"))) == FULL


@pytest.mark.parametrize(
    ("rewards", "kept"), [([1.0, 0.5], True), ([1.0, 1.0], False), ([1.0, math.nan], False), ([0.0, 1e-9], False)]
)
def test_slime_keeps_groups_that_are_scored_and_not_all_alike(rewards: list[float], kept: bool) -> None:
    group = [SimpleNamespace(get_reward_value=lambda _, value=value: value) for value in rewards]
    assert slime.keep_scored(None, group) is kept


def test_verifiers_gets_the_scores_of_a_group_and_the_mean_for_what_is_missing() -> None:
    messages = [[{"role": "assistant", "content": text}] for text in (GOOD, "No idea.", GOOD)]
    infos = [{"annotation_id": "triangle/1", "group": "3"}] * 2 + [{"annotation_id": "unknown", "group": "3"}]
    found = asyncio.run(verifiers.perception_rewards(completions=messages, answers=["13"] * 3, infos=infos))
    assert found == [FULL, 0.0, pytest.approx(0.85)]


def test_verifiers_gets_the_score_of_a_task_s_reply_or_an_error() -> None:
    data = SimpleNamespace(annotation_id="triangle/1", answer="13")
    assert asyncio.run(verifiers.score_reply(GOOD, data)) == FULL
    with pytest.raises(MissingScore):
        asyncio.run(verifiers.score_reply(GOOD, SimpleNamespace(annotation_id="unknown")))


def test_areal_gets_a_score_and_never_waits_as_long_as_would_make_it_zero() -> None:
    assert areal.reward_fn("?", GOOD, [1], [2], annotation_id="triangle/1", image="…") == FULL
    assert columns.client_of(timeout=areal.PATIENCE).options.timeout < 15
    with pytest.raises(MissingScore):
        areal.reward_fn("?", GOOD, [1], [2], annotation_id="unknown")


def test_areal_s_workflows_get_a_score_without_blocking_their_loop() -> None:
    async def both() -> list[Any]:
        asked = [areal.reward("?", GOOD, [1], [2], annotation_id=name) for name in ("triangle/1", "unknown")]
        return await asyncio.gather(*asked, return_exceptions=True)

    good, unknown = asyncio.run(both())
    assert good == FULL
    assert isinstance(unknown, MissingScore)


def test_calls_from_many_threads_leave_together(served: str) -> None:
    with ThreadPoolExecutor(16) as threads:
        jobs = [threads.submit(areal.reward_fn, "?", GOOD, [], [], annotation_id="triangle/1") for _ in range(64)]
        assert [job.result() for job in jobs] == [FULL] * 64


@pytest.mark.parametrize(
    "call",
    [
        lambda: areal.reward_fn("?", GOOD, [], [], image="…"),
        lambda: easyr1.compute_score([{"response": GOOD, "response_length": 1, "ground_truth": ""}]),
    ],
)
def test_data_that_name_no_problem_are_an_error(call: Any) -> None:
    with pytest.raises(ValueError, match="annotation_id"):
        call()


MISSPELT = json.dumps({"problem_id": "triangle/1", "answer": "13"})


@pytest.mark.parametrize(
    ("call", "meant"),
    [
        (lambda: areal.reward_fn("?", GOOD, [], [], problem_id="triangle/1", answer="13"), "problem_id"),
        (lambda: asyncio.run(areal.reward("?", GOOD, [], [], problem_id="x", answer="13")), "problem_id"),
        (
            lambda: easyr1.compute_score([{"response": GOOD, "response_length": 1, "ground_truth": MISSPELT}] * 2),
            "ground_truth.problem_id",
        ),
        (lambda: asyncio.run(slime.custom_rm(SimpleNamespace(), sample(MISSPELT))), "label.problem_id"),
    ],
)
def test_a_misspelt_field_is_told_and_stops(call: Any, meant: str) -> None:
    with pytest.raises(DataError, match=f"Did you mean: {meant} -> annotation_id"):
        call()


def test_verifiers_goes_on_after_errors_so_that_a_misspelt_field_ends_the_program() -> None:
    data = SimpleNamespace(problem_id="triangle/1", answer="13")
    with pytest.raises(SystemExit, match="Did you mean: problem_id -> annotation_id"):
        asyncio.run(verifiers.score_reply(GOOD, data))
    with pytest.raises(SystemExit, match=r"metadata\.problem_id -> annotation_id"):
        asyncio.run(verifiers.perception_rewards([GOOD], ["13"], [{"problem_id": "triangle/1"}]))


@pytest.mark.parametrize(
    "call",
    [
        lambda: areal.reward_fn("?", GOOD, [], [], annotation_id="triangle/1"),
        lambda: asyncio.run(slime.custom_rm(SimpleNamespace(), sample())),
        lambda: easyr1.compute_score([{"response": GOOD, "response_length": 1, "ground_truth": TRUTH}]),
    ],
)
def test_a_wrong_key_is_told_at_the_first_call(keyed_url: str, monkeypatch: pytest.MonkeyPatch, call: Any) -> None:
    monkeypatch.setenv("PERCEPTION_REWARD_URL", keyed_url)
    monkeypatch.setenv("PERCEPTION_REWARD_API_KEY", "wrong")
    columns.client_of.cache_clear()
    with pytest.raises(Unauthorized, match="PERCEPTION_REWARD_API_KEY"):
        call()


@pytest.fixture(scope="module")
def keyed_url(start_shared_process: Any) -> str:
    return start_shared_process("--workers", "1", environment={"api_key": "s3cret"}).url
