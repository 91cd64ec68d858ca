"""`/slime` with the requests of slime's `remote_rm`."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

KEY = "s3cret-key"


def sample(response: str, label: object) -> dict[str, Any]:
    return {"prompt": "<|im_start|>user\nFind AC.<|im_end|>\n", "response": response + "<|im_end|>", "label": label}


def post(served: str, body: dict[str, Any], **options: str) -> httpx.Response:
    return httpx.post(f"{served}/slime", json=body, params=options, timeout=60)


def test_a_sample_gets_a_number(served: str, response: str, label: str):
    assert post(served, sample(response, label)).json() == pytest.approx(1.7)


def test_or_its_components_for_a_reward_key(served: str, response: str, label: str):
    reply = post(served, sample(response, label), reply="components").json()
    assert reply == {
        "score": pytest.approx(1.7),
        "format": 1.0,
        "accuracy": 1.0,
        "perception": 1.0,
        "repetition": 0.0,
    }


def test_a_label_may_be_an_object_and_a_prompt_messages(served: str, response: str):
    body = sample(response, {"annotation_id": "triangle/1"}) | {"prompt": [{"role": "user", "content": "Find AC."}]}
    assert post(served, body).json() == pytest.approx(1.7)


def test_a_thought_that_the_prompt_opened_counts_as_opened(served: str, response: str, label: str):
    closed = sample(response.removeprefix("<think>\n"), label)
    opened = closed["prompt"] + "<|im_start|>assistant\n<think>\n"
    assert post(served, closed).json() == pytest.approx(1.6)
    assert post(served, closed | {"prompt": opened}).json() == pytest.approx(1.7)
    messages = closed | {"prompt": [{"role": "user", "content": "Find AC."}]}
    assert post(served, messages, prefix="<think>\n").json() == pytest.approx(1.7)
    refused = post(served, messages, prefix="think")
    assert refused.status_code == 422
    assert "opens no thought" in refused.text


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({"prompt": "x", "response": "y", "label": None}, "label"),
        ({"prompt": "x", "label": "1"}, "response"),
        ({"prompt": "x", "response": "y", "label": {"annotation_id": "no-such"}}, "label"),
    ],
)
def test_what_cannot_be_scored_is_told(served: str, body: dict[str, Any], where: str):
    answer = post(served, body)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["where"] == where


async def test_a_missing_score_is_503_and_never_a_number(
    serve: Callable[..., Any],
    flaky_judge: Callable[..., Any],
    annotations_file: Path,
    response: str,
    label: str,
    no_patience: float,
):
    here = await serve(flaky_judge(), annotations=str(annotations_file), request_timeout=no_patience)
    async with httpx.AsyncClient(base_url=here.url, timeout=60) as client:
        assert (await client.post("/slime", json=sample(response, label))).status_code == 503
        dropped = (await client.post("/slime?on_missing=native", json=sample(response, label))).text
        zero = (await client.post("/slime?on_missing=zero", json=sample(response, label))).json()
    assert math.isnan(json.loads(dropped))
    assert zero == 0.0


@pytest.mark.parametrize(("password", "status"), [(KEY, 200), ("wrong", 401)])
async def test_the_key_can_stand_in_the_url(
    serve: Callable[..., Any], annotations_file: Path, response: str, label: str, password: str, status: int
):
    here = await serve(api_key=KEY, annotations=str(annotations_file))
    url = here.url.replace("http://", f"http://any:{password}@") + "/slime"
    async with httpx.AsyncClient(timeout=60) as client:
        assert (await client.post(url, json=sample(response, label))).status_code == status
