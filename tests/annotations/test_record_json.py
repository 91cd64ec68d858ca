from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perception_reward.annotations import record_json
from perception_reward.annotations.faults import LineError
from perception_reward.annotations.record_json import as_null, bounded_lines, json_members, json_values, parse_records


class Trickle(io.StringIO):
    """Gives a few characters at a time, whatever is asked for."""

    def read(self, size: int | None = -1, /) -> str:
        return super().read(3)


def values(text: str, stream: type[io.StringIO] = io.StringIO) -> list[tuple[int, Any]]:
    return list(json_values(stream(text)))


texts = st.text(max_size=12)
records = st.dictionaries(texts, st.none() | st.integers() | texts | st.lists(texts, max_size=3), max_size=4)


@given(st.lists(records, max_size=5), st.sampled_from([None, 2]), st.booleans())
def test_an_array_is_read_as_it_was_written(rows: list[dict[str, Any]], indent: int | None, trickling: bool):
    written = json.dumps(rows, indent=indent, ensure_ascii=False)
    assert values(written, Trickle if trickling else io.StringIO) == list(enumerate(rows, start=1))


@given(st.lists(records, max_size=5))
def test_objects_one_after_another_are_read(rows: list[dict[str, Any]]):
    written = "\n".join(json.dumps(row, indent=1) for row in rows)
    assert values(written, Trickle) == list(enumerate(rows, start=1))


@pytest.mark.parametrize(
    ("text", "good", "words"),
    [
        ('[{"a": 1}, {"a": 2}', 2, "ends before its array does"),
        ('[{"a": 1},\n{"a": 2', 1, "is not JSON (Expecting ',' delimiter); it begins in line 2"),
        ('[{"a": 1}]\n{"b": 1}', 1, "is behind the end of the array, in line 2"),
        ('[{"a": 1}, 17, {"a": 2}]', 2, "holds int where a JSON object should be"),
        ('[{"a": NaN}]', 0, "NaN is not JSON"),
        ("[" * 100_000, 0, "is not JSON"),
    ],
)
def test_what_is_wrong_with_an_array_is_told_with_its_place(text: str, good: int, words: str):
    found = [value for _, value in values(text)]
    assert sum(isinstance(value, dict) for value in found) == good
    (fault,) = (value for value in found if isinstance(value, LineError))
    assert words in fault.message


def test_a_value_without_end_is_given_up(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(record_json, "LONGEST", 1000)
    monkeypatch.setattr(record_json, "CHUNK", 100)
    endless = io.StringIO('[{"a": "' + "x" * 1_000_000)
    ((_, fault),) = json_values(endless)
    assert isinstance(fault, LineError)
    assert endless.tell() < 10_000


def test_nan_becomes_null_where_that_is_asked_for():
    assert list(parse_records(['{"a": NaN, "b": -Infinity}'], as_null)) == [(1, {"a": None, "b": None})]


def test_of_a_line_that_is_too_long_no_more_is_held(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(record_json, "LONGEST", 100)
    lines = bounded_lines(io.StringIO('{"a": 1}\n' + "x" * 950 + '\n{"a": 2}\n'))
    found = list(parse_records(_watched(lines)))
    assert [place for place, _ in found] == [1, 2, 3]
    assert [isinstance(record, LineError) for _, record in found] == [False, True, False]


def _watched(lines: Iterator[str]) -> Iterator[str]:
    for line in lines:
        assert len(line) <= 101
        yield line


def members(text: str, names: list[str]) -> list[tuple[str, str, object]]:
    return list(json_members(io.StringIO(text), names))


def test_members_of_a_document_come_one_by_one_from_lists_and_objects():
    text = '{"a": {"list": [0]}, "list": [1, {"b": 2} ,"]"], "c": "list", "by": {"k": 1, "l": [2]}, "list": 5}'
    assert members(text, ["list", "by"]) == [
        ("list", "", 1),
        ("list", "", {"b": 2}),
        ("list", "", "]"),
        ("by", "k", 1),
        ("by", "l", [2]),
    ]


@pytest.mark.parametrize("text", ['{"list": [1, ', '{"list": [1', '{"list" 1}', "[]", "", '{"list": nope}', '{"a": 1'])
def test_a_document_that_is_none_or_breaks_off_is_told(text: str):
    with pytest.raises(ValueError, match=r"in line 1|not one JSON object"):
        members(text, ["list"])
