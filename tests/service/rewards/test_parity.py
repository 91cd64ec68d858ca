"""Parity with the public reference code, over vectors that its own functions were run on.

`parity_vectors.jsonl` beside this file: inputs written for this project; expectations from
tongxiao2002/Perception-R1 @ c47eaf2 with math-verify 0.9.0. The larger set of the same kind is read where it exists.
"""

from __future__ import annotations

import json
import re
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perception_reward.service.judges.base import Missing, Outcome, Verdict
from perception_reward.service.profiles.load import load_profiles
from perception_reward.service.profiles.model import Profile
from perception_reward.service.rewards.component import Sample
from perception_reward.service.rewards.parity import (
    parity_accuracy,
    parity_format,
    parity_from_outcomes,
    parity_perception_format,
    parity_repetition,
    parity_visual,
    parse_judge_reply,
)
from perception_reward.service.rewards.registry import registered
from perception_reward.service.scoring.combine import combine
from perception_reward.trainer_client.wire import Components, Fact

Row = dict[str, Any]
OWN = [json.loads(line) for line in (Path(__file__).parent / "parity_vectors.jsonl").read_text("utf-8").splitlines()]


def own(kind: str) -> list[Any]:
    return [pytest.param(row, id=f"{row['id']} {row['note']}") for row in OWN if row["kind"] == kind]


