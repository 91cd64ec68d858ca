from __future__ import annotations

import random

from perception_reward.annotations.model import Annotation
from perception_reward.service.audit.statements import all_independent
from perception_reward.service.audit.subjects import MOST_BYSTANDERS, in_turn, subjects_of
from perception_reward.trainer_client.wire import Fact

TRIANGLE = Annotation(
    id="triangle",
    facts=[
        Fact(id="f1", text="Segment AB has length 5.", kind="length"),
        Fact(id="f2", text="Segment AC has length 7.", kind="length"),
        Fact(id="f3", text="Segment BC has length 9.", kind="length"),
        Fact(id="f4", text="AB is perpendicular to AC.", kind="perpendicular"),
        Fact(id="f5", text="Segment AB has length 6.", kind="length", polarity="distractor"),
    ],
)


def test_a_distractor_is_asked_about_but_is_nobodys_neighbour():
    subjects = list(subjects_of([TRIANGLE]))
    assert [subject.fact.id for subject in subjects] == ["f1", "f2", "f3", "f4", "f5"]
    assert all("6" not in (other.value for other in subject.neighbours) for subject in subjects)


def test_bystanders_say_nothing_about_the_fact():
    length, *_, relation, distractor = subjects_of([TRIANGLE])
    assert [other.value for other in length.bystanders] == ["7", "9"]
    assert relation.bystanders == ()
    assert [other.value for other in distractor.bystanders] == ["7", "9"]


def test_drawn_bystanders_are_few_and_independent():
    subject = next(iter(subjects_of([TRIANGLE])))
    for seed in range(30):
        drawn = subject.draw_bystanders(random.Random(seed), least=1)
        assert 1 <= len(drawn) <= MOST_BYSTANDERS
        assert all(all_independent(one, [other for other in drawn if other != one]) for one in drawn)


def test_kinds_take_turns():
    kinds = [subject.fact.kind for subject in in_turn(list(subjects_of([TRIANGLE])), random.Random(1))]
    assert sorted(kinds[:2]) == ["length", "perpendicular"]
    assert kinds[2:] == ["length"] * 3
