from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perception_reward.service.judges.http.words import MOST_REPEATED, quotable

SECRET = "The radius of the circle in the figure is seven, says the response of somebody."


@pytest.mark.parametrize(
    "answer",
    [
        {"error": {"message": "context length\n exceeded", "type": "BadRequestError"}},
        {"error": "context length exceeded"},
        {"message": "context length exceeded"},
        {"detail": "context length exceeded"},
    ],
)
def test_a_servers_message_is_found(answer: object):
    assert quotable(json.dumps(answer).encode()) == "context length exceeded"


def test_what_is_no_json_is_repeated_as_it_is():
    assert quotable(b"bad\r\ngateway\x1b[31m") == "bad gateway[31m"


@pytest.mark.parametrize(
    "answer",
    [
        {"detail": [{"loc": ["body", "prompt"], "msg": "should be a list", "input": SECRET}]},
        {"error": {"message": f"1 validation error: 'loc': ('body', 'prompt'), 'input': '{SECRET}'"}},
        {"error": {"message": f'cannot take "{SECRET}"'}},
        {"error": {"message": f"prompt should be shorter [input_value='{SECRET.replace(' ', '_')}', input_type=str]"}},
    ],
)
def test_a_text_of_the_request_is_not_repeated(answer: object):
    assert "radius" not in quotable(json.dumps(answer).encode())


def test_token_ids_of_the_request_are_not_repeated():
    assert quotable(b'{"error": {"message": "no token [11, 12, 13, 14, 15] fits 4096"}}') == "no token […] fits 4096"


@given(st.binary(max_size=2000))
def test_it_is_one_short_printable_line(body: bytes):
    line = quotable(body)
    assert len(line) <= MOST_REPEATED
    assert line.isprintable()


def test_deep_json_is_no_harm():
    assert len(quotable(b"[" * 100_000)) <= MOST_REPEATED
