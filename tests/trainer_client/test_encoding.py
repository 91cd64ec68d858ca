from __future__ import annotations

import gzip
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perception_reward.trainer_client import InvalidItem, ScoreItem
from perception_reward.trainer_client.encoding import compressed, encode, portions, request_body
from perception_reward.trainer_client.options import Options
from perception_reward.trainer_client.wire import Message, ScoreRequest


def test_a_model_is_sent_as_it_was_made() -> None:
    made = ScoreItem(id="a", response=[Message(role="assistant", content=None, text="AB = 5")], answer="5")
    encoded = encode(made)
    assert encoded.id == "a"
    # A content of null is told from none at all.
    assert json.loads(encoded.body)["response"] == [{"role": "assistant", "content": None, "text": "AB = 5"}]
    assert ScoreItem.model_validate_json(encoded.body) == made


@given(st.text(st.characters(), max_size=50))
def test_whatever_a_policy_writes_can_be_sent(text: str) -> None:
    assert json.loads(encode({"response": text}).body) == {"response": text}


@pytest.mark.parametrize("value", [object(), float("nan"), {1, 2}, b"bytes"])
def test_what_has_no_json_is_named(value: Any) -> None:
    with pytest.raises(InvalidItem, match=r"items\[3\] cannot be written as JSON") as error:
        encode({"response": "x", "answer": value}, 3)
    assert error.value.index == 3


def test_an_item_that_holds_itself_is_named() -> None:
    loop: dict[str, Any] = {"response": "x"}
    loop["facts"] = [loop]
    with pytest.raises(InvalidItem):
        encode(loop)


@given(st.lists(st.integers(0, 200), max_size=40), st.integers(1, 8), st.integers(50, 500))
def test_portions_keep_order_and_limits(lengths: list[int], most: int, most_bytes: int) -> None:
    items = [{"id": str(n), "response": "x" * length} for n, length in enumerate(lengths)]
    found = list(portions(items, most, most_bytes))
    assert [item.id for portion in found for item in portion.items] == [item["id"] for item in items]
    assert [portion.offset for portion in found] == [int(portion.items[0].id or -1) for portion in found]
    for portion in found:
        assert 1 <= len(portion.items) <= most
        assert len(portion.items) == 1 or sum(len(item.body) for item in portion.items) <= most_bytes


def test_a_request_says_what_it_is_asked_to_and_nothing_else() -> None:
    items = [encode({"response": "a"}), encode({"response": "b"})]
    assert json.loads(request_body(items, Options(), None)) == {"items": [{"response": "a"}, {"response": "b"}]}
    body = request_body(items, Options(profile="sum", run='a "run"', prefix="<think>\n", explain=True), 0)
    assert ScoreRequest.model_validate_json(body).model_dump(exclude={"items"}, exclude_none=True) == {
        "profile": "sum",
        "step": 0,
        "run": 'a "run"',
        "prefix": "<think>\n",
        "explain": True,
    }


def test_a_compressed_body_is_gzip() -> None:
    body = b"AB = 5" * 1000
    assert gzip.decompress(compressed(body)) == body
    assert len(compressed(body)) < len(body) / 10