def shared(folder: Path, name: str) -> Iterator[Row]:
    with (folder / "parity" / f"{name}.jsonl").open(encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def close(value: float) -> Any:
    return pytest.approx(value, abs=1e-9, rel=0)


def total(
    response: str, reference: str, scores: list[float] | None, *, factor: float, size: int, maximum: float
) -> float:
    """The reward as the parity profile puts it together."""
    weights = {"format": 0.1, "accuracy": 0.9, "perception": factor, "repetition": 1.0}
    components = Components(
        format=parity_format(response),
        accuracy=parity_accuracy(response, reference),
        perception=None if scores is None else parity_visual(scores),
        repetition=parity_repetition(response, size, maximum),
    )
    return combine(Profile(name="parity", weights=weights, mode="parity"), components, None)


@pytest.mark.parametrize("row", own("format"))
def test_format_of_our_vectors(row: Row) -> None:
    response = row["input"]["response"]
    assert parity_format(response) == row["expected"]["format"]
    assert parity_perception_format(response) == row["expected"]["perception_format"]


@pytest.mark.parametrize("row", own("accuracy"))
def test_accuracy_of_our_vectors(row: Row) -> None:
    assert parity_accuracy(row["input"]["response"], row["input"]["reference"]) == row["expected"]


@pytest.mark.parametrize("row", own("repetition"))
def test_repetition_of_our_vectors(row: Row) -> None:
    values = row["input"]
    assert parity_repetition(values["response"], values["size"], values["maximum"]) == row["expected"]


@pytest.mark.parametrize("row", own("judge"))
def test_judge_replies_of_our_vectors(row: Row) -> None:
    scores = parse_judge_reply(row["input"]["reply"])
    assert scores == row["expected"]["scores"]
    assert parity_visual(scores) == row["expected"]["visual"]


@pytest.mark.parametrize("row", own("total"))
def test_totals_of_our_vectors_are_equal_to_the_last_bit(row: Row) -> None:
    values = row["input"]
    scores = None if values["reply"] is None else parse_judge_reply(values["reply"])
    reward = total(values["response"], values["reference"], scores, factor=values["factor"], size=20, maximum=-2.0)
    assert reward == row["expected"]


def test_the_packaged_profile_has_the_weights_of_the_training_script() -> None:
    profile = load_profiles()["perception-r1-parity"]
    assert profile.mode == "parity"
    assert profile.weights == {"format": 0.1, "accuracy": 0.9, "perception": 0.7, "repetition": 1.0}


def test_format_and_accuracy_of_the_shared_vectors(shared_data: Path) -> None:
    for row in shared(shared_data, "format_accuracy"):
        response, reference = row["input"]["response"], row["input"]["ground_truth"]
        if not isinstance(response, str):
            with pytest.raises((TypeError, AttributeError)):
                parity_format(response)
            continue
        found = {"format": parity_format(response), "perception_format": parity_perception_format(response)}
        assert found == {key: row["expected"][key] for key in found}, row["id"]
        if "timeout" not in row.get("note", ""):  # there 0, here missing: see test_grading.py
            assert parity_accuracy(response, reference) == row["expected"]["accuracy"], row["id"]


def test_repetition_of_the_shared_vectors(shared_data: Path) -> None:
    errors = {"ZeroDivisionError": ZeroDivisionError, "AttributeError": AttributeError}
    for row in shared(shared_data, "ngram"):
        arguments = tuple(row["input"][key] for key in ("response", "ngram_size", "ngram_max_penalty"))
        if isinstance(row["expected"], dict):
            with pytest.raises(errors[row["expected"]["raises"]]):
                parity_repetition(*arguments)
        else:
            assert parity_repetition(*arguments) == close(row["expected"]), row["id"]


def test_judge_replies_of_the_shared_vectors(shared_data: Path) -> None:
    for row in shared(shared_data, "judge_parse"):
        scores = parse_judge_reply(row["input"])
        assert scores == close(row["expected"]["scores"]), row["id"]
        assert parity_visual(scores) == close(row["expected"]["reward"]), row["id"]


def test_totals_of_the_shared_vectors(shared_data: Path) -> None:
    for row in shared(shared_data, "total"):
        values, config = row["input"], row["input"]["config"]
        if "raises" in row["expected"]:
            continue  # a failed request is missing here, and a size of 0 has its own rows above
        judged = config["use_visual_reward"] and values["visual_key_info"]
        reward = total(
            values["response"],
            values["ground_truth"],
            parse_judge_reply(values["judge_output"]) if judged else None,
            factor=config["visual_reward_factor"],
            size=config["ngram_size"],
            maximum=config["ngram_max_penalty"] if config["use_ngram_penalty"] else 0.0,
        )
        assert reward == close(row["expected"]["reward"]), row["id"]


@pytest.mark.parametrize("tags", [("think", "answer"), ("perception", "think", "answer")])
@given(
    pieces=st.lists(
        st.sampled_from(
            ["<perception>", "</perception>", "<think>", "</think>", "<answer>", "</answer>", "\\boxed{", "}"]
            + ["\n"] * 6
        ),
        max_size=14,
    )
)
def test_formats_match_the_pattern_they_stand_for(tags: tuple[str, ...], pieces: list[str]) -> None:
    blocks = [rf"<{tag}>\n.*?\n</{tag}>\n" for tag in tags[:-1]]
    pattern = re.compile("".join(blocks) + r"<answer>\n.*?\\boxed{.+?}.*?\n</answer>", re.DOTALL)
    score = parity_format if len(tags) == 2 else parity_perception_format
    filled = "".join(f"<{tag}>\n\n</{tag}>\n" for tag in tags[:-1])
    for response in ("".join(pieces), f"{filled}<answer>\n{''.join(pieces)}\n</answer>"):
        assert score(response) == float(pattern.fullmatch(response) is not None)


REPLY_PIECES = ["<info1>", "</info1>", "<info2>", "</info2>", "<info10>", "<info01>", "1", "0", "x", "\n", "nan"]


@given(st.lists(st.sampled_from(REPLY_PIECES), max_size=14))
def test_replies_are_read_as_by_the_pattern_they_stand_for(pieces: list[str]) -> None:
    reply = "".join(pieces)
    expected: list[float] = []
    while True:
        tag = f"info{len(expected) + 1}"
        match = re.search(rf".*<{tag}>(.+?)</{tag}>", reply, re.DOTALL)
        if match is None:
            break
        try:
            expected.append(max(0.0, min(1.0, float(match.group(1)))))
        except ValueError:
            expected.append(0.0)
    assert parse_judge_reply(reply) == expected


def test_the_first_unreadable_outcome_ends_the_list() -> None:
    outcomes: list[Outcome] = [Verdict("stated", 1.0), Missing("judge_unparseable"), Verdict("absent", 0.0)]
    assert parity_from_outcomes(outcomes) == 1 / (1 + 1e-6)
    assert parity_from_outcomes(outcomes[1:]) == 0.0


def test_other_missing_outcomes_stay_missing_wherever_they_stand() -> None:
    outcomes: list[Outcome] = [Verdict("stated", 1.0), Missing("judge_unparseable"), Missing("judge_timeout")]
    assert parity_from_outcomes(outcomes) == Missing("judge_timeout")


def test_without_facts_there_is_no_visual_reward() -> None:
    assert parity_from_outcomes([]) is None


def test_distractors_are_not_part_of_the_list() -> None:
    facts = [Fact(id="f1", text="AB = 5."), Fact(id="f2", text="AB = 7.", polarity="distractor")]
    outcomes: list[Outcome] = [Verdict("absent", 0.0), Verdict("stated", 1.0)]
    assert registered()["perception"].of(Sample("", mode="parity", facts=facts, outcomes=outcomes)) == 0.0


def test_accuracy_leaves_the_alarm_to_the_worker() -> None:
    before = signal.getsignal(signal.SIGALRM)
    signal.signal(signal.SIGALRM, signal.SIG_IGN)
    signal.setitimer(signal.ITIMER_REAL, 1000)
    try:
        assert parity_accuracy("\\boxed{5}", "5") == 1.0
        assert signal.getitimer(signal.ITIMER_REAL)[0] > 0
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize("filling", ["<answer>", "\n</think>\n<answer>\n", "\\boxed{", "<info1>", "<info1>1</info1>"])
def test_hostile_text_takes_linear_time(filling: str) -> None:
    text = f"<think>\n{filling * (1_000_000 // len(filling))}\n</answer>"
    started = time.process_time()
    parity_format(text)
    parity_perception_format(text)
    parse_judge_reply(text)
    parity_repetition(text)
    assert time.process_time() - started < 3.0
