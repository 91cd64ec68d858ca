from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perception_reward.service.rewards.answers.times import Clock, Date, read_clock, read_date, same_clock


@pytest.mark.parametrize(
    ("text", "hour", "minute", "half"),
    [
        ("3:45", 3, 45, None), ("03:45", 3, 45, "am"), ("3:45:00", 3, 45, None), ("3:45 PM", 3, 45, "pm"),
        ("3 p.m.", 3, 0, "pm"), ("3.30 pm", 3, 30, "pm"), ("3 o'clock", 3, 0, None), ("three o'clock", 3, 0, None),
        ("half past ten", 10, 30, None), ("a quarter to four", 3, 45, None), ("twenty past four", 4, 20, None),
        ("3点", 3, 0, None), ("下午3点半", 3, 30, "pm"),
    ],
)  # fmt: skip
def test_times_of_day_are_read(text: str, hour: int, minute: int, half: str | None) -> None:
    assert read_clock(text) == Clock((hour * 60 + minute) * 60, half)


@pytest.mark.parametrize("text", ["", "5", "3:4", "25:00", "3:75", "13:00 pm", "half", "5 past", "2:1"])
def test_what_is_no_time_is_none(text: str) -> None:
    assert read_clock(text) is None


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("10:30 AM", "10:30", True), ("3:45 PM", "15:45", True), ("3:45 PM", "3:45 AM", False),
        ("12 pm", "12:00", True),
        ("12 am", "12 pm", False), ("15:45", "3:45", False), ("12:22", "6:11", False),
    ],
)  # fmt: skip
def test_half_of_the_day_is_an_addition(one: str, other: str, same: bool) -> None:
    first, second = read_clock(one), read_clock(other)
    assert first is not None
    assert second is not None
    assert same_clock(first, second) is same_clock(second, first) is same


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("Jan", Date(month=1)), ("September", Date(month=9)), ("Sept", Date(month=9)), ("Mon", Date(weekday=1)),
        ("January 5, 2020", Date(2020, 1, 5)), ("5th of Jan", Date(month=1, day=5)), ("2020-01-05", Date(2020, 1, 5)),
        ("2020年1月5日", Date(2020, 1, 5)), ("5", None), ("apple", None), ("", None), ("Jan Feb", None),
    ],
)  # fmt: skip
def test_dates_are_read(text: str, date: Date | None) -> None:
    assert read_date(text) == date


@given(st.text(alphabet="0123456789: apmohalfpst'JanFeb,年月日点", max_size=30))
def test_any_text_is_survived(text: str) -> None:
    read_clock(text)
    read_date(text)
