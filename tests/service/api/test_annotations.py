from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from perception_reward.service.api.annotations import MOST_FAULTS, TOO_MANY_FAULTS

FACT = {"id": "f1", "text": "Segment AB has length 5.", "kind": "length"}

LINES = {"Content-Type": "application/x-ndjson"}


@pytest.fixture
async def client(serve: Callable[..., Any], annotations_file: Path):
    here = await serve(annotations=str(annotations_file))
    async with httpx.AsyncClient(base_url=here.url) as client:
        yield client


async def test_what_is_put_can_be_got_scored_and_deleted(client: httpx.AsyncClient):
    annotation = {"id": "new/one", "answer": "5", "facts": [FACT]}
    assert (await client.put("/v1/annotations/new/one", json=annotation)).status_code == 200
    assert (await client.get("/v1/annotations/new/one")).json()["facts"][0]["text"] == FACT["text"]
    item = {"annotation_id": "new/one", "response": "AB = 5"}
    assert (await client.post("/v1/score", json={"items": [item]})).json()["results"][0]["status"] == "ok"
    assert (await client.delete("/v1/annotations/new/one")).status_code == 204
    assert (await client.get("/v1/annotations/new/one")).status_code == 404
    assert (await client.delete("/v1/annotations/new/one")).status_code == 404


async def test_a_listing_is_walked_by_its_cursor(client: httpx.AsyncClient):
    lines = "\n".join(json.dumps({"id": f"p{n:03}"}) for n in range(25))
    await client.post("/v1/annotations:batch", content=lines, headers=LINES)
    ids: list[str] = []
    cursor: str | None = None
    while True:
        page = (
            await client.get("/v1/annotations", params={"limit": 10, **({"cursor": cursor} if cursor else {})})
        ).json()
        ids += [annotation["id"] for annotation in page["annotations"]]
        if (cursor := page["cursor"]) is None:
            break
    assert ids == sorted(ids)
    assert len(ids) == len(set(ids)) == 26


async def test_a_batch_stores_the_good_lines_and_reports_the_others(client: httpx.AsyncClient):
    lines = [json.dumps({"id": "a", "facts": [FACT]}), "{", json.dumps({"id": "b", "facts": [{"id": "f3"}]}), ""]
    answer = (await client.post("/v1/annotations:batch", content="\n".join(lines), headers=LINES)).json()
    assert (answer["stored"], answer["failed"]) == (1, 2)
    assert [fault["line"] for fault in answer["errors"]] == [2, 3]
    assert "f3" in answer["errors"][1]["message"] + answer["errors"][1]["field"]
    assert (await client.get("/v1/annotations/a")).status_code == 200


async def test_a_big_batch_leaves_the_event_loop_to_others(serve: Callable[..., Any], annotations_file: Path):
    here = await serve(annotations=str(annotations_file))
    # Lines at fault take as long to check as good ones, and nothing has to be stored.
    line = json.dumps({"id": "a", "facts": [FACT] * 20, "wrong": 1})
    longest = 0.0

    async def tick() -> None:
        nonlocal longest
        while True:
            started = time.perf_counter()
            await asyncio.sleep(0.01)
            longest = max(longest, time.perf_counter() - started)

    async with httpx.AsyncClient(base_url=here.url, timeout=60) as client:
        body = "\n".join([line] * 5000)
        ticking = asyncio.create_task(tick())
        started = time.perf_counter()
        answer = await client.post("/v1/annotations:batch", content=body, headers=LINES)
        took = time.perf_counter() - started
        ticking.cancel()
    assert answer.json()["failed"] == 5000
    assert len(answer.json()["errors"]) == MOST_FAULTS == 1000
    assert longest < took / 2


async def test_a_body_with_more_faults_than_a_file_of_annotations_has_is_refused_early(client: httpx.AsyncClient):
    good = json.dumps({"id": "good", "facts": [FACT]}) + "\n"
    answer = await client.post("/v1/annotations:batch", content=good + "[]\n" * (TOO_MANY_FAULTS + 1), headers=LINES)
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert error["where"] == "line 2"
    assert "20,000 lines are at fault, so nothing was stored" in answer.json()["detail"]
    assert (await client.get("/v1/annotations/good")).status_code == 404
    many = await client.post("/v1/annotations:batch", content=good + "[]\n" * TOO_MANY_FAULTS, headers=LINES)
    assert (many.json()["stored"], many.json()["failed"]) == (1, TOO_MANY_FAULTS)


async def test_an_id_that_differs_from_the_path_is_refused(client: httpx.AsyncClient):
    answer = await client.put("/v1/annotations/one", json={"id": "two"})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["where"] == "id"


async def test_a_cursor_that_is_none_is_refused(client: httpx.AsyncClient):
    assert (await client.get("/v1/annotations", params={"cursor": "\x00nonsense"})).status_code in (200, 422)


async def test_what_is_put_is_still_there_after_a_restart(serve: Callable[..., Any], annotations_file: Path):
    here = await serve(annotations=str(annotations_file))
    async with httpx.AsyncClient(base_url=here.url) as client:
        await client.put("/v1/annotations/kept", json={"id": "kept", "facts": [FACT]})
    again = await serve(annotations=str(annotations_file))
    async with httpx.AsyncClient(base_url=again.url) as client:
        assert (await client.get("/v1/annotations/kept")).status_code == 200


@pytest.mark.parametrize(
    ("facts", "where"),
    [
        ([{"id": str(n), "text": "A dog."} for n in range(66_000)], "facts"),
        ([{"id": "f", "text": 1, "wrong": 2}] * 50_000, "facts[0].text"),
        ([FACT, *({"id": str(n)} for n in range(50_000))], "facts[1].text"),
    ],
    ids=["too many", "all bad", "bad after the first"],
)
async def test_of_a_long_bad_list_the_first_fault_is_told(client: httpx.AsyncClient, facts: list[Any], where: str):
    answer = await client.put("/v1/annotations/long", json={"id": "long", "facts": facts})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["where"] == where
    assert len(answer.json()["errors"]) <= 2
