from __future__ import annotations

import logging
from statistics import fmean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perception_reward.trainer_client import Components, ItemResult, MissingScore, TooManyMissing, resolve
from perception_reward.trainer_client.missing import MissingWatch, missing_result

NOTHING = Components(format=None, accuracy=None, perception=None, repetition=None)
SCORES = st.lists(st.none() | st.floats(-10, 10), max_size=20)


def results(*scores: float | None) -> list[ItemResult]:
    return [
        missing_result(f"r{n}", "judge_timeout")
        if score is None
        else ItemResult(id=f"r{n}", status="ok", score=score, components=NOTHING, facts=None, reason=None)
        for n, score in enumerate(scores)
    ]


def test_native_leaves_it_to_the_caller() -> None:
    assert resolve(results(1.0, None, 0.0)) == [1.0, None, 0.0]


def test_the_mean_of_the_group_leaves_that_mean_as_it_is() -> None:
    scores = resolve(results(1.0, 5.0, None, 4.0, None), ["a", "b", "a", "a", "b"], "group_mean")
    assert scores == [1.0, 5.0, 2.5, 4.0, 5.0]


def test_without_groups_the_call_is_one() -> None:
    assert resolve(results(1.0, None, 3.0), policy="group_mean") == [1.0, 2.0, 3.0]


def test_a_group_without_any_score_gets_one_value_for_all() -> None:
    assert resolve(results(None, None, 1.0, 3.0), ["a", "a", "b", "b"], "group_mean") == [2.0, 2.0, 1.0, 3.0]
    assert resolve(results(None, None), ["a", "a"], "group_mean") == [0.0, 0.0]


def test_raise_names_the_first_and_counts_the_rest() -> None:
    with pytest.raises(MissingScore, match=r"item 1 \(r1\) is missing: judge_timeout, and 1 more of 3"):
        resolve(results(1.0, None, None), policy="raise")
    assert resolve(results(1.0), policy="raise") == [1.0]


def test_zero_is_zero() -> None:
    assert resolve(results(1.0, None), policy="zero") == [1.0, 0.0]


def test_groups_that_do_not_match_are_refused() -> None:
    with pytest.raises(ValueError, match="2 results and 1 groups"):
        resolve(results(1.0, None), ["a"])


@given(SCORES, st.sampled_from(["native", "group_mean", "zero"]), st.data())
def test_no_policy_changes_a_score_that_is_there(scores: list[float | None], policy: str, data: st.DataObject) -> None:
    groups = data.draw(st.lists(st.integers(0, 3), min_size=len(scores), max_size=len(scores)))
    found = resolve(results(*scores), groups, policy)  # pyright: ignore[reportArgumentType]
    assert all(new == old for new, old in zip(found, scores, strict=True) if old is not None)
    if policy != "native":
        assert None not in found
    if policy == "group_mean":
        for group in set(groups):
            members = [(new, old) for new, old, its in zip(found, scores, groups, strict=True) if its == group]
            present = [old for _, old in members if old is not None]
            filled = [new for new, old in members if old is None]
            assert len(set(filled)) <= 1
            assert not filled or not present or filled[0] == pytest.approx(fmean(present))


def test_a_missing_result_has_the_components_of_the_others() -> None:
    assert missing_result("a", "overloaded", ("format", "mine")).components == {"format": None, "mine": None}
    assert list(missing_result("a", "overloaded").components) == ["format", "accuracy", "perception", "repetition"]


GOOD = ItemResult(id=None, status="ok", score=1.0, components=NOTHING, facts=None, reason=None)
BAD = missing_result(None, "judge_unavailable")


def test_a_window_that_is_not_full_says_nothing() -> None:
    MissingWatch(0.2, 200).record([BAD] * 199)


def test_the_limit_itself_is_allowed_and_one_more_is_not() -> None:
    watch = MissingWatch(0.2, 10)
    watch.record([BAD] * 2 + [GOOD] * 8)
    with pytest.raises(TooManyMissing, match="3 of the last 10 scores are missing") as error:
        watch.record([GOOD] * 7 + [BAD] * 3)
    assert "judge_unavailable 3" in str(error.value)
    assert "20%" in str(error.value)


def test_what_is_long_past_counts_no_more() -> None:
    watch = MissingWatch(0.2, 10)
    for _ in range(20):
        watch.record([GOOD] * 4 + [BAD])


def test_a_long_call_is_taken_as_a_whole() -> None:
    watch = MissingWatch(0.2, 10)
    watch.record([GOOD] * 90 + [BAD] * 10)
    with pytest.raises(TooManyMissing, match="30 of the last 100"):
        watch.record([BAD] * 30 + [GOOD] * 70)


def test_a_limit_of_one_never_stops() -> None:
    MissingWatch(1.0, 10).record([BAD] * 100)


def test_what_is_missing_is_logged_with_its_reasons_and_ever_more_seldom(caplog: pytest.LogCaptureFixture) -> None:
    watch = MissingWatch(1.0, 10)
    with caplog.at_level(logging.WARNING):
        for number in range(100):
            watch.record([GOOD, BAD if number % 2 else missing_result(None, "judge_timeout")])
    assert len(caplog.records) == 7
    assert caplog.messages[0] == "perception_reward: 1 of the 2 scores so far are missing (judge_timeout 1)"
    assert "64 of the 128 scores so far are missing (judge_timeout 32, judge_unavailable 32)" in caplog.messages[-1]
