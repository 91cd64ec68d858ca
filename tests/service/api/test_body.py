from __future__ import annotations

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perception_reward.service.api.body import parse

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
