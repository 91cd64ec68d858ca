from __future__ import annotations

import asyncio
import base64
import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from perception_reward.service.api.key_check import presented_key, rights_for

KEY = "s3cret-key"
SCORER, EDITOR, SCRAPER = "scorer-key-0123456789", "editor-key-0123456789", "scraper-key-012345678"
ANNOTATION = {"id": "a", "facts": [{"id": "f", "text": "AB = 5."}]}
ITEMS = {"items": [{"response": "x"}]}


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


@pytest.mark.parametrize(
    ("authorization", "status"),
    [
        (None, 401),
        ("Bearer wrong", 401),
        (f"Bearer {KEY}", 200),
        (f"bearer  {KEY}", 200),
        (basic("anyone", KEY), 200),
        (basic(KEY, ""), 401),
        ("Basic !!!", 401),
        ("Basic", 401),
        (f"Digest {KEY}", 401),
    ],
)
async def test_a_key_opens_the_service(serve: Callable[..., Any], authorization: str | None, status: int):
    here = await serve(api_key=f"old,{KEY}")
    headers = {"Authorization": authorization} if authorization else {}
    async with httpx.AsyncClient() as client:
        answer = await client.get(f"{here.url}/v1/judge", headers=headers)
        assert answer.status_code == status
        assert (await client.get(f"{here.url}/livez")).status_code == 200
        metrics = (await client.get(f"{here.url}/metrics", headers={"Authorization": f"Bearer {KEY}"})).text
    if status == 401:
        assert answer.headers["content-type"] == "application/problem+json"
        assert "WWW-Authenticate" in answer.headers
    assert KEY not in answer.text + metrics


@pytest.mark.parametrize("key", ["clé", "voilà", "钥匙"])
async def test_a_key_may_hold_any_letter(serve: Callable[..., Any], key: str):
    here = await serve(api_key=key)
    async with httpx.AsyncClient() as client:
        for authorization in (f"Bearer {key}", basic("anyone", key)):
            answer = await client.get(f"{here.url}/v1/judge", headers={b"Authorization": authorization.encode()})
            assert answer.status_code == 200


def test_a_key_with_a_colon_survives_basic_authentication():
    assert presented_key(basic("user", "a:b")) == b"a:b"


@pytest.mark.parametrize(
    ("settings", "key", "metrics", "scores"),
    [
        ({}, None, 401, 401),
        ({}, KEY, 200, 200),
        ({"metrics_key": "scrape"}, "scrape", 200, 403),
        ({"metrics_key": "scrape"}, KEY, 200, 200),
        ({"metrics_key": "scrape"}, None, 401, 401),
        ({"open_metrics": True}, None, 200, 401),
    ],
)
async def test_metrics_have_a_key_of_their_own_or_none(
    serve: Callable[..., Any], settings: dict[str, Any], key: str | None, metrics: int, scores: int
):
    here = await serve(api_key=KEY, **settings)
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    async with httpx.AsyncClient(base_url=here.url, headers=headers) as client:
        assert (await client.get("/metrics")).status_code == metrics
        assert (await client.get("/v1/profiles")).status_code == scores


async def test_a_refused_key_is_logged_with_the_path_and_the_address_and_without_the_key(
    serve: Callable[..., Any], caplog: pytest.LogCaptureFixture
):
    here = await serve(api_key=KEY)
    caplog.set_level(logging.INFO)
    async with httpx.AsyncClient(base_url=here.url) as client:
        await client.get("/v1/judge?key=wr0ng", headers={"Authorization": "Bearer wr0ng"})
    (entry,) = [entry for entry in caplog.records if entry.getMessage().endswith(" 401")]
    assert entry.levelno == logging.WARNING
    assert entry.__dict__["path"] == "/v1/judge"
    assert entry.__dict__["client"].startswith("127.0.0.1:")
    assert "wr0ng" not in str(entry.__dict__)


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    file = tmp_path / "keys.toml"
    file.write_text(
        f'[trainer]\nkey = "{SCORER}"\nmay = ["score"]\n'
        f'[editor]\nkey = "{EDITOR}"\nmay = ["annotate"]\n'
        f'[prometheus]\nkey = "{SCRAPER}"\nmay = ["metrics"]\n'
    )
    return file


