from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perception_reward.service.judges.base import Verdict
from perception_reward.service.judges.calibration import Adjustment, Calibration, Scale, load_calibration
from perception_reward.trainer_client.wire import Fact

SCALES = st.builds(Scale, temperature=st.floats(0.01, 100), bias=st.floats(-20, 20))
READINGS = st.builds(
    Adjustment, stated=SCALES, contradicted=st.none() | SCALES, threshold=st.floats(0.05, 0.95, exclude_min=True)
)
LABELS = st.sampled_from(["stated", "contradicted", "absent"])


@st.composite
def verdicts(draw: st.DrawFn) -> Verdict:
    stated = draw(st.floats(0, 1))
    contradiction = draw(st.none() | st.floats(0, 1).map(lambda share: share * (1 - stated)))
    return Verdict(draw(LABELS), stated, (1, 2), contradiction=contradiction, truncated=draw(st.booleans()))


@given(READINGS, verdicts())
def test_a_read_verdict_is_a_verdict(reading: Adjustment, verdict: Verdict):
    read = reading(verdict)
    assert 0.0 <= read.probability <= 1.0
    assert 0.0 <= read.certainty <= 1.0
    assert (read.label == "stated") == (read.probability >= reading.threshold)
    assert (read.span, read.truncated) == (verdict.span, verdict.truncated)
    if read.contradiction is not None:
        assert 0.0 <= read.contradiction <= 1.0 - read.probability


@given(SCALES, st.floats(0, 1), st.floats(0, 1))
def test_a_scale_keeps_the_order(scale: Scale, one: float, other: float):
    low, high = sorted((one, other))
    assert scale(low) <= scale(high)


@given(st.floats(1e-5, 1 - 1e-5))
def test_a_scale_of_nothing_changes_nothing(probability: float):
    assert Scale()(probability) == pytest.approx(probability, abs=1e-9)


def test_a_higher_temperature_draws_towards_one_half():
    assert 0.5 < Scale(temperature=4.0)(0.99) < 0.99
    assert 0.5 > Scale(temperature=4.0)(0.01) > 0.01


@given(READINGS)
def test_what_no_model_was_asked_about_is_left_as_it_is(reading: Adjustment):
    unasked = Verdict("absent", 0.0, contradiction=0.0, stage="evidence")
    assert reading(unasked) == unasked


def test_what_is_not_stated_is_contradicted_where_that_is_likelier_than_absent():
    reading = Adjustment(contradicted=Scale())
    assert reading(Verdict("stated", 0.2, contradiction=0.5)).label == "contradicted"
    assert reading(Verdict("stated", 0.2, contradiction=0.3)).label == "absent"
    assert reading(Verdict("stated", 0.2, contradiction=0.5)).certainty == pytest.approx(0.5)


def test_without_a_probability_of_contradiction_the_judges_own_word_stands():
    reading = Adjustment(threshold=0.6)
    assert reading(Verdict("contradicted", 0.1)).label == "contradicted"
    assert reading(Verdict("stated", 0.55)).label == "absent"
    assert reading(Verdict("absent", 0.7)).label == "stated"


def test_a_kind_without_a_reading_has_that_of_all_kinds():
    own, every = Adjustment(threshold=0.3), Adjustment(threshold=0.7)
    calibration = Calibration(judge="j", every=every, kinds={"length": own})
    assert calibration.reading(Fact(id="f", text="AB = 5.", kind="length")) == own
    assert calibration.reading(Fact(id="f", text="AB = 5.", kind="angle")) == every


def test_a_group_goes_by_what_a_fact_says_and_not_by_its_kind():
    figure, every = Adjustment(threshold=0.3), Adjustment(threshold=0.7)
    calibration = Calibration(judge="j", every=every, groups={"figure": figure})
    assert calibration.reading(Fact(id="f", text="Segment AB has length 5.", kind="chart")) == figure
    assert calibration.reading(Fact(id="f", text="The bar for May is at 250.", kind="length")) == every


def test_the_digest_changes_with_what_changes_a_verdict_alone():
    one = Calibration(judge="j", every=Adjustment())
    assert one.digest == Calibration(judge="j", every=Adjustment(), problems=frozenset({"x"})).digest
    assert one.digest != Calibration(judge="j", every=Adjustment(threshold=0.6)).digest
    assert one.digest != Calibration(judge="j", every=Adjustment(), kinds={"length": Adjustment()}).digest
    assert one.digest != Calibration(judge="j", every=Adjustment(), groups={"other": Adjustment()}).digest


def test_a_calibration_is_read_as_it_was_written(tmp_path: Path):
    made = Calibration(
        judge="j", every=Adjustment(contradicted=Scale(bias=0.3)), kinds={"length": Adjustment(threshold=0.4)}
    )
    file = tmp_path / "calibration.json"
    file.write_text(made.model_dump_json())
    assert load_calibration(file) == made


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "audit --fit"),
        ("{", "no calibration"),
        ('{"judge": "j"}', "every"),
        ('{"judge": "j", "every": {"stated": {"temperature": 0}}}', "every.stated.temperature"),
    ],
)
def test_a_file_that_holds_none_is_told_in_one_line(tmp_path: Path, content: str | None, words: str):
    file = tmp_path / "calibration.json"
    if content is not None:
        file.write_text(content)
    with pytest.raises(ValueError, match=words) as error:
        load_calibration(file)
    assert "\n" not in str(error.value)
    assert str(file) in str(error.value)
