from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest


@pytest.mark.parametrize(
    ("method", "path", "words"),
    [
        ("POST", "/v1/score/v1/score", "did you mean POST /v1/score?"),
        ("POST", "/v1/score/v1/score/stream", "did you mean POST /v1/score/stream?"),
        ("POST", "/openrlhf/v1/score", "did you mean POST /v1/score?"),
        ("POST", "/v1/score/openrlhf", "did you mean POST /openrlhf?"),
        ("POST", "/v1/scores", "did you mean POST /v1/score?"),
        ("POST", "/score", "did you mean POST /v1/score?"),
        ("POST", "/V1/Score", "did you mean POST /v1/score?"),
        ("GET", "/v1/score/readyz", "did you mean GET /readyz?"),
        ("GET", "/health", "POST /v1/score scores, and GET /docs lists all paths"),
        ("POST", "/", "POST /v1/score scores, and GET /docs lists all paths"),
        ("POST", "/" + "x" * 5000, "POST /v1/score scores"),
        ("GET", "/redoc", "did you mean GET /docs?"),
    ],
)
async def test_a_path_that_there_is_not_names_the_right_one(
    serve: Callable[..., Any], method: str, path: str, words: str
):
    here = await serve()
    async with httpx.AsyncClient(base_url=here.url) as client:
        answer = await client.request(method, path)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert words in answer.json()["detail"]
    assert "xxx" not in answer.text


async def test_a_method_that_a_path_does_not_take_names_those_that_it_does(serve: Callable[..., Any]):
    here = await serve()
    async with httpx.AsyncClient(base_url=here.url) as client:
        answer = await client.get("/v1/score")
    assert answer.status_code == 405
    assert answer.json()["detail"] == "this path takes POST"


async def test_an_annotation_that_there_is_not_is_no_wrong_path(serve: Callable[..., Any]):
    here = await serve()
    async with httpx.AsyncClient(base_url=here.url) as client:
        answer = await client.get("/v1/annotations/none")
    assert answer.json()["detail"] == "there is no annotation with this id"
