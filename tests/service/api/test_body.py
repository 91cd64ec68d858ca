from __future__ import annotations

import asyncio
import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from perception_reward.annotations.model import Annotation
from perception_reward.service.api.body import SMALL_BYTES, SMALL_VALUES, list_fields, parse, read
from perception_reward.service.api.memory import Memory
from perception_reward.service.api.problems import InvalidRequest
from perception_reward.service.api.score import ScoreBody
from perception_reward.service.api.split import most_values
from perception_reward.service.api.trainers.openrlhf import RewardRequest
from perception_reward.service.metrics import Metrics
from perception_reward.trainer_client.wire import Fact, ScoreItem

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(JSON)
def test_json_reads_as_json_does(value: object):
    assert parse(json.dumps(value).encode()) == value


@pytest.mark.parametrize("body", [b'"a\\ud800b"', b'"a\\udfffb"'])
def test_a_lone_surrogate_becomes_one_replacement_character(body: bytes):
    assert parse(body) == "a\ufffdb"


def test_a_surrogate_pair_is_its_character():
    assert parse(b'"\\ud83e\\udd8a"') == "🦊"


def test_lone_surrogates_are_mended_at_any_depth():
    assert parse(b'{"a": [{"\\udc00": "\\ud800"}]}') == {"a": [{"\ufffd": "\ufffd"}]}


@pytest.mark.parametrize("body", [b"[" * 200_000, b"\xff", b'"\x80"', b"9" * 5000])
def test_what_cannot_be_read_is_a_json_error(body: bytes):
    with pytest.raises(json.JSONDecodeError):
        parse(body)


@pytest.mark.parametrize("depth", [100, 600, 900, 1500, 5000])
def test_no_depth_of_what_is_mended_is_another_error(depth: int):
    with suppress(json.JSONDecodeError):
        parse(b"[" * depth + b'"\\ud800"' + b"]" * depth)


def items(count: int, **last: object) -> bytes:
    """A body that is too large to be read in one go, with `last` as its last item."""
    facts = [{"id": str(n), "text": "Segment AB has length 5."} for n in range(50)]
    return json.dumps({"profile": "sum", "items": [{"response": "AB = 5", "facts": facts}] * count + [last]}).encode()


def as_ever(body: bytes) -> object:
    """What FastAPI makes of a body: the model, or what is wrong with it."""
    try:
        return ScoreBody.model_validate(parse(body), from_attributes=True)
    except ValidationError as error:
        return error.errors(include_url=False, include_context=False, include_input=False)


def in_parts(body: bytes, most_items: int = 100_000) -> object:
    share = Memory(1 << 30, Metrics()).share()
    value = asyncio.run(read(body, ScoreBody, share, most_items))
    try:
        return ScoreBody.model_validate(value, from_attributes=True)
    except ValidationError as error:
        return error.errors(include_url=False, include_context=False, include_input=False)


@pytest.mark.parametrize(
    "last",
    [
        {"response": "AB = 6", "answer": "5"},
        {"response": "x\udc80"},
        {"response": 5},
        {"respons": "x"},
        {"response": "x", "facts": [{"id": "f"}]},
        {"response": [{"role": "user", "content": "x"}]},
    ],
)
@pytest.mark.parametrize("count", [3, 1000])
def test_a_large_body_is_read_like_a_small_one_and_told_of_in_the_same_words(count: int, last: dict[str, object]):
    body = items(count, **last)
    assert (most_values(body) > SMALL_VALUES) == (count > 3)
    assert in_parts(body) == as_ever(body)


@pytest.mark.parametrize("wrong", [b'{"profile": 5, "x": 1, ', b'{"items": 3, ', b'{"profile": "a" "b", ', b"{,"])
def test_what_else_is_wrong_with_a_large_body_is_told_as_ever(wrong: bytes):
    body = wrong + items(1000).removeprefix(b"{")
    try:
        expected = as_ever(body)
    except json.JSONDecodeError as error:
        with pytest.raises(json.JSONDecodeError, match=error.msg):
            in_parts(body)
    else:
        assert in_parts(body) == expected


@pytest.mark.parametrize("element", [b"", b"1 2", b"nul", b'"\\x"'])
def test_an_element_that_is_no_json_is_told(element: bytes):
    body = items(1000).replace(b'"items": [', b'"items": [' + element + b",", 1)
    with pytest.raises(json.JSONDecodeError):
        in_parts(body)


def test_items_beyond_their_limit_are_counted_and_not_read():
    with pytest.raises(InvalidRequest, match="items: over 1,000 items; send at most so many"):
        in_parts(items(1000), most_items=1000)


def test_utf_16_is_no_json_for_a_large_body():
    with pytest.raises(json.JSONDecodeError):
        in_parts(items(1000).decode().encode("utf-16"))


def test_a_name_that_is_escaped_is_still_the_name():
    body = b'{"\\u0069tems": [{"response": "x"}], "other": "' + b" " * SMALL_BYTES + b'"}'
    assert isinstance(found := in_parts(body), list)
    assert [fault["loc"] for fault in found] == [("other",)]


def test_which_fields_are_lists():
    assert list_fields(ScoreBody) == {"items": ScoreItem}
    assert list_fields(Annotation)["facts"] is Fact
    assert list_fields(RewardRequest) == {"query": None, "prompts": None, "labels": None}
