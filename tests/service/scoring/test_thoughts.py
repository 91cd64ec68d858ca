from __future__ import annotations

from perception_reward.service.rewards.blocks import Thought
from perception_reward.service.scoring.readings import Reading
from perception_reward.service.scoring.thoughts import LEAST, MOST_RUNS, RECENT, Thoughts


def said(thought: Thought, number: int, answer: str | None = "5") -> list[Reading]:
    return [Reading(answer, thought)] * number


def test_a_thought_that_nobody_opened_is_a_concern_from_enough_responses_on():
    thoughts = Thoughts()
    assert thoughts.concerns("r", said("unopened", LEAST - 1)) == {}
    assert list(thoughts.concerns("r", said("unopened", 1))) == ["thoughts unopened"]
    assert list(Thoughts().concerns("r", said("reopened", LEAST))) == ["thoughts reopened"]


def test_some_are_not_nearly_all():
    others: list[Thought] = ["opened", "none", "reopened"]
    for other in others:
        assert Thoughts().concerns("r", said("unopened", 80) + said(other, 20)) == {}
    assert Thoughts().concerns("r", said("unopened", 95) + said("none", 5)) != {}


def test_responses_that_were_cut_short_do_not_count():
    assert Thoughts().concerns("r", said("unopened", LEAST) + said("none", 1000, answer=None)) != {}


def test_what_was_mended_is_soon_forgotten_however_long_it_lasted():
    thoughts = Thoughts()
    for _ in range(1000):
        thoughts.concerns("r", said("unopened", 64))
    assert thoughts.concerns("r", said("opened", RECENT // 4)) == {}


def test_runs_are_counted_for_themselves_and_the_recent_ones_remembered():
    thoughts = Thoughts()
    thoughts.concerns("first", said("unopened", LEAST - 1))
    for number in range(MOST_RUNS - 1):
        assert thoughts.concerns(str(number), said("unopened", LEAST - 1)) == {}
    assert thoughts.concerns("first", said("unopened", 1)) != {}
    thoughts.concerns(None, [])
    assert len(thoughts._runs) == MOST_RUNS
    assert thoughts.concerns("0", said("unopened", 1)) == {}
