"""What a browser would send for a page of another site, and what programs, proxies and the service's own pages send."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

KEY = "s3cret-key"
BEARER = {"Authorization": f"Bearer {KEY}"}
BASIC = {"Authorization": "Basic " + base64.b64encode(f"me:{KEY}".encode()).decode()}
SCORED = {"items": [{"response": "AB = 5"}]}
LINES = b'{"id": "planted"}\n'


async def post(here: Any, headers: dict[str, str]) -> int:
    async with httpx.AsyncClient(base_url=here.url) as client:
        return (await client.post("/v1/score", json=SCORED, headers=headers)).status_code


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1:8420",
        "localhost:8420",
        "LOCALHOST",
        "[::1]:8420",
        "api.localhost",
        "10.0.0.7:80",
        "box",
        "localhost.",
    ],
)
@pytest.mark.parametrize("path", ["/v1/annotations", "/docs"])
async def test_names_of_this_machine_are_answered(serve: Callable[..., Any], host: str, path: str):
    here = await serve()
    async with httpx.AsyncClient(base_url=here.url, headers={"Host": host}) as client:
        assert (await client.get(path)).status_code == 200
        assert (await client.post("/v1/score", json=SCORED)).status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8420", "localhost.evil.example", "127.0.0.1.nip.io"])
async def test_a_name_that_somebody_made_to_point_here_is_refused(serve: Callable[..., Any], host: str):
    here = await serve()
    async with httpx.AsyncClient(base_url=here.url, headers={"Host": host}) as client:
        refused = await client.get("/v1/annotations")
        assert (await client.post("/v1/score", json=SCORED)).status_code == 403
        assert (await client.get("/livez")).status_code == 200
    assert refused.status_code == 403
    assert refused.headers["content-type"] == "application/problem+json"
    assert "--trusted-hosts" in refused.json()["detail"]
    assert 'refused_total{reason="foreign"} 2.0' in here.service.metrics.exposition().decode()


async def test_a_trusted_name_is_answered_and_its_pages_may_write(serve: Callable[..., Any]):
    here = await serve(trusted_hosts="reward.lab.example, other.example")
    own = {"Host": "reward.lab.example:80"}
    assert await post(here, own) == 200
    assert await post(here, {**own, "Origin": "https://other.example:3000"}) == 200
    assert await post(here, {**own, "Origin": "https://evil.example"}) == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "http://localhost:3000"},
        {"Origin": "null"},
        {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
@pytest.mark.parametrize("credentials", [None, BASIC])
async def test_a_page_of_another_site_writes_nothing(
    serve: Callable[..., Any], headers: dict[str, str], credentials: dict[str, str] | None
):
    here = await serve(**({"api_key": KEY} if credentials else {}))
    sent = {"Host": "localhost:8420", **headers, **(credentials or {})}
    async with httpx.AsyncClient(base_url=here.url) as client:
        for kind in ("text/plain", "application/x-ndjson"):
            typed = {**sent, "Content-Type": kind}
            answer = await client.post("/v1/annotations:batch", content=LINES, headers=typed)
            assert answer.status_code == 403
        for method, path in (("PUT", "/v1/annotations/a"), ("DELETE", "/v1/annotations/a"), ("POST", "/v1/score")):
            assert (await client.request(method, path, json={"id": "a"}, headers=sent)).status_code == 403
    assert await here.service.store.count() == 0


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "http://localhost:8420"},
        {"Origin": "http://localhost:8420", "Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "none"},
    ],
)
@pytest.mark.parametrize("credentials", [None, BASIC, BEARER])
async def test_programs_and_the_services_own_pages_write(
    serve: Callable[..., Any], headers: dict[str, str], credentials: dict[str, str] | None
):
    here = await serve(**({"api_key": KEY} if credentials else {}))
    assert await post(here, {"Host": "localhost:8420", **headers, **(credentials or {})}) == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "upstream", **BEARER},
        {"Host": "reward.example.com", **BEARER, "Origin": "https://dashboard.example.com"},
        {"Host": "upstream", **BASIC},
        {"Host": "upstream", **BASIC, "Origin": "https://reward.example.com", "X-Forwarded-Host": "reward.example.com"},
        {"Host": "upstream", **BASIC, "Origin": "https://reward.example.com", "Sec-Fetch-Site": "same-origin"},
    ],
)
async def test_with_a_key_any_proxy_may_stand_before_it(serve: Callable[..., Any], headers: dict[str, str]):
    here = await serve(api_key=KEY)
    assert await post(here, headers) == 200


async def test_a_bearer_key_is_still_looked_at(serve: Callable[..., Any]):
    here = await serve(api_key=KEY)
    assert await post(here, {"Authorization": "Bearer wrong", "Origin": "https://evil.example"}) == 401


@pytest.mark.parametrize("kind", [None, "text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
async def test_what_is_written_has_to_be_said_to_be_json(
    serve: Callable[..., Any], annotations_file: Path, kind: str | None
):
    here = await serve(annotations=str(annotations_file))
    headers = {} if kind is None else {"Content-Type": kind}
    async with httpx.AsyncClient(base_url=here.url) as client:
        loaded = await client.post("/v1/annotations:batch", content=LINES, headers=headers)
        put = await client.put("/v1/annotations/planted", content=LINES, headers=headers)
    assert (loaded.status_code, put.status_code) == (415, 415)
    assert "send Content-Type: application/x-ndjson" in loaded.json()["detail"]
    assert "send Content-Type: application/json" in put.json()["detail"]
    assert await here.service.store.count() == 1


@pytest.mark.parametrize(
    "kind", ["application/x-ndjson", "application/jsonl; charset=utf-8", "APPLICATION/JSON", "application/geo+json"]
)
async def test_json_has_several_names(serve: Callable[..., Any], annotations_file: Path, kind: str):
    here = await serve(annotations=str(annotations_file))
    async with httpx.AsyncClient(base_url=here.url, headers={"Content-Type": kind}) as client:
        answer = await client.post("/v1/annotations:batch", content=LINES)
    assert answer.json()["stored"] == 1
