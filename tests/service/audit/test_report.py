from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone

from hypothesis import given
from hypothesis import strategies as st

from perception_reward.service.audit.figures import AuditReport, Estimate, Fit, HeldOut
from perception_reward.service.audit.probes import Observation
from perception_reward.service.audit.report import MOST_CASES, MOST_CASES_OF_FAMILY, build_report, visible
from perception_reward.service.judges.base import JudgeInfo
from perception_reward.service.judges.calibration import Adjustment, Calibration, problem_digest

Seen = Callable[..., Observation]
CREATED = datetime(2026, 1, 2, 3, 4, tzinfo=timezone.utc)


def report(observations: list[Observation], *, calibration: Calibration | None = None) -> AuditReport:
    info = JudgeInfo("made", "model/m", "verdict", "made/1")
    return build_report(observations, info=info, seed=7, created=CREATED, calibration=calibration, resamples=20)


def test_it_says_who_was_audited_and_how(seen: Seen):
    found = report([seen("stated", "stated"), seen("absent", "absent", purpose="attack", family="opener")])
    assert found.judge.model_dump() == {
        "name": "made", "model": "model/m", "method": "verdict", "fingerprint": "made/1"
    }  # fmt: skip
    assert (found.created, found.seed) == (CREATED, 7)
    assert found.probes == {"attack": 1, "generated": 1}
    assert {"python", "perception-reward"} <= set(found.versions)


def test_it_reads_back_from_its_json(seen: Seen):
    found = report(
        [
            base := seen("stated", "stated", problem="a"),
            seen("absent", "judge_timeout", problem="b"),
            seen("contradicted", "stated", purpose="labelled", family="human", problem="c"),
            seen("contradicted", "stated", purpose="labelled", family="doubtful", problem="c"),
            seen("absent", "stated", purpose="attack", family="opener"),
            seen(None, "stated", purpose="repeat", family="repeat", base=base),
        ]
    )
    assert AuditReport.model_validate_json(found.model_dump_json()) == found


def test_an_audit_of_nothing_is_null_and_no_number():
    found = report([])
    assert (found.labelled, found.generated, found.attack, found.repeats, found.refusals) == (None,) * 5
    assert "NaN" not in found.model_dump_json()


def test_doubtful_labels_and_attacks_do_not_count_for_quality(seen: Seen):
    found = report(
        [
            seen("stated", "stated", purpose="labelled", family="human"),
            seen("stated", "absent", purpose="labelled", family="doubtful"),
            seen("absent", "stated", purpose="attack", family="opener"),
        ]
    )
    assert found.labelled is not None
    assert (found.labelled.asked, found.labelled.accuracy.value) == (1, 1.0)
    assert found.doubtful is not None
    assert found.doubtful.asked == 1
    assert found.generated is None


def test_what_the_calibration_was_fitted_on_is_left_out(seen: Seen):
    calibration = Calibration(judge="j", every=Adjustment(), problems=frozenset({problem_digest("a")}))
    observed = [
        seen("stated", "stated", problem="a"),
        seen("stated", "absent", problem="b"),
        seen("absent", "stated", purpose="attack", family="opener", problem="a"),
    ]
    found = report(observed, calibration=calibration)
    assert found.left_out == 1
    assert found.generated is not None
    assert (found.generated.asked, found.generated.accuracy.value) == (1, 0.0)
    assert found.attack is not None
    assert found.attack.tried == 1
    assert "but what the calibration was fitted on" in report(observed[:1], calibration=calibration).reasons[0]


def test_wrong_verdicts_are_listed_the_surest_first_and_a_few_of_each_family(seen: Seen):
    observed = [
        seen("absent", "stated", family=f"family {n % 20}", response=str(n), certainty=n / 200) for n in range(200)
    ]
    observed.append(seen("stated", "stated", response="right"))
    observed.append(seen("contradicted", "absent", purpose="attack", family="opener", response="not fooled"))
    cases = report(observed).cases
    assert len(cases) == MOST_CASES
    families = [case.family for case in cases]
    assert max(map(families.count, families)) <= MOST_CASES_OF_FAMILY
    assert cases[0].excerpt == "199"
    assert "not fooled" not in [case.excerpt for case in cases]


def test_a_case_shows_the_words_that_carried_the_verdict(seen: Seen):
    response = "x" * 5000 + "AB = 7" + "y" * 5000
    (case,) = report([seen("absent", "stated", response=response, span=(5000, 5006))]).cases
    assert "AB = 7" in case.excerpt
    assert case.excerpt.startswith("…")
    assert case.excerpt.endswith("…")
    assert len(case.excerpt) < 500


def test_hidden_characters_of_a_response_are_shown_by_name(seen: Seen):
    (case,) = report([seen("absent", "stated", response="a\u202eb\u200bc\ud800")]).cases
    assert case.excerpt == "a‹U+202E›b‹U+200B›c‹U+D800›"


@given(st.text(alphabet=st.characters(), max_size=30))
def test_what_is_shown_can_be_written_and_hides_nothing(text: str):
    shown = visible(text)
    assert shown.encode("utf-8").decode() == shown
    assert "\u202e" not in shown
    assert "\x1b" not in shown


def test_the_worth_of_a_calibration_is_shown_as_held_out(seen: Seen):
    fit = Fit(log_loss=0.5, ece=0.1, accuracy=0.8)
    held_out = HeldOut(examples=10, problems=5, folds=5, before=fit, after=fit, gain=Estimate(value=0.123))
    info = JudgeInfo("made", None, "m", "made/1")
    found = build_report(
        [seen("stated", "stated")], info=info, seed=0, created=CREATED, held_out=held_out, resamples=20
    )
    assert found.calibration == held_out
