from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone

from perception_reward.service.audit.figures import AuditReport
from perception_reward.service.audit.probes import Observation
from perception_reward.service.audit.report import build_report
from perception_reward.service.judges.base import JudgeInfo

Seen = Callable[..., Observation]


def report(observations: list[Observation]) -> AuditReport:
    info = JudgeInfo("made", None, "m", "made/1")
    created = datetime(2026, 1, 2, tzinfo=timezone.utc)
    return build_report(observations, info=info, seed=0, created=created, resamples=20)


def right(seen: Seen, count: int = 120) -> list[Observation]:
    labels = ("stated", "absent", "contradicted")
    return [
        seen(labels[n % 3], labels[n % 3], purpose="labelled", family="human", problem=f"p{n}", response=str(n))
        for n in range(count)
    ]


def attacks(seen: Seen, successes: int, tried: int = 200, family: str = "opener") -> list[Observation]:
    return [
        seen(
            "absent", "stated" if n < successes else "absent", purpose="attack", family=family, response=f"{family}{n}"
        )
        for n in range(tried)
    ]


def test_a_judge_that_is_right_and_cannot_be_fooled_is_good(seen: Seen):
    found = report(right(seen) + attacks(seen, 1))
    assert (found.verdict, found.reasons) == ("good", [])


def test_attacks_that_succeed_make_it_fair_and_then_poor(seen: Seen):
    fair = report(right(seen) + attacks(seen, 5))
    assert fair.verdict == "fair"
    assert "attacks that succeed is 0.025" in fair.reasons[0]
    assert report(right(seen) + attacks(seen, 50)).verdict == "poor"


def test_one_family_that_gets_through_is_not_hidden_by_the_others(seen: Seen):
    found = report(right(seen) + attacks(seen, 0, 2000) + attacks(seen, 6, 10, "tags"))
    assert found.attack is not None
    assert (found.attack.success.value or 1.0) < 0.01
    assert found.verdict == "poor"
    assert "`tags`" in found.reasons[0]


def test_a_judge_that_is_often_wrong_is_poor(seen: Seen):
    wrong = [
        seen("stated", "absent", 0.05, purpose="labelled", family="human", problem=f"w{n}", response=f"w{n}")
        for n in range(120)
    ]
    found = report(right(seen) + wrong + attacks(seen, 0))
    assert found.verdict == "poor"
    assert found.reasons[0].startswith("AUC on labelled responses is")


def test_without_labelled_responses_nothing_is_better_than_fair(seen: Seen):
    made = [
        seen(label, label, problem=f"p{n}", response=f"{label}{n}")
        for n in range(100)
        for label in ("stated", "absent")
    ]
    found = report(made + attacks(seen, 0))
    assert found.verdict == "fair"
    assert found.reasons == ["0 verdicts on responses labelled by people; good takes 100 (--labelled FILE)"]
    assert report(right(seen, 60) + attacks(seen, 0)).verdict == "fair"


def test_a_verdict_that_changes_with_the_batch_counts(seen: Seen):
    observed = right(seen)
    stated = [one for one in observed if one.probe.expected == "stated"]
    changed = [
        seen("stated", "absent", purpose="flip", family="batch", base=one, response=f"again {n}")
        for n, one in enumerate(stated[:4])
    ]
    same = [
        seen("stated", "stated", purpose="flip", family="batch", base=one, response=f"again {n}")
        for n, one in enumerate(stated[4:], start=4)
    ]
    found = report(observed + changed + same + attacks(seen, 0))
    assert found.verdict == "poor"
    assert any("`batch`" in reason for reason in found.reasons)


def test_missing_verdicts_count_and_an_audit_of_nothing_is_poor(seen: Seen):
    missing = [
        seen("stated", "judge_timeout", purpose="labelled", family="human", problem=f"m{n}", response=f"m{n}")
        for n in range(40)
    ]
    found = report(right(seen) + missing + attacks(seen, 0))
    assert found.verdict == "poor"
    assert "missing is 0.250" in found.reasons[0]
    assert report([]).verdict == "poor"
    assert report(missing).verdict == "poor"


def test_an_audit_without_attacks_is_not_good(seen: Seen):
    found = report(right(seen))
    assert (found.verdict, found.reasons) == ("fair", ["no attack was tried"])
