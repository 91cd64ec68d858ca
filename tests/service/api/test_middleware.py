from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from perception_reward.service.api.middleware import presented_key

KEY = "s3cret-key"


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
