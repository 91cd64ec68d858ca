from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path

import pytest

from perception_reward.service.audit.figures import AuditReport
from perception_reward.service.audit.last import concern, read_report, summarise
from perception_reward.service.audit.probes import Observation
from perception_reward.service.audit.report import build_report
from perception_reward.service.judges.base import JudgeInfo

Seen = Callable[..., Observation]
LLM = JudgeInfo("openai", "m", "verdict", "openai/1")


def report(observations: list[Observation]) -> AuditReport:
    created = datetime(2026, 1, 2, tzinfo=timezone.utc)
    return build_report(observations, info=LLM, seed=0, created=created, resamples=20)


def fair(seen: Seen) -> AuditReport:
    return report([seen(label, label, problem=label) for label in ("stated", "absent")])


def test_a_report_reads_back_and_one_not_made_yet_is_none(tmp_path: Path, seen: Seen):
    file = tmp_path / "audit.json"
    assert read_report(file) is None
    file.write_text(fair(seen).model_dump_json())
    assert read_report(file) == fair(seen)


@pytest.mark.parametrize("content", ["", "[]", '{"judge": {}}', '{"format": 2}'])
def test_a_file_that_holds_no_report_is_told_in_one_line(tmp_path: Path, content: str):
    file = tmp_path / "audit.json"
    file.write_text(content)
    with pytest.raises(ValueError, match="holds no audit's JSON report") as error:
        read_report(file)
    assert "\n" not in str(error.value)


def test_fields_of_a_later_version_are_no_fault(tmp_path: Path, seen: Seen):
    file = tmp_path / "audit.json"
    file.write_text(json.dumps({**fair(seen).model_dump(mode="json"), "later": 1}))
    assert read_report(file) == fair(seen)


def test_an_audit_of_another_scope_is_stale(seen: Seen):
    summary = summarise(fair(seen), LLM, "think")
    assert (summary.scope, summary.stale) == ("response", True)
    assert "with another --judge-scope, response;" in (concern(summary, LLM) or "")


def test_the_summary_shows_labelled_figures_where_there_are_any(seen: Seen):
    made = summarise(fair(seen), LLM)
    assert (made.source, made.stale, made.attack_success) == ("generated", False, None)
    assert made.auc is not None
    assert made.auc.value == 1.0
    labelled = summarise(report([seen("stated", "absent", purpose="labelled", family="human")]), LLM)
    assert labelled.source == "labelled"
    assert labelled.accuracy is not None
    assert labelled.accuracy.value == 0.0
    nothing = summarise(report([]), LLM)
    assert (nothing.source, nothing.auc, nothing.accuracy) == (None, None, None)


def test_an_audit_of_another_judge_is_stale(seen: Seen):
    other = JudgeInfo("openai", "m", "verdict", "openai/2")
    assert summarise(fair(seen), other).stale


def test_a_judge_that_is_not_known_to_be_fair_is_a_concern(seen: Seen):
    other = JudgeInfo("openai", "m", "verdict", "openai/2")
    assert concern(summarise(fair(seen), LLM), LLM) is None
    assert "not audited" in (concern(None, LLM) or "")
    assert "another judge, openai/1" in (concern(summarise(fair(seen), other), other) or "")
    assert "poor: nothing was asked" in (concern(summarise(report([]), LLM), LLM) or "")


def test_the_symbolic_judge_needs_no_audit_and_a_bad_one_is_told_all_the_same(seen: Seen):
    symbolic = JudgeInfo("symbolic", None, "rules", "r/1")
    assert concern(None, symbolic) is None
    assert "another judge" in (concern(summarise(fair(seen), symbolic), symbolic) or "")
