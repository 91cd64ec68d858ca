"""What a client is told of a service before it depends on it."""

from __future__ import annotations

import asyncio
import json
import logging
import pickle
import ssl
import threading
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import trustme

from perception_reward.trainer_client import OptionError, RewardClient, ServiceUnavailable, Unauthorized
from perception_reward.trainer_client.options import DEFAULT_URL

# Everything is told within 5 s; a busy machine takes longer for the rest. A call has 120 s.
SOON = 20.0
PATIENCE = 60.0
NOT_READY = json.dumps({"ready": False, "checks": {"annotations": "12", "judge": "failed: loading the model"}})

StartServer = Callable[[], Awaitable[Any]]


async def fault(error: type[Exception], url: Any, key: str | None = None, **options: Any) -> str:
    """What the check says, in one line and in time."""
    started = time.monotonic()
    async with RewardClient(url, key, **options) as client:
        with pytest.raises(error) as found:
            await client.check()
    assert time.monotonic() - started < SOON
    assert "\n" not in str(found.value)
    return str(found.value)


async def test_a_service_that_can_be_used_is_asked_once(served: str) -> None:
    async with RewardClient(served) as client:
        await client.check()
        client.check_sync()


async def test_what_has_passed_is_not_asked_again_nor_where_the_client_is_sent(server: Any) -> None:
    async with RewardClient(server.url, profile="q") as client:
        await asyncio.gather(*(client.check() for _ in range(20)))
        assert server.checks == ["/v1/profiles", "/readyz"]
        await server.kill()
        await client.check()
        await pickle.loads(pickle.dumps(client)).check()


async def test_what_has_failed_is_asked_again(server: Any) -> None:
    working, server.profiles = server.profiles, server.says(404)
    async with RewardClient(server.url) as client:
        with pytest.raises(OptionError):
            await client.check()
        server.profiles = working
        await client.check()


