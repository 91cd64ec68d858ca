"""The scoring endpoints over a real socket, against a service on its defaults."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

FACTS = [
    {"id": "f1", "text": "Segment AB has length 5.", "kind": "length"},
    {"id": "f2", "text": "Angle ABC measures 90 degrees.", "kind": "angle"},
]
RESPONSE = "<think>\nAB = 5 and the angle ABC is 90 degrees, so AC = 13.\n</think>\n<answer>\n\\boxed{13}\n</answer>"


def score(served: str, *items: dict[str, Any], **request: Any) -> dict[str, Any]:
    answer = httpx.post(f"{served}/v1/score", json={"items": list(items), **request}, timeout=60)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_response_is_scored_against_a_stored_annotation(served: str):
    (result,) = score(served, {"id": "r-0", "annotation_id": "triangle/1", "response": RESPONSE})["results"]
    assert result["status"] == "ok"
    assert result["components"] == {"format": 1.0, "accuracy": 1.0, "perception": 1.0, "repetition": 0.0}
    assert result["score"] == pytest.approx(1.7)
    assert [fact["verdict"] for fact in result["facts"]] == ["stated", "stated"]
    start, end = result["facts"][0]["span"]
    assert "AB = 5" in RESPONSE[start:end]


def test_results_keep_the_order_of_items(served: str):
    items = [{"id": f"r-{n}", "facts": FACTS, "response": RESPONSE + " " * n, "answer": "13"} for n in range(40)]
    assert [result["id"] for result in score(served, *items)["results"]] == [item["id"] for item in items]


def test_the_answer_of_the_item_overrides_the_annotations(served: str):
    item = {"annotation_id": "triangle/1", "response": RESPONSE, "answer": "14"}
    assert score(served, item)["results"][0]["components"]["accuracy"] == 0.0


@pytest.mark.parametrize(
    ("fields", "accuracy"),
    [
        ({"answer": 13}, 1.0), ({"answer": 13.0}, 1.0), ({"answer": ["thirteen", 13]}, 1.0),
        ({"answer": [12, 14]}, 0.0),
        ({"answer": 13.4, "tolerance": 0.05}, 1.0), ({"answer": 13.4}, 0.0), ({"answer": 14, "tolerance": 0.05}, 0.0),
        ({"answer": "B", "choices": ["12", "13"]}, 1.0), ({"answer": "B", "choices": {"A": 12, "B": 13}}, 1.0),
        ({"answer": "A", "choices": {"A": 12, "B": 13}}, 0.0),
    ],
)  # fmt: skip
def test_an_answer_may_be_a_number_alternatives_or_an_option(served: str, fields: dict[str, Any], accuracy: float):
    (result,) = score(served, {"response": RESPONSE, **fields})["results"]
    assert result["components"]["accuracy"] == accuracy


def test_a_tolerance_is_the_items_or_else_the_requests(served: str):
    items = [{"response": RESPONSE, "answer": 13.4}, {"response": RESPONSE, "answer": 13.4, "tolerance": 0.0}]
    results = score(served, *items, tolerance=0.05)["results"]
    assert [result["components"]["accuracy"] for result in results] == [1.0, 0.0]


def test_an_item_without_facts_is_scored_by_the_other_components(served: str):
    (result,) = score(served, {"response": RESPONSE, "answer": "13"})["results"]
    assert result["status"] == "ok"
    assert result["components"]["perception"] is None
    assert result["facts"] is None
    assert result["score"] == pytest.approx(1.0)


def test_an_item_without_a_reference_has_no_accuracy(served: str):
    (result,) = score(served, {"response": RESPONSE, "facts": FACTS})["results"]
    assert result["components"]["accuracy"] is None
    assert result["score"] == pytest.approx(0.8)


def test_an_unknown_annotation_is_missing_and_harms_no_neighbour(served: str):
    good = {"id": "good", "annotation_id": "triangle/1", "response": RESPONSE}
    response = score(served, {**good, "id": "bad", "annotation_id": "no-such"}, good)
    bad, neighbour = response["results"]
    assert (bad["status"], bad["reason"], bad["score"]) == ("missing", "unknown_annotation", None)
    assert bad["components"]["perception"] is None
    assert bad["components"]["format"] == 1.0
    assert neighbour["status"] == "ok"
    assert response["summary"]["missing"] == 1


def test_component_keys_are_the_same_for_every_item(served: str):
    items = [
        {"response": ""},
        {"response": RESPONSE, "facts": FACTS, "answer": "13"},
        {"response": "x", "annotation_id": "?"},
    ]
    keys = {tuple(result["components"]) for result in score(served, *items)["results"]}
    assert keys == {("format", "accuracy", "perception", "repetition")}


def test_repeats_in_a_request_are_judged_once_and_then_cached(served: str):
    item = {"facts": FACTS, "response": RESPONSE + " judged once", "answer": "13"}
    first = score(served, item, item, item)["summary"]
    again = score(served, item)["summary"]
    assert (first["facts"], first["judged"], first["cache_hits"]) == (6, 2, 0)
    assert (again["facts"], again["judged"], again["cache_hits"]) == (2, 0, 2)


def test_messages_and_content_blocks_are_read(served: str):
    message = [{"role": "assistant", "content": [{"type": "text", "text": RESPONSE}, {"type": "image"}]}]
    plain, blocks = score(served, {"response": RESPONSE, "facts": FACTS}, {"response": message, "facts": FACTS})[
        "results"
    ]
    assert plain["score"] == blocks["score"]


def test_the_summary_counts(served: str):
    response = score(served, {"response": RESPONSE, "facts": FACTS, "answer": "13"})
    assert response["summary"]["items"] == 1
    assert response["summary"]["facts"] == 2
    assert response["summary"]["seconds"] > 0
    assert response["judge"] == httpx.get(f"{served}/v1/judge").json()["fingerprint"]


def test_a_stream_gives_every_result_with_its_index_and_then_the_summary(served: str):
    items = [{"id": f"r-{n}", "facts": FACTS, "response": RESPONSE + "." * n} for n in range(20)]
    with httpx.stream("POST", f"{served}/v1/score/stream", json={"items": items}, timeout=60) as answer:
        lines = [json.loads(line) for line in answer.iter_lines()]
    assert sorted(line["index"] for line in lines[:-1]) == list(range(20))
    assert all(line["result"]["id"] == f"r-{line['index']}" for line in lines[:-1])
    assert lines[-1]["summary"]["items"] == 20


@pytest.mark.parametrize(
    ("body", "where", "words"),
    [
        ({"items": []}, "items", "at least 1"),
        ({"items": [{"id": "x"}]}, "items[0].response", "required"),
        (
            {"items": [{"response": "x"}, {"response": "y", "anotation_id": "z"}]},
            "items[1].anotation_id",
            "not permitted",
        ),
        ({"items": [{"response": "x", "facts": FACTS, "annotation_id": "z"}]}, "items[0]", "one of them"),
        ({"items": [{"response": "x", "facts": [{"id": "f", "text": " "}]}]}, "items[0].facts[0].text", "pattern"),
        ({"items": [{"response": "x"}], "profile": "no-such"}, "profile", "perception-r1"),
        ({"items": [{"response": "x"}], "step": -1}, "step", "greater"),
        ({"items": [{"response": ["x", {"type": "text", "text": 3}]}]}, "items[0].response[1].text", "valid string"),
        ({"items": [{"response": [{"role": "user", "content": "x"}]}]}, "items[0].response", "empty string"),
        ({"items": [{"response": "x"}] * 601}, "items", "at most 600"),
        (
            {"items": [{"response": "x", "facts": [{"id": str(n), "text": "A dog."} for n in range(10_000)]}]},
            "items[0].facts",
            "at most 256",
        ),
    ],
)
def test_a_bad_request_says_which_field_of_which_item(served: str, body: dict[str, Any], where: str, words: str):
    answer = httpx.post(f"{served}/v1/score", json=body, timeout=60)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    fault = answer.json()["errors"][0]
    assert fault["where"] == where
    assert words in fault["what"]


@pytest.mark.parametrize(
    "body",
    [
        {"items": [{"response": "x", "n" * 1_000_000: 1}]},
        {"items": [{"response": "x"}], "profile": "n" * 1_000_000},
    ],
    ids=["field", "profile"],
)
def test_a_refusal_does_not_repeat_what_was_sent(served: str, body: dict[str, Any]):
    answer = httpx.post(f"{served}/v1/score", json=body, timeout=60)
    assert answer.status_code == 422
    assert len(answer.content) < 1000


@pytest.mark.parametrize(
    "body", [b"{", b"[" * 100_000, b'{"items": "\xff"}', b"", b"nul", b'{"a": ' + b"9" * 5000 + b"}"]
)
def test_what_is_not_json_is_told(served: str, body: bytes):
    answer = httpx.post(f"{served}/v1/score", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 422
    assert answer.json()["errors"]


def test_nan_is_no_number(served: str):
    body = b'{"items": [{"response": "x", "facts": [{"id": "f", "text": "A dog.", "weight": NaN}]}]}'
    answer = httpx.post(f"{served}/v1/score", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["where"] == "items[0].facts[0].weight"


@pytest.mark.parametrize(
    "response",
    [
        "\ud800 AB = 5",
        "AB = 5\x00\x01\x1b[31m",
        "🦊 AB = 5 🦊",
        "\u202e5 = BA\u202c",
        "\u200bAB\u200b = 5",
        "AB = 5 " * 150_000,
    ],
    ids=["surrogate", "control", "emoji", "right-to-left", "zero-width", "a megabyte"],
)
def test_strange_text_is_scored_like_any_other(served: str, response: str):
    body = json.dumps({"items": [{"response": response, "facts": FACTS}, {"response": RESPONSE, "facts": FACTS}]})
    answer = httpx.post(
        f"{served}/v1/score", content=body.encode(), headers={"Content-Type": "application/json"}, timeout=60
    )
    assert answer.status_code == 200
    strange, plain = answer.json()["results"]
    assert strange["status"] == plain["status"] == "ok"
    assert strange["truncated"] is (len(response) > 65_536)


def test_a_body_over_the_limit_is_refused(served: str):
    body = json.dumps({"items": [{"response": "x" * (100 << 20)}]}).encode()
    answer = httpx.post(f"{served}/v1/score", content=body, headers={"Content-Type": "application/json"}, timeout=60)
    assert answer.status_code == 413
    assert "8 MiB" in answer.json()["detail"]


def test_a_body_over_the_limit_is_refused_without_an_announced_length(served: str):
    def chunks():
        for _ in range(100):
            yield b" " * (1 << 20)

    answer = httpx.post(
        f"{served}/v1/score", content=chunks(), headers={"Content-Type": "application/json"}, timeout=60
    )
    assert answer.status_code == 413


@pytest.mark.parametrize(
    ("kind", "path"), [("facts", "/v1/score"), ("facts", "/v1/score/stream"), ("annotation_id", "/v1/score")]
)
async def test_facts_for_which_there_is_no_room_are_refused_wherever_they_are_from(
    serve: Callable[..., Any], tmp_path: Path, kind: str, path: str
):
    facts = [{"id": str(n), "text": f"Segment AB has length {n}."} for n in range(100)]
    (tmp_path / "own.jsonl").write_text(json.dumps({"id": "a", "facts": facts}))
    here = await serve(max_body_mb=1, max_buffered_mb=1, annotations=str(tmp_path / "own.jsonl"))
    own = {"facts": facts} if kind == "facts" else {"annotation_id": "a"}
    async with httpx.AsyncClient(base_url=here.url, timeout=60) as client:
        answer = await client.post(path, json={"items": [{"response": str(n), **own} for n in range(8)]})
        assert answer.status_code == 413
        assert answer.json()["detail"].startswith("what the body holds takes over 1 MiB once it is read")
        assert (await client.post(path, json={"items": [{"response": "1", **own}]})).status_code == 200


async def test_a_stream_ends_early_where_its_stored_facts_have_no_room(serve: Callable[..., Any], tmp_path: Path):
    facts = [{"id": str(n), "text": f"Segment AB has length {n}."} for n in range(1000)]
    (tmp_path / "own.jsonl").write_text(json.dumps({"id": "a", "facts": facts}))
    here = await serve(max_body_mb=1, max_buffered_mb=1, annotations=str(tmp_path / "own.jsonl"))
    async with httpx.AsyncClient(base_url=here.url, timeout=60) as client:
        with pytest.raises(httpx.RemoteProtocolError):
            await client.post("/v1/score/stream", json={"items": [{"response": "1", "annotation_id": "a"}]})
        assert (await client.get("/livez")).status_code == 200


def test_the_same_item_has_the_same_score_whatever_its_company(served: str):
    item = {"facts": FACTS, "response": RESPONSE + " company", "answer": "13"}
    alone = score(served, item)["results"][0]
    among = score(served, *[{"response": f"AB = {n}", "facts": FACTS} for n in range(30)], item)["results"][-1]
    assert alone == among


async def test_a_stream_whose_reader_stalls_gives_its_places_back_at_its_deadline(
    serve: Callable[..., Any], caplog: pytest.LogCaptureFixture
):
    here = await serve(request_timeout=4, max_items=65536, max_pending_items=65536)
    # More lines than the sockets' buffers hold, so that writing them has to wait for the reader.
    body = json.dumps({"items": [{"id": "x" * 500, "response": ""}] * 20_000}).encode()
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.setblocking(False)
    loop = asyncio.get_running_loop()
    with connection:
        await loop.sock_connect(connection, ("127.0.0.1", httpx.URL(here.url).port))
        head = f"POST /v1/score/stream HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n"
        await loop.sock_sendall(connection, head.encode() + b"Content-Type: application/json\r\n\r\n" + body)
        assert await loop.sock_recv(connection, 12) == b"HTTP/1.1 200"
        assert here.service.admission.pending_items == 20_000
        async with asyncio.timeout(20):
            await here.service.admission.drained()
        assert "a stream was cut" in caplog.text
        assert here.service.admission.pending_items == 0


@pytest.mark.parametrize("wanted", [False, True])
@pytest.mark.parametrize("path", ["/v1/score", "/v1/score/stream"])
async def test_responses_are_logged_only_where_the_setting_asks_for_them(
    serve: Callable[..., Any], caplog: pytest.LogCaptureFixture, wanted: bool, path: str
):
    caplog.set_level("DEBUG", "perception_reward")
    here = await serve(log_responses=wanted)
    items = [{"id": "r-0", "response": "said\n" + "x" * 5000}, {"response": [{"type": "text", "text": "and this"}]}]
    async with httpx.AsyncClient() as client:
        assert (await client.post(here.url + path, json={"items": items})).status_code == 200
    texts = [entry.__dict__["text"] for entry in caplog.records if entry.getMessage() == "response"]
    assert texts == ([("said\n" + "x" * 5000)[:2000], "and this"] if wanted else [])


def test_a_stream_without_any_time_still_says_so_of_every_item(served: str):
    body = {"items": [{"facts": FACTS, "response": "no time"}] * 3}
    headers = {"X-Request-Timeout": "5e-324"}
    answer = httpx.post(f"{served}/v1/score/stream", json=body, headers=headers, timeout=60)
    lines = [json.loads(line) for line in answer.iter_lines()]
    assert [line["result"]["reason"] for line in lines[:-1]] == ["judge_timeout"] * 3
    assert lines[-1]["summary"]["missing"] == 3


@pytest.mark.parametrize("kind", [None, "application/x-www-form-urlencoded", "text/plain", "multipart/form-data"])
@pytest.mark.parametrize("path", ["/v1/score", "/v1/score/stream"])
def test_json_is_taken_for_json_whatever_it_is_said_to_be(served: str, kind: str | None, path: str):
    body = json.dumps({"items": [{"response": "AB = 5", "answer": "5"}]})
    answer = httpx.post(f"{served}{path}", content=body, headers={} if kind is None else {"Content-Type": kind})
    assert answer.status_code == 200, answer.text


def test_a_form_is_told_to_be_no_json(served: str):
    answer = httpx.post(f"{served}/v1/score", data={"response": "AB = 5"})
    assert answer.status_code == 422
    assert "not JSON" in answer.json()["detail"]
