from __future__ import annotations

import random

from perception_reward.annotations.model import Annotation
from perception_reward.service.audit.flips import MOST_TOGETHER, repeats, together
from perception_reward.service.audit.probes import probe
from perception_reward.service.audit.subjects import Subject, subjects_of
from perception_reward.trainer_client.wire import Fact


def subject_with(facts: int) -> Subject:
    made = [Fact(id=f"f{value}", text=f"Segment AB has length {value}.") for value in range(1, facts + 1)]
    return next(iter(subjects_of([Annotation(id="p", facts=made)])))


def test_a_fact_is_asked_among_the_others_in_two_orders():
    subject = subject_with(4)
    alone = probe("generated", "plain", subject.fact, "AB = 1", "stated", problem="p")
    batch, order = together(subject, alone, random.Random(1))
    assert batch.asked == tuple(subject.annotation.facts)
    assert set(order.asked) == set(batch.asked)
    assert order.asked != batch.asked
    assert (batch.base, order.base) == (alone.id, batch.id)
    assert (batch.expected, order.expected) == (None, None)


def test_two_facts_change_places():
    subject = subject_with(2)
    alone = probe("generated", "plain", subject.fact, "", "absent", problem="p")
    for seed in range(10):
        batch, order = together(subject, alone, random.Random(seed))
        assert order.asked == batch.asked[::-1]


def test_a_fact_without_company_has_no_flips():
    subject = subject_with(1)
    alone = probe("generated", "plain", subject.fact, "", "absent", problem="p")
    assert list(together(subject, alone, random.Random(1))) == []


def test_only_so_many_are_asked_together_and_the_fact_is_one_of_them():
    subject = subject_with(MOST_TOGETHER + 20)
    alone = probe("generated", "plain", subject.fact, "", "absent", problem="p")
    for flip in together(subject, alone, random.Random(1)):
        assert len(flip.asked) == MOST_TOGETHER
        assert subject.fact in flip.asked


def test_a_repeat_asks_the_same_once_more():
    first = probe("generated", "plain", subject_with(1).fact, "AB = 1", "stated", problem="p")
    (again,) = repeats([first])
    assert (again.purpose, again.base, again.response, again.fact) == ("repeat", first.id, first.response, first.fact)
    assert again.id != first.id
