from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from perception_reward.service.audit.report import build_report
from perception_reward.service.judges.base import JudgeInfo


def test_the_audit_of_another_judge_is_warned_about_once(start_process: Callable[..., Any], tmp_path: Path):
    audited = JudgeInfo("symbolic", None, "rules", "of an older release")
    created = datetime(2026, 1, 2, tzinfo=timezone.utc)
    file = tmp_path / "audit.json"
    file.write_text(build_report([], info=audited, seed=0, created=created).model_dump_json())
    served = start_process("--workers", "1", "--audit", str(file))
    (warning,) = [line["message"] for line in served.log if line.get("level") == "warning"]
    assert "2026-01-02" in warning
    assert "of an older release" in warning
    assert "perception-reward audit" in warning