async def test_nothing_is_asked_where_the_user_says_so(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERCEPTION_REWARD_CHECK", "0")
    async with RewardClient(server.url) as client:
        await client.check()
    assert server.checks == []


def test_the_synchronous_face_leaves_no_thread_behind(served: str) -> None:
    before = threading.active_count()
    RewardClient(served).check_sync()
    assert threading.active_count() == before


async def test_an_address_where_nothing_listens_is_named(server: Any) -> None:
    await server.kill()
    told = await fault(ServiceUnavailable, server.url)
    for words in (server.url, "Connection refused", "PERCEPTION_REWARD_URL", "PERCEPTION_REWARD_START_WAIT"):
        assert words in told


async def test_a_default_address_is_told_from_one_that_was_given(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    await server.kill()
    monkeypatch.setattr("perception_reward.trainer_client.check.DEFAULT_URL", server.url)
    assert "is not set in this process" in await fault(ServiceUnavailable, server.url, start_wait=0)
    monkeypatch.setenv("PERCEPTION_REWARD_URL", server.url)
    assert "is not set in this process" not in await fault(ServiceUnavailable, server.url, start_wait=0)
    assert DEFAULT_URL.startswith("http://127.0.0.1:")


async def test_a_host_that_does_not_exist_is_named() -> None:
    assert "no-such-host.invalid" in await fault(ServiceUnavailable, "http://no-such-host.invalid:8420", start_wait=0)


async def test_a_server_that_says_nothing_is_given_up_in_time(server: Any) -> None:
    server.profiles = server.hang
    assert "did not answer in time" in await fault(ServiceUnavailable, server.url)


async def test_a_key_that_is_missing_or_wrong_is_told_apart(keyed: str) -> None:
    assert "this client has none: api_key (PERCEPTION_REWARD_API_KEY)" in await fault(Unauthorized, keyed)
    told = await fault(Unauthorized, keyed, "wrong-one")
    assert "does not accept" in told
    assert "PERCEPTION_REWARD_API_KEY" in told
    assert "wrong-one" not in told
    async with RewardClient(keyed, "s3cret") as client:
        await client.check()


@pytest.fixture
def keyed(start_process: Callable[..., Any]) -> str:
    return start_process("--workers", "1", environment={"api_key": "s3cret"}).url


async def test_a_profile_that_the_service_lacks_is_told_with_those_it_has(served: str) -> None:
    told = await fault(OptionError, served, profile="perception-r2")
    for words in ("profile (PERCEPTION_REWARD_PROFILE)", "'perception-r2'", "perception-r1, ", served):
        assert words in told


@pytest.mark.parametrize(
    ("status", "text"), [(404, "Not Found"), (200, "<html>"), (200, '{"data": []}'), (302, ""), (405, "")]
)
async def test_something_else_at_the_address_is_named(server: Any, status: int, text: str) -> None:
    server.profiles = server.says(status, text)
    told = await fault(OptionError, server.url)
    for words in ("base_url (PERCEPTION_REWARD_URL)", server.url, "/v1/profiles", text):
        assert words in told


@pytest.mark.parametrize("ending", ["/v1/score", "/v1/score/", "/v1/score/stream", "/v1", "/"])
async def test_the_address_of_an_endpoint_is_understood(served: str, ending: str) -> None:
    async with RewardClient(served + ending) as client:
        await client.check()
        assert (await client.score([{"response": "x"}]))[0].score is not None


async def test_a_path_that_no_proxy_knows_is_named(served: str) -> None:
    assert f"{served}/rewards/v1/profiles with 404" in await fault(OptionError, f"{served}/rewards")


async def test_a_service_that_is_not_ready_is_told_with_the_reason(server: Any) -> None:
    server.ready = server.says(503, NOT_READY)
    told = await fault(ServiceUnavailable, server.url)
    assert f"{server.url} is not ready: judge: failed: loading the model" in told
    assert "PERCEPTION_REWARD_START_WAIT" in told


async def test_a_service_that_is_starting_is_waited_for_as_long_as_the_user_says(server: Any) -> None:
    ready, server.ready = server.ready, server.says(503, NOT_READY)
    async with RewardClient(server.url, start_wait=PATIENCE) as client:
        waiting = asyncio.create_task(client.check())
        await server.arrived.wait()
        server.ready = ready
        await waiting


async def test_a_service_that_is_ready_without_its_cache_is_used_and_the_fault_logged(
    server: Any, caplog: pytest.LogCaptureFixture
) -> None:
    server.ready = server.says(200, json.dumps({"ready": True, "checks": {"redis": "failed: connection refused"}}))
    async with RewardClient(server.url) as client:
        await client.check()
    assert "redis: failed: connection refused" in caplog.text


async def test_readiness_that_a_gateway_keeps_to_itself_is_not_missed(server: Any) -> None:
    server.ready = server.says(404)
    async with RewardClient(server.url) as client:
        await client.check()


async def test_one_server_of_several_is_enough_but_a_key_is_wrong_everywhere(
    start_server: StartServer, caplog: pytest.LogCaptureFixture
) -> None:
    dead, alive = await start_server(), await start_server()
    await dead.kill()
    async with RewardClient([dead.url, alive.url], start_wait=0) as client:
        with caplog.at_level(logging.WARNING):
            await client.check()
    assert dead.url in caplog.text
    alive.profiles = alive.says(401)
    assert alive.url in await fault(Unauthorized, [dead.url, alive.url], "key", start_wait=0)


async def test_a_certificate_that_is_not_trusted_is_told_with_what_to_give(start_server: StartServer) -> None:
    server = await start_server()
    await server.kill()
    server.tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(server.tls)
    await server.start()
    told = await fault(OptionError, f"https://127.0.0.1:{server.port}")
    assert "ca_file (PERCEPTION_REWARD_CA_FILE)" in told
    assert server.url in await fault(ServiceUnavailable, server.url, start_wait=0)


async def test_tls_where_there_is_none_is_told_with_what_to_write(server: Any) -> None:
    assert "write http://" in await fault(OptionError, server.url.replace("http://", "https://"))


async def test_a_first_call_does_not_wait_long_for_what_has_never_answered(
    server: Any, make_item: Callable[..., dict[str, Any]]
) -> None:
    await server.kill()
    started = time.monotonic()
    async with RewardClient(server.url) as client:
        with pytest.raises(ServiceUnavailable, match="within 4 s"):
            await client.score([make_item()])
    assert time.monotonic() - started < SOON
