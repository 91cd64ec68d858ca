from __future__ import annotations

import json
from email.utils import formatdate
from time import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perception_reward.trainer_client import InvalidItem, RequestRefused, Unauthorized
from perception_reward.trainer_client.answers import (
    Garbled,
    about_the_number_of_items,
    moved,
    read_response,
    refusal,
    retry_after,
    told,
)

RESULT = {
    "id": "a",
    "status": "ok",
    "score": 1.0,
    "components": {"format": 1.0, "accuracy": None, "perception": None, "repetition": 0.0},
    "facts": None,
    "reason": None,
}
SUMMARY = {"items": 1, "missing": 0, "facts": 0, "cache_hits": 0, "judged": 0, "seconds": 0.1}


def written(*results: Any, **fields: Any) -> bytes:
    return json.dumps({"profile": "p", "judge": "j", "results": results, "summary": SUMMARY, **fields}).encode()


def problem(*errors: dict[str, str]) -> bytes:
    return json.dumps({"title": "t", "status": 422, "detail": errors[0]["where"], "errors": errors}).encode()


def test_fields_of_a_later_version_are_ignored() -> None:
    later = {**RESULT, "mood": "good", "components": {**RESULT["components"], "style": 1.0}}  # pyright: ignore[reportGeneralTypeIssues]
    assert read_response(written(later, added=1), 1).results[0].score == 1.0


def test_a_reason_of_a_later_version_is_kept_as_it_was_given() -> None:
    missing = {**RESULT, "status": "missing", "score": None, "reason": "judge_asleep", "since": "noon"}
    first, second = read_response(written(missing, RESULT), 2).results
    assert (first.status, first.score, first.reason) == ("missing", None, "judge_asleep")
    assert (second.score, second.reason) == (1.0, None)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<html>",
        b"[]",
        b"{}",
        written(RESULT)[:-30],
        written(RESULT, RESULT),
        written({**RESULT, "score": "high"}),
    ],
)
def test_what_is_no_answer_is_garbled(content: bytes) -> None:
    with pytest.raises(Garbled):
        read_response(content, 1)


@given(st.binary(max_size=200), st.integers(400, 499))
def test_any_body_of_a_refusal_can_be_told(content: bytes, status: int) -> None:
    error = refusal(status, content, "http://a")
    assert error.status == status
    assert str(error).startswith(f"http://a refused the request ({status}): ")
    assert len(told(content)) < 2000


def test_a_refusal_is_of_its_kind_and_says_the_service_s_words() -> None:
    assert isinstance(refusal(401, b'{"detail": "no valid API key"}', "u"), Unauthorized)
    assert "PERCEPTION_REWARD_API_KEY" in str(refusal(401, b"", "u"))
    assert type(refusal(404, b"", "u")) is RequestRefused
    error = refusal(422, problem({"where": "items[3].facts", "what": "w"}), "u")
    assert isinstance(error, InvalidItem)
    assert error.index == 3


def test_a_bad_item_is_named_by_its_place_in_the_call() -> None:
    error = refusal(422, problem({"where": "items[3].facts", "what": "w"}), "u")
    assert isinstance(error, InvalidItem)
    there = moved(error, 512)
    assert there.index == 515
    assert "items[515].facts" in str(there)
    profile = InvalidItem("profile: unknown")
    assert moved(profile, 512) is profile


def test_too_many_items_are_told_from_a_bad_one() -> None:
    many, bad = problem({"where": "items", "what": "w"}), problem({"where": "items[0]", "what": "w"})
    assert about_the_number_of_items(refusal(422, many, "u"), many)
    assert not about_the_number_of_items(refusal(422, bad, "u"), bad)
    assert about_the_number_of_items(refusal(413, b"", "u"), b"")


@pytest.mark.parametrize(
    ("header", "seconds"), [(None, None), ("7", 7.0), ("-1", 0.0), ("soon", None), ("nan", None), ("inf", None)]
)
def test_retry_after_is_read_as_seconds(header: str | None, seconds: float | None) -> None:
    assert retry_after(header) == seconds


@pytest.mark.parametrize(
    "header", ["1e400", "", " ", "Mon, 01 Jan 0001 00:00:00 -2359", "Fri, 31 Dec 9999 23:59:59 -0000", "9" * 5000]
)
def test_retry_after_is_finite_or_nothing(header: str) -> None:
    seconds = retry_after(header)
    assert seconds is None or 0.0 <= seconds < float("inf")


def test_retry_after_is_read_as_a_date() -> None:
    assert retry_after(formatdate(time() + 60, usegmt=True)) == pytest.approx(60, abs=30)
