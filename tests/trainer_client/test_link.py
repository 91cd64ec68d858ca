from __future__ import annotations

import asyncio
import gzip
import json
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web

from perception_reward.trainer_client import RequestRefused, RewardClient, Unauthorized, link, transport

# Generous: nothing waits this long where all is well.
PATIENCE = 60.0

MakeItem = Callable[..., dict[str, Any]]
StartServer = Callable[[], Awaitable[Any]]


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take this machine for another one, so that bodies are worth compressing."""
    monkeypatch.setattr(link, "LOOPBACK", ("nowhere",))


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
async def test_what_may_pass_is_asked_again(server: Any, make_item: MakeItem, status: int) -> None:
    server.script = [server.says(status), server.says(status, "not JSON")]
    async with RewardClient(server.url, timeout=PATIENCE) as client:
        (result,) = await client.score([make_item()])
    assert (result.score, len(server.asked)) == (1.0, 3)


async def test_what_the_service_has_noticed_is_told_once(
    server: Any, make_item: MakeItem, caplog: pytest.LogCaptureFixture
) -> None:
    server.warnings = ["all is wrong"]
    async with RewardClient(server.url, timeout=PATIENCE) as client:
        await client.score([make_item()])
        await client.score([make_item()])
    assert [record.getMessage() for record in caplog.records if "all is wrong" in record.getMessage()] == [
        "the reward service says: all is wrong"
    ]


@pytest.mark.parametrize("fault", ["drops", "breaks_off"])
async def test_a_connection_that_breaks_is_asked_again(server: Any, make_item: MakeItem, fault: str) -> None:
    server.script = [getattr(server, fault)]
    async with RewardClient(server.url, timeout=PATIENCE) as client:
        (result,) = await client.score([make_item()])
    assert (result.score, len(server.asked)) == (1.0, 2)


@pytest.mark.parametrize("text", ["", "<html>maintenance</html>", '{"results": []}', "[" * 100_000])
async def test_an_answer_that_is_none_is_asked_again(server: Any, make_item: MakeItem, text: str) -> None:
    server.script = [server.says(200, text)]
    async with RewardClient(server.url, timeout=PATIENCE) as client:
        (result,) = await client.score([make_item()])
    assert (result.score, len(server.asked)) == (1.0, 2)


async def test_a_server_is_left_alone_for_as_long_as_it_asks(server: Any, make_item: MakeItem) -> None:
    server.script = [server.says(429, Retry_After="1")]
    started = time.monotonic()
    async with RewardClient(server.url, timeout=PATIENCE) as client:
        (result,) = await client.score([make_item()])
    assert result.score == 1.0
    assert time.monotonic() - started >= 1.0


async def test_a_wait_beyond_the_time_is_not_begun(server: Any, make_item: MakeItem) -> None:
    server.reply = server.says(429, Retry_After="3600")
    async with RewardClient(server.url, timeout=PATIENCE) as client:
        (result,) = await client.score([make_item(7)])
    assert (result.id, result.status, result.score, result.reason) == ("r-7", "missing", None, "overloaded")
    assert len(server.asked) == 1


@pytest.mark.parametrize("asked", ["0", "nan", "-1", "0.0001", "Thu, 01 Jan 1970 00:00:00 GMT"])
async def test_a_wait_that_is_none_is_not_taken_at_its_word(server: Any, make_item: MakeItem, asked: str) -> None:
    server.reply = server.says(429, Retry_After=asked)
    async with RewardClient(server.url, timeout=2.0) as client:
        (result,) = await client.score([make_item()])
    assert result.reason == "overloaded"
    assert len(server.asked) <= 30


@pytest.mark.parametrize("status", [307, 400, 404, 405, 415])
async def test_a_refusal_is_told_at_once(server: Any, make_item: MakeItem, status: int) -> None:
    server.reply = server.says(status, '{"detail": "not like this"}')
    async with RewardClient(server.url, timeout=PATIENCE) as client:
        with pytest.raises(RequestRefused, match="not like this") as error:
            await client.score([make_item()])
    assert (error.value.status, len(server.asked)) == (status, 1)


async def test_a_key_is_sent_and_shown_to_nobody(server: Any, make_item: MakeItem) -> None:
    server.script = [server.scores]
    server.reply = server.says(401, '{"detail": "no valid API key"}')
    async with RewardClient(server.url, "hush", timeout=PATIENCE) as client:
        await client.score([make_item()])
        with pytest.raises(Unauthorized) as error:
            await client.score([make_item()])
    assert server.headers[0]["Authorization"] == "Bearer hush"
    assert "hush" not in str(error.value)


async def test_another_server_answers_for_a_dead_one(start_server: StartServer, make_item: MakeItem) -> None:
    dead, alive = await start_server(), await start_server()
    await dead.kill()
    async with RewardClient([dead.url, alive.url], timeout=PATIENCE, request_items=1) as client:
        results = await client.score([make_item(n) for n in range(8)])
    assert [result.id for result in results] == [f"r-{n}" for n in range(8)]
    assert all(result.score == 1.0 for result in results)


async def test_a_busy_server_is_not_waited_for_where_there_is_another(
    start_server: StartServer, make_item: MakeItem
) -> None:
    busy, free = await start_server(), await start_server()
    busy.reply = busy.says(429, Retry_After="3600")
    async with RewardClient(f"{busy.url},{free.url}", timeout=PATIENCE) as client:
        for n in range(4):
            assert (await client.score([make_item(n)]))[0].score == 1.0
    assert len(busy.asked) <= 1


async def test_servers_share_the_load(start_server: StartServer, make_item: MakeItem) -> None:
    servers = [await start_server(), await start_server()]
    async with RewardClient([server.url for server in servers], timeout=PATIENCE, request_items=1) as client:
        await client.score([make_item(n) for n in range(8)])
    assert all(server.asked for server in servers)


async def test_a_server_that_hangs_is_given_up_for_another(
    start_server: StartServer, make_item: MakeItem, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "CHECK_SECONDS", 0.2)
    hung, other = await start_server(), await start_server()
    hung.reply, hung.lives, other.reply = hung.hang, False, other.says(503)
    async with RewardClient([hung.url, other.url], timeout=PATIENCE) as client:
        scoring = asyncio.create_task(client.score([make_item()]))
        await hung.arrived.wait()
        other.reply = other.scores
        assert (await scoring)[0].score == 1.0


async def test_a_slow_judge_is_waited_for(server: Any, make_item: MakeItem, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "CHECK_SECONDS", 0.05)
    asked_if_it_lives = asyncio.Event()

    async def slowly(request: Any, body: dict[str, Any]) -> Any:
        await asked_if_it_lives.wait()
        return await server.scores(request, body)

    async def lives(*_: Any) -> bool:
        asked_if_it_lives.set()
        return True

    monkeypatch.setattr(transport.Transport, "_says_something", lives)
    server.reply = slowly
    async with RewardClient(server.url, timeout=PATIENCE) as client:
        assert (await client.score([make_item()]))[0].score == 1.0
    assert len(server.asked) == 1


async def test_the_service_is_told_how_much_time_there_is(server: Any, make_item: MakeItem) -> None:
    async with RewardClient(server.url, timeout=PATIENCE) as client:
        await client.score([make_item()])
    assert 0.5 * PATIENCE < float(server.headers[0]["X-Request-Timeout"]) < PATIENCE


@pytest.mark.usefixtures("network")
@pytest.mark.parametrize(("length", "encoding"), [(10_000, "gzip"), (1_000_000, "gzip"), (10, None)])
async def test_a_large_body_is_compressed(server: Any, make_item: MakeItem, length: int, encoding: str | None) -> None:
    async with RewardClient(server.url, timeout=PATIENCE, compress_above=5000) as client:
        (result,) = await client.score([make_item(response="x" * length)])
    assert result.score == 1.0
    assert server.headers[0].get("Content-Encoding") == encoding
    assert server.asked[0]["items"][0]["response"] == "x" * length


@pytest.mark.usefixtures("network")
@pytest.mark.parametrize("status", [400, 415, 422])
async def test_a_server_that_reads_no_compressed_bodies_gets_plain_ones(
    server: Any, make_item: MakeItem, status: int
) -> None:
    server.script = [server.says(status)]
    async with RewardClient(server.url, timeout=PATIENCE, compress_above=10) as client:
        for _ in range(2):
            assert (await client.score([make_item()]))[0].score == 1.0
    assert [headers.get("Content-Encoding") for headers in server.headers] == ["gzip", None, None]


@pytest.mark.usefixtures("network")
async def test_a_refusal_of_what_is_in_a_compressed_body_is_told(server: Any, make_item: MakeItem) -> None:
    server.reply = server.refuses(422, "items[0].response")
    async with RewardClient(server.url, timeout=PATIENCE, compress_above=10) as client:
        with pytest.raises(RequestRefused, match=r"items\[0\]"):
            await client.score([make_item()])


async def test_nothing_is_compressed_for_this_machine_itself(server: Any, make_item: MakeItem) -> None:
    async with RewardClient(server.url, timeout=PATIENCE, compress_above=10) as client:
        await client.score([make_item()])
    assert "Content-Encoding" not in server.headers[0]


async def endless(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    while True:
        await response.write(b" " * 65_536)


async def packed(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
    return web.Response(body=gzip.compress(b" " * 50_000_000), headers={"Content-Encoding": "gzip"})


@pytest.mark.parametrize("reply", [endless, packed])
async def test_an_answer_beyond_what_was_asked_for_is_left_and_asked_again(
    server: Any, make_item: MakeItem, reply: Any
) -> None:
    server.script = [reply]
    async with RewardClient(server.url, timeout=PATIENCE) as client:
        (result,) = await client.score([make_item()])
    assert (result.score, len(server.asked)) == (1.0, 2)
    assert server.headers[0]["Accept-Encoding"] == "identity"


async def test_there_is_room_for_the_largest_answer(server: Any, make_item: MakeItem) -> None:
    async def answers(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        score = await server.scores(request, body)
        (found,) = json.loads(score.body)["results"]
        ids = (f"{n:0512}" for n in range(256))
        found["facts"] = [{"id": each, "verdict": "stated", "probability": 1 / 3, "span": [10**6] * 2} for each in ids]
        return web.json_response({**json.loads(score.body), "results": [found]})

    server.reply = answers
    async with RewardClient(server.url, timeout=PATIENCE) as client:
        (result,) = await client.score([make_item()])
    assert len(result.facts or ()) == 256


async def test_an_outage_is_logged_once_when_it_begins_and_once_when_it_is_over(
    server: Any, make_item: MakeItem, caplog: pytest.LogCaptureFixture
) -> None:
    async with RewardClient(server.url, timeout=PATIENCE) as client:
        await client.score([make_item()])
        server.script = [server.says(503, '{"detail": "the store is gone"}')] * 3
        await client.score([make_item()])
    told = [record.getMessage() for record in caplog.records]
    assert told == [
        f"perception_reward: {server.url} answered 503: the store is gone; asking again while there is time",
        f"perception_reward: {server.url} answers again",
    ]
