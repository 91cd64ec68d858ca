"""Every quirk of the public code that the rewards' README lists is real, and mended outside the parity profile."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from perception_reward.service.judges.base import Missing, Outcome, Verdict
from perception_reward.service.profiles.load import load_profiles
from perception_reward.service.rewards.accuracy import grade
from perception_reward.service.rewards.answer import extract_answer
from perception_reward.service.rewards.format import format_reward
from perception_reward.service.rewards.parity import (
    parity_accuracy,
    parity_format,
    parity_from_outcomes,
    parity_repetition,
    parity_visual,
    parse_judge_reply,
)
from perception_reward.service.rewards.perception import PerceptionRule, perception_share
from perception_reward.service.rewards.repetition import repetition_penalty
from perception_reward.trainer_client.wire import Fact

REPOSITORY = Path(__file__).resolve().parents[3]
README = (REPOSITORY / "service" / "rewards" / "README.md").read_text("utf-8")
ROWS = [
    [cell.strip() for cell in line.strip("|").split(" | ")]
    for line in README.splitlines()
    if line.startswith(("| format | ", "| accuracy | ", "| repetition | ")) and line.count(" | ") == 4
]


def accuracy(response: str, reference: str) -> float:
    answer = extract_answer(response)
    return float(answer is not None and grade(answer, (reference,)))


COMPONENTS: dict[str, tuple[Callable[..., float], Callable[..., float]]] = {
    "format": (parity_format, format_reward),
    "accuracy": (parity_accuracy, accuracy),
    "repetition": (parity_repetition, repetition_penalty),
}


@pytest.mark.parametrize(
    ("component", "example", "there", "here"),
    [pytest.param(row[0], row[2], row[3], row[4], id=f"{row[0]} {row[1]}") for row in ROWS],
)
def test_a_listed_quirk_is_in_parity_and_mended_by_default(component: str, example: str, there: str, here: str) -> None:
    arguments = [eval(code, {}) for code in re.findall(r"`([^`]+)`", example)]  # the README's own literals
    parity, default = COMPONENTS[component]
    assert parity(*arguments) == pytest.approx(float(there), abs=0.005)
    assert default(*arguments) == pytest.approx(float(here), abs=0.005)
    assert there != here


def test_the_readme_lists_quirks_of_every_component() -> None:
    assert {row[0] for row in ROWS} == COMPONENTS.keys()
    assert len(ROWS) == 20


FACTS = [Fact(id=str(number), text=f"Side {number} is {number} m long.") for number in range(3)]
STATED = Verdict("stated", 1.0)


def test_a_list_that_stops_early_is_full_marks_there_and_missing_here() -> None:
    unread = Missing("judge_unparseable")
    outcomes: list[Outcome] = [STATED, unread, unread]
    assert parity_from_outcomes(outcomes) == parity_visual(parse_judge_reply("<info1>1</info1>"))
    assert parity_from_outcomes(outcomes) == pytest.approx(0.999999, abs=1e-9)
    assert perception_share(FACTS, outcomes, PerceptionRule()) == unread


def test_a_reply_without_scores_is_nothing_seen_there_and_missing_here() -> None:
    unread = Missing("judge_unparseable")
    assert parity_visual(parse_judge_reply("I cannot judge this.")) == 0.0
    assert parity_from_outcomes([unread] * 3) == 0.0
    assert perception_share(FACTS, [unread] * 3, PerceptionRule()) == unread


def test_full_marks_fall_short_of_one_there_and_are_one_here() -> None:
    assert parity_from_outcomes([STATED] * 3) == pytest.approx(0.99999967, abs=1e-8)
    assert perception_share(FACTS, [STATED] * 3, PerceptionRule()) == 1.0


def test_weights_count_here_only() -> None:
    facts = [FACTS[0].model_copy(update={"weight": 3.0}), FACTS[1]]
    outcomes = [STATED, Verdict("absent", 0.0)]
    assert parity_from_outcomes(outcomes) == pytest.approx(0.4999998, abs=1e-7)
    assert perception_share(facts, outcomes, PerceptionRule()) == 0.75


def test_the_readme_gives_every_packaged_profile_with_its_formula() -> None:
    table = dict(re.findall(r"^\| `([\w-]+)` \| (.*?) \|$", README, re.MULTILINE))
    assert table == {name: profile.formula for name, profile in load_profiles().items()}


def test_the_profile_in_the_readme_loads(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(re.search(r"```toml\n(.*?)```", README, re.DOTALL)[1], encoding="utf-8")  # type: ignore[index]
    formula = load_profiles(path)["mine"].formula
    assert formula == "0.1·format + 0.9·accuracy + (0.2…1)·perception + 1·repetition"
