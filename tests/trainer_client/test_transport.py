from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import trustme
from aiohttp import web

from perception_reward.trainer_client import OptionError, RewardClient, transport

# Generous: nothing waits this long where all is well.
PATIENCE = 60.0

MakeItem = Callable[..., dict[str, Any]]


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


def told(authority: trustme.CA, folder: Path) -> str:
    """The file that a client is given to trust what `authority` signs."""
    path = folder / "ca.pem"
    authority.cert_pem.write_to_path(path)
    return str(path)


@pytest.fixture
async def secured(start_server: Callable[[], Awaitable[Any]], authority: trustme.CA) -> Any:
    """A server with a certificate for 127.0.0.1 and for no name."""
    server = await start_server()
    await server.kill()
    server.tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(server.tls)
    server.url = server.url.replace("http:", "https:")
    await server.start()
    return server


async def test_a_server_of_the_given_authority_is_trusted(
    secured: Any, authority: trustme.CA, tmp_path: Path, make_item: MakeItem
) -> None:
    async with RewardClient(secured.url, timeout=PATIENCE, ca_file=told(authority, tmp_path)) as client:
        (result,) = await client.score([make_item()])
    assert result.score == 1.0


async def test_without_the_check_any_server_is_trusted(secured: Any, make_item: MakeItem) -> None:
    async with RewardClient(secured.url, timeout=PATIENCE, verify=False) as client:
        (result,) = await client.score([make_item()])
    assert result.score == 1.0


@pytest.mark.parametrize("known", ["the system's", "another"])
async def test_a_server_of_another_authority_is_refused_at_once(
    secured: Any, tmp_path: Path, make_item: MakeItem, known: str
) -> None:
    ca_file = told(trustme.CA(), tmp_path) if known == "another" else None
    # Tried again, it would end as `ServiceUnavailable`.
    async with RewardClient(secured.url, timeout=PATIENCE, ca_file=ca_file) as client:
        with pytest.raises(OptionError) as error:
            await client.score([make_item()])
    for what in (secured.url, "not trusted", "PERCEPTION_REWARD_CA_FILE", "PERCEPTION_REWARD_VERIFY"):
        assert what in str(error.value)
    assert secured.asked == []


async def test_a_certificate_for_another_name_is_refused_at_once(
    secured: Any, authority: trustme.CA, tmp_path: Path, make_item: MakeItem
) -> None:
    by_name = f"https://localhost:{secured.port}"
    async with RewardClient(by_name, timeout=PATIENCE, ca_file=told(authority, tmp_path)) as client:
        with pytest.raises(OptionError, match="PERCEPTION_REWARD_URL"):
            await client.score([make_item()])


async def test_a_certificate_that_goes_bad_in_a_run_costs_scores_and_not_the_run(
    secured: Any, authority: trustme.CA, tmp_path: Path, make_item: MakeItem
) -> None:
    async with RewardClient(secured.url, timeout=5.0, ca_file=told(authority, tmp_path)) as client:
        await client.score([make_item()])
        await secured.kill()
        secured.tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        trustme.CA().issue_cert("127.0.0.1").configure_cert(secured.tls)
        await secured.start()
        (result,) = await client.score([make_item()])
    assert result.reason == "service_unavailable"


@pytest.mark.parametrize("content", [None, "no certificate"])
async def test_a_file_without_certificates_is_named_at_every_call(
    secured: Any, tmp_path: Path, make_item: MakeItem, content: str | None
) -> None:
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_text(content)
    async with RewardClient(secured.url, timeout=PATIENCE, ca_file=str(path)) as client:
        for _ in range(2):
            with pytest.raises(OptionError, match=r"PERCEPTION_REWARD_CA_FILE.*ca\.pem"):
                await client.score([make_item()])


async def begun(request: web.Request, signs: int) -> web.StreamResponse:
    """An answer that has begun, with so many signs of life."""
    response = web.StreamResponse()
    await response.prepare(request)
    for _ in range(signs):
        await response.write(b" ")
        await asyncio.sleep(0.1)
    return response


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "CHECK_SECONDS", 0.1)
    monkeypatch.setattr(transport, "SILENT_SECONDS", 1.0)


@pytest.mark.usefixtures("impatient")
async def test_a_server_that_gives_signs_of_life_is_waited_for(
    start_server: Callable[[], Awaitable[Any]], make_item: MakeItem
) -> None:
    server = await start_server()

    async def slowly(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        response = await begun(request, 25)
        await response.write((await server.scores(request, body)).body)
        return response

    server.script = [slowly]
    async with RewardClient(server.url, timeout=PATIENCE) as client:
        (result,) = await client.score([make_item()])
    assert (result.score, len(server.asked)) == (1.0, 1)
    assert server.headers[0]["X-Heartbeat"] == "5"


@pytest.mark.usefixtures("impatient")
async def test_a_server_that_gives_them_no_more_is_given_up_though_livez_answers(
    start_server: Callable[[], Awaitable[Any]], make_item: MakeItem
) -> None:
    """Behind a balancer another replica answers `/livez`."""
    server = await start_server()

    async def hangs(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        await begun(request, 3)
        return await server.hang(request, body)

    server.script = [hangs, server.hang]
    async with RewardClient(server.url, timeout=PATIENCE) as client:
        (result,) = await client.score([make_item()])
    # The second one hung from its beginning, and it was known by then that there should have been signs.
    assert (result.score, len(server.asked)) == (1.0, 3)


@pytest.mark.usefixtures("impatient")
async def test_a_server_that_never_gave_any_is_silent_and_may_be_well(
    start_server: Callable[[], Awaitable[Any]], make_item: MakeItem
) -> None:
    """As is one behind a proxy that holds an answer back until it is whole."""
    server = await start_server()

    async def late(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        await asyncio.sleep(2.5)
        return await server.scores(request, body)

    server.script = [late]
    async with RewardClient(server.url, timeout=PATIENCE) as client:
        (result,) = await client.score([make_item()])
    assert (result.score, len(server.asked)) == (1.0, 1)
