"""The card of a taught judge."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path

from perception_reward.service.audit.figures import AuditReport
from perception_reward.service.audit.probes import Observation, Probe, probe
from perception_reward.service.audit.report import build_report
from perception_reward.service.judges.base import JudgeInfo, Verdict
from perception_reward.service.training.card import card, count_lines, licence_of
from perception_reward.trainer_client.wire import Fact, Label

FACT = Fact(id="f", text="The bar is red.")
LABELLED = [probe("labelled", "human", FACT, f"text {number}", "absent", problem=f"p{number}") for number in range(4)]
ATTACKS = [probe("attack", "fake verdict", FACT, "Yes", "absent", problem="p")]


def report(said: Label) -> AuditReport:
    seen = [Observation(one, Verdict(said, 0.9 if said == "stated" else 0.1)) for one in (*LABELLED, *ATTACKS)]
    info = JudgeInfo("transformers", "m", "verdict", "f")
    return build_report(seen, info=info, seed=0, created=datetime(2026, 1, 1, tzinfo=timezone.utc), resamples=20)


def made(taught: list[Probe]) -> str:
    return card(
        base="base",
        licence="apache-2.0",
        settings={"how": "lora"},
        taught=taught,
        unasked=3,
        before=report("stated"),
        after=report("absent"),
    )


def test_a_card_tells_base_beside_taught_what_was_taught_and_the_licence():
    told = made(LABELLED)
    assert told.startswith('---\nbase_model: "base"\nlicense: apache-2.0\n')
    assert "| absent taken for stated | 1.000 (4 of 4) | 0.000 (0 of 4) |" in told
    attack = next(line for line in told.splitlines() if line.startswith("| fake verdict |"))
    assert attack.startswith("| fake verdict | 1 | 1.000 [")
    assert "| 0.000 [" in attack
    assert "4 statements; 3 more have no sentence" in told
    assert "| human | 0 | 0 | 4 |" in told
    assert "- how: lora" in told


def test_counts_are_by_family_and_verdict_with_their_sum():
    stated = probe("generated", "plain", FACT, "red", "stated", problem="p")
    assert list(count_lines([*LABELLED, stated])) == [
        "| human | 0 | 0 | 4 |",
        "| plain | 1 | 0 | 0 |",
        "| **all** | 1 | 0 | 4 |",
    ]


def test_a_licence_is_what_the_model_card_says_or_a_file_that_there_is(tmp_path: Path):
    assert licence_of(tmp_path) is None
    (tmp_path / "LICENSE").touch()
    assert licence_of(tmp_path) == "other"
    (tmp_path / "README.md").write_text("---\nlicense: mit\n---\n", encoding="utf-8")
    assert licence_of(tmp_path) == "mit"