@pytest.mark.parametrize(
    ("key", "allowed"),
    [
        (SCORER, {"score", "read", "about"}),
        (EDITOR, {"read", "write", "about"}),
        (SCRAPER, {"metrics"}),
        (KEY, {"score", "read", "write", "about", "metrics"}),
    ],
)
async def test_a_key_may_do_what_its_rights_say(serve: Callable[..., Any], keys: Path, key: str, allowed: set[str]):
    annotations = keys.parent / "annotations.jsonl"
    annotations.write_text('{"id": "b", "facts": [{"id": "f", "text": "AB = 5."}]}\n')
    here = await serve(api_keys_file=keys, api_key=KEY, annotations=str(annotations))
    async with httpx.AsyncClient(base_url=here.url, headers={"Authorization": f"Bearer {key}"}) as client:
        answers = {
            "score": await client.post("/v1/score", json=ITEMS),
            "read": await client.get("/v1/annotations/b"),
            "write": await client.put("/v1/annotations/a", json=ANNOTATION),
            "about": await client.get("/v1/judge"),
            "metrics": await client.get("/metrics"),
        }
    assert {name for name, answer in answers.items() if answer.is_success} == allowed
    refused = [answer for name, answer in answers.items() if name not in allowed]
    assert all(answer.status_code == 403 and "it needs" in answer.json()["detail"] for answer in refused)


async def test_a_key_s_own_limits_leave_the_others_theirs(serve: Callable[..., Any], tmp_path: Path):
    file = tmp_path / "keys.toml"
    file.write_text(
        f'[slow]\nkey = "{SCORER}"\nmay = ["score"]\nitems_per_second = 0.5\n'
        f'[free]\nkey = "{EDITOR}"\nmay = ["score"]\n'
    )
    here = await serve(api_keys_file=file)
    async with httpx.AsyncClient(base_url=here.url) as client:

        async def ask(key: str) -> httpx.Response:
            return await client.post("/v1/score", json=ITEMS, headers={"Authorization": f"Bearer {key}"})

        assert (await ask(SCORER)).status_code == 200
        late = await ask(SCORER)
        assert late.status_code == 429
        assert 1 <= int(late.headers["Retry-After"]) <= 2
        assert "slow" in late.json()["detail"]
        assert (await ask(EDITOR)).status_code == 200
    exposed = here.service.metrics.exposition().decode()
    assert 'perception_reward_key_items_total{key="slow"} 1.0' in exposed
    assert 'perception_reward_key_items_total{key="free"} 1.0' in exposed


async def test_a_key_is_replaced_while_the_service_runs(
    serve: Callable[..., Any], tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    """As Kubernetes replaces a mounted secret: another file takes the name."""
    (tmp_path / "trainer.key").write_text(SCORER)
    file = tmp_path / "keys.toml"
    file.write_text('[trainer]\nkey_file = "trainer.key"\nmay = ["score"]\n')
    here = await serve(api_keys_file=file, annotations_watch=0.05)
    caplog.set_level(logging.INFO)

    async def status(key: str) -> int:
        async with httpx.AsyncClient(base_url=here.url) as client:
            return (await client.get("/v1/judge", headers={"Authorization": f"Bearer {key}"})).status_code

    async def until_logged(words: str) -> None:
        while not any(words in entry.getMessage() for entry in caplog.records):  # noqa: ASYNC110 - the log is the sign
            await asyncio.sleep(0.02)

    assert await status(SCORER) == 200
    (tmp_path / "new").write_text(f"{EDITOR}\n{SCORER}\n")
    os.replace(tmp_path / "new", tmp_path / "trainer.key")
    await until_logged("keys read again")
    assert await status(EDITOR) == await status(SCORER) == 200

    file.write_text("[trainer\n")
    await until_logged("keys were not read again")
    assert await status(SCORER) == 200
    assert SCORER not in caplog.text


@pytest.mark.parametrize(
    ("method", "path", "rights"),
    [
        ("GET", "/metrics", {"metrics"}), ("POST", "/v1/annotations:batch", {"annotate"}),
        ("DELETE", "/v1/annotations/x", {"annotate"}), ("GET", "/v1/annotations", {"score", "annotate"}),
        ("POST", "/openrlhf", {"score"}), ("POST", "/v1/score/stream", {"score"}), ("GET", "/nowhere", {"score"}),
        ("GET", "/docs/swagger-ui.css", {"score", "annotate"}),
    ],
)  # fmt: skip
def test_what_is_asked_of_a_key(method: str, path: str, rights: set[str]):
    assert rights_for(method, path) == rights
