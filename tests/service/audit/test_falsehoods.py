from __future__ import annotations

import random

import pytest

from perception_reward.annotations.model import Annotation
from perception_reward.service.audit.falsehoods import falsehoods, misplaced
from perception_reward.service.audit.probes import Probe
from perception_reward.service.audit.subjects import Subject, subjects_of
from perception_reward.service.judges.symbolic.judge import decide_all
from perception_reward.trainer_client.wire import Fact

LENGTH = Fact(id="f1", text="Segment AB has length 55.", kind="length")
OTHER = Fact(id="f2", text="Segment AC has length 77.", kind="length")
UNKNOWN = Fact(id="f3", text="Segment AB has length x.", kind="length")
ANGLE = Fact(id="f4", text="Angle ABC measures 50 degrees.", kind="angle")
SAME_VERTEX = Fact(id="f5", text="Angle ABD measures 70 degrees.", kind="angle")


def subject_of(*facts: Fact) -> Subject:
    return next(iter(subjects_of([Annotation(id="p", answer="12", facts=list(facts))])))


def made(subject: Subject, seed: int) -> dict[str, Probe]:
    return {probe.family: probe for probe in falsehoods(subject, random.Random(seed))}


@pytest.mark.parametrize("seed", range(10))
def test_no_falsehood_states_the_fact(seed: int):
    probes = made(subject_of(LENGTH, OTHER), seed)
    assert {family: probe.expected for family, probe in probes.items()} == {
        "omission": "absent",
        "contradiction": "contradicted",
        "exchange": "contradicted",
        "wrong element": "absent",
    }
    assert "AB" not in probes["omission"].response
    assert "AB" not in probes["wrong element"].response
    assert "55" in probes["wrong element"].response
    assert "55" not in probes["contradiction"].response
    assert all(value in probes["exchange"].response for value in ("55", "77"))
    for probe in probes.values():
        assert decide_all(probe.response, [LENGTH])[0].label != "stated", probe.response


def test_an_unknown_is_not_contradicted_by_a_number_that_it_may_have():
    assert set(made(subject_of(UNKNOWN, OTHER), 1)) == {"omission", "wrong element"}


def test_equal_numbers_are_not_exchanged():
    equal = OTHER.model_copy(update={"text": "Segment AC has length 55."})
    assert "exchange" not in made(subject_of(LENGTH, equal), 1)


def test_a_value_is_not_misplaced_on_what_may_be_the_same_angle():
    for seed in range(20):
        elsewhere = misplaced(subject_of(ANGLE, SAME_VERTEX), random.Random(seed))
        assert elsewhere is not None
        assert elsewhere.vertex != "B"
        assert elsewhere.value == "50"


def test_a_relation_is_denied():
    relation = Fact(id="f1", text="AB is parallel to CD.", kind="parallel")
    for seed in range(10):
        probe = made(subject_of(relation), seed)["contradiction"]
        assert "not" in probe.response or "perpendicular" in probe.response
