from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.exceptions import HTTPException

from perception_reward.service.api import split as module
from perception_reward.service.api.memory import VALUE_BYTES, Memory, Share
from perception_reward.service.api.problems import InvalidRequest
from perception_reward.service.api.split import MOST_DEPTH, MOST_IN_ONE, MOST_IN_ONE_BYTES, most_values, split
from perception_reward.service.metrics import Metrics

VALUE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.sampled_from('[]{},"\\:'),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)
MOST = {"items": 300_000, "labels": 300_000}
FIELDS = st.dictionaries(st.sampled_from(["items", "labels", "other", 'a"b', "\\"]), VALUE | st.lists(VALUE))


def share(room: int = 1 << 30) -> Share:
    return Memory(room, Metrics()).share()


def parts_of(body: bytes, room: int = 1 << 30) -> Any:
    return asyncio.run(split(body, MOST, share(room)))


def put_together(body: bytes) -> Any:
    """The body's value, from its parts."""
    parts = parts_of(body)
    value = json.loads(parts.frame)
    for name, spans in parts.lists.items():
        if isinstance(value.get(name), list):
            assert value[name] == []
            value[name] = [json.loads(body[start:end]) for start, end in spans]
    return value


@given(FIELDS, st.sampled_from([None, 1, "\t"]))
def test_the_parts_are_the_whole(value: dict[str, Any], indent: Any):
    body = json.dumps(value, indent=indent).encode()
    assert put_together(body) == value


@given(FIELDS, st.integers(2, 40))
def test_wherever_a_window_ends_the_parts_are_the_same(value: dict[str, Any], window: int):
    body = json.dumps(value, ensure_ascii=False).encode()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "WINDOW", window)
        patch.setattr(module, "COUNTED_AT_ONCE", 3)
        assert put_together(body) == value


@given(st.binary(max_size=60) | st.lists(st.sampled_from(b'[]{},:"\\ 1'), max_size=40).map(bytes))
def test_whatever_arrives_is_split_or_left_to_the_parser(body: bytes):
    try:
        json.loads(body.decode())
    except ValueError:
        is_json = False
    else:
        is_json = True
    parts = parts_of(b'{"items":' + body + b"}")
    try:
        json.loads(parts.frame)
        for start, end in parts.lists.get("items", ()):
            json.loads((b'{"items":' + body + b"}")[start:end])
    except ValueError:
        assert not is_json


def test_of_two_lists_with_one_name_the_last_one_counts():
    assert put_together(b'{"items":[1,2],"items":[3]}') == {"items": [3]}
    assert put_together(b'{"items":[1,2],"items":4}') == {"items": 4}


def test_an_end_that_is_missing_is_left_to_the_parser_without_what_came_before_it():
    parts = parts_of(b'{"items":[' + b"1," * 1000)
    assert parts.frame == b'{"items":['


@pytest.mark.parametrize("one", [b"[" + b"[]," * MOST_IN_ONE + b"0]", b'{"a":' + b"[1,1]," * MOST_IN_ONE])
def test_an_element_with_too_many_values_is_named(one: bytes):
    with pytest.raises(InvalidRequest, match=r"labels\[2\]: holds over 65,536 values"):
        parts_of(b'{"labels":[1,"x",' + one)


def test_an_element_with_too_many_bytes_is_named():
    with pytest.raises(InvalidRequest, match=r"items\[1\]: holds over 24 million bytes"):
        parts_of(b'{"items":[1,"' + b"x" * MOST_IN_ONE_BYTES + b'"]}')


def test_a_frame_with_too_many_values_is_refused():
    with pytest.raises(InvalidRequest, match="its items aside"):
        parts_of(b'{"other":[' + b"1," * MOST_IN_ONE + b"1]}")


def test_lists_of_many_small_elements_are_cut():
    assert len(parts_of(b'{"items":[' + b"1," * 200_000 + b"1]}").lists["items"]) == 200_001


def test_a_list_with_too_many_elements_is_refused():
    body = b'{"items":[' + b"1," * 300_000
    assert len(parts_of(body[:-1] + b"]}").lists["items"]) == 300_000
    with pytest.raises(InvalidRequest, match="items: over 300,000 items"):
        parts_of(body + b"1]}")


def test_a_frame_with_too_many_bytes_is_refused():
    with pytest.raises(InvalidRequest, match="body: holds over 24 million bytes, its items aside"):
        parts_of(b'{"other":"' + b"x" * MOST_IN_ONE_BYTES + b'"}')


def test_values_take_memory_before_they_are_made():
    room = 100_000 * VALUE_BYTES
    with pytest.raises(HTTPException) as refused:
        parts_of(b'{"items":[' + b"1," * 200_000 + b"1]}", room)
    assert refused.value.status_code == 413


@pytest.mark.parametrize("body", [b"[" * (MOST_DEPTH + 1), b'{"items":' + b'{"a":' * MOST_DEPTH])
def test_what_is_nested_beyond_reason_is_no_json(body: bytes):
    with pytest.raises(json.JSONDecodeError, match="nested too deeply"):
        parts_of(body)


@pytest.mark.parametrize("character", [b"x", b"\\n", b"\\u00e9", "é".encode(), b" ", b"1"])
async def test_a_long_string_gives_others_their_turn(turns: Any, character: bytes):
    body = b'{"items":["' + character * (8_000_000 // len(character)) + b'"]}'
    async with turns() as taken:
        parts = await split(body, MOST, share())
    assert taken() > 2
    (((start, end),),) = parts.lists.values()
    assert end - start == len(body) - len(b'{"items":[]}')


@given(VALUE)
def test_no_value_is_missed_by_the_first_count(value: object):
    def count(one: object) -> int:
        inner = one.values() if isinstance(one, dict) else one if isinstance(one, list) else ()
        return 1 + sum(map(count, inner))

    assert most_values(json.dumps(value).encode()) + 1 >= count(value)
