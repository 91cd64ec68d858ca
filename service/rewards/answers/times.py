"""Times of day and dates: `3:45`, `03:45:00`, `3:45 PM`, `half past ten`, `3 o'clock`, `Jan 5, 2020`, `Mon`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

from perception_reward.annotations.language.numbers import read_ordinal, read_words


@dataclass(frozen=True, slots=True)
class Clock:
    """seconds: since midnight, or since noon where `half` is not None. half: `am` or `pm`, None where nothing says."""

    seconds: int
    half: str | None = None


@dataclass(frozen=True, slots=True)
class Date:
    """What is named of a day; 0 where it is not. weekday: from 1 for Monday."""

    year: int = 0
    month: int = 0
    day: int = 0
    weekday: int = 0


_clock = re.compile(
    r"(?P<hour>\d{1,2})\s?:\s?(?P<minute>[0-5]\d)(?:\s?:\s?(?P<second>[0-5]\d))?(?:\s?o'clock)?\s?(?P<half>[AaPp]\.?\s?[Mm]\.?)?"
)
_dotted = re.compile(r"(?P<hour>\d{1,2})\.(?P<minute>[0-5]\d)\s?(?P<half>[AaPp]\.?\s?[Mm]\.?)")
_full_hour = re.compile(r"(?P<hour>\d{1,2}|[a-z]{3,6})(?:\s?o\s?'?\s?clock)\s?(?P<half>[AaPp]\.?\s?[Mm]\.?)?", re.I)
_bare_hour = re.compile(r"(?P<hour>\d{1,2})\s?(?P<half>[AaPp]\.?[Mm]\.?)")
_spoken = re.compile(
    r"(?P<minutes>half|(?:a )?quarter|[a-z0-9-]{1,12})(?: minutes?)? (?P<side>past|to|after) (?P<hour>[a-z0-9]{1,6})"
)
_chinese = re.compile(
    r"(?P<half>上午|下午|早上|晚上)?(?P<hour>\d{1,2})[点點时時](?:(?P<minute>\d{1,2})分?|(?P<sharp>整|钟)|(?P<past>半))?"
)

_MORNING = frozenset(f"0{hour}" for hour in range(1, 10))
_MONTHS = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
]
_DAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
_NAMES = (
    {name: place for place, name in enumerate(_MONTHS, 1)}
    | {name[:3]: place for place, name in enumerate(_MONTHS, 1)}
    | {"sept": 9}
)
_WEEKDAYS = {name: place for place, name in enumerate(_DAYS, 1)} | {
    name[:length]: place for place, name in enumerate(_DAYS, 1) for length in (3, 4, 5) if length < len(name)
}
_word = re.compile(r"[A-Za-z]+|\d{1,4}(?:st|nd|rd|th)?|[^\s,.]")
_numeric_date = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?")


def read_clock(text: str) -> Clock | None:
    """The time of day that the whole text is, or None."""
    text = text.strip()
    if (match := _clock.fullmatch(text) or _bare_hour.fullmatch(text) or _dotted.fullmatch(text)) is not None:
        fields = match.groupdict()
        # A clock that writes a leading zero counts to 24.
        half = fields["half"] or ("am" if fields["hour"] in _MORNING else None)
        return _time(int(fields["hour"]), int(fields.get("minute") or 0), int(fields.get("second") or 0), half)
    if (match := _full_hour.fullmatch(text)) is not None:
        hour = _number(match["hour"])
        return None if hour is None else _time(hour, 0, 0, match["half"])
    if (match := _chinese.fullmatch(text)) is not None:
        minute = 30 if match["past"] else int(match["minute"] or 0)
        half = None if match["half"] is None else "pm" if match["half"] in ("下午", "晚上") else "am"
        return _time(int(match["hour"]), minute, 0, half)
    return _read_spoken(text.casefold())


def same_clock(one: Clock, other: Clock) -> bool:
    """The same time; where one side does not say which half of the day, both may be meant."""
    if one.half is None and other.half is None:
        return one.seconds == other.seconds
    if one.half is not None and other.half is not None:
        return one == other
    said, open_ = (one, other) if one.half is not None else (other, one)
    noon = 12 * 3600
    of_day = said.seconds % noon + (noon if said.half == "pm" else 0)
    return open_.seconds in (of_day, of_day % noon or noon, said.seconds)


def read_date(text: str) -> Date | None:
    """The month, the weekday, or the day of a month, with or without a year, that the whole text names; or None."""
    if len(text) > 40:
        return None
    if (match := _numeric_date.fullmatch(text)) is not None:
        year, month, day = (int(part) for part in match.groups())
        return Date(year, month, day) if 1 <= month <= 12 and 1 <= day <= 31 else None
    found: dict[str, int] = {}
    for word in _word.findall(text.casefold()):
        name, value = _part_of_date(word, found)
        if name == "":
            continue
        if not value or name in found:
            return None
        found[name] = value
    date = Date(**found)
    return date if date.month or date.weekday else None


def _part_of_date(word: str, found: dict[str, int]) -> tuple[str, int]:
    if word in ("the", "of", "on", "in"):
        return "", 0
    if word in _WEEKDAYS:
        return "weekday", _WEEKDAYS[word]
    if word in _NAMES:
        return "month", _NAMES[word]
    number = int(word) if word.isdecimal() else read_ordinal(word) or 0
    if number > 31 or (number and "day" in found):
        return "year", number
    return "day", number


def _read_spoken(text: str) -> Clock | None:
    match = _spoken.fullmatch(text)
    if match is None:
        return None
    hour = _number(match["hour"])
    said = match["minutes"].removeprefix("a ")
    minutes = {"half": 30, "quarter": 15}.get(said) or _number(said)
    if hour is None or minutes is None or minutes >= 60 or (said == "half" and match["side"] == "to"):
        return None
    if match["side"] == "to":
        hour, minutes = (hour - 1) or 12, 60 - minutes
    return _time(hour, minutes, 0, None)


def _number(text: str) -> int | None:
    if text.isdecimal():
        return int(text)
    value = read_words(text)
    return int(value) if value is not None and value.denominator == 1 and value < Fraction(60) else None


def _time(hour: int, minute: int, second: int, half: str | None) -> Clock | None:
    if hour > 24 or minute > 59 or (half is not None and not 1 <= hour <= 12):
        return None
    said = None if half is None else ("am" if half[0] in "Aa" else "pm")
    return Clock((hour * 60 + minute) * 60 + second, said)
