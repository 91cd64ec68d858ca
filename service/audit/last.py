"""The judge's last audit, as the service shows it and warns about it."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from pydantic import Field, ValidationError

from perception_reward.annotations.faults import first_fault
from perception_reward.service.audit.figures import AuditReport, Estimate, Figures, Grade, Proportion
from perception_reward.service.excerpt import WHOLE
from perception_reward.service.judges.base import JudgeInfo

COMMAND = "run `perception-reward audit` with the same judge and annotations, and serve with --audit audit/report.json"


class AuditSummary(Figures):
    """The audit's figures that matter most. `auc` and `accuracy` are those on `source`."""

    verdict: Grade
    reasons: list[str] = Field(description="Why it is not better.")
    created: datetime
    fingerprint: str = Field(description="Of the judge that was audited.")
    scope: str = Field(default=WHOLE, description="The part of a response that it was shown.")
    stale: bool = Field(description="Another judge, or one of another scope, was audited than answers now.")
    source: str | None = Field(description="`labelled`: responses labelled by people. `generated`: made statements.")
    auc: Estimate | None
    accuracy: Proportion | None
    attack_success: Proportion | None


def read_report(path: Path) -> AuditReport | None:
    """None where there is no file yet. ValueError, for people, for a file that holds no report."""
    try:
        return AuditReport.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from None
    except ValidationError as error:
        field, message = first_fault(error)
        raise ValueError(f"{path} holds no audit's JSON report: {field or 'file'}: {message}") from None


def summarise(report: AuditReport, judge: JudgeInfo, scope: str = WHOLE) -> AuditSummary:
    """What `/v1/judge` says of `report` while `judge` answers, which is shown the part `scope` of each response."""
    quality = report.quality
    return AuditSummary(
        verdict=report.verdict,
        reasons=report.reasons,
        created=report.created,
        fingerprint=report.judge.fingerprint,
        scope=report.scope,
        stale=(report.judge.fingerprint, report.scope) != (judge.fingerprint, scope),
        source=None if quality is None else "labelled" if report.labelled else "generated",
        auc=quality.auc if quality else None,
        accuracy=quality.accuracy if quality else None,
        attack_success=report.attack.success if report.attack else None,
    )


def concern(summary: AuditSummary | None, judge: JudgeInfo) -> str | None:
    """One line about why the judge should be audited before its scores are trusted, or None.

    The symbolic judge need not be audited anew: it is the same wherever it runs, and its figures come with it.
    """
    if summary is None:
        return None if judge.name == "symbolic" else f"this judge was not audited; {COMMAND}"
    if summary.stale:
        other = f"of another judge, {summary.fingerprint}"
        if summary.fingerprint == judge.fingerprint:
            other = f"with another --judge-scope, {summary.scope}"
        return f"the last audit ({summary.created:%Y-%m-%d}) was {other}; {COMMAND}"
    if summary.verdict == "poor":
        return f"the last audit found this judge poor: {summary.reasons[0] if summary.reasons else 'see the report'}"
    return None
