"""`/openrlhf` with the requests of OpenRLHF 0.11."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

KEY = "s3cret-key"
PROMPT = "<|im_start|>user\n<|vision_start|><|image_pad|><|vision_end|>Find AC.<|im_end|>\n<|im_start|>assistant\n"


def asked(response: str, label: object, prompt: str = PROMPT) -> dict[str, Any]:
    """What the executor sends for one sample: the query is decoded from tokens, with an image's placeholders."""
    query = prompt.replace("<|image_pad|>", "<|image_pad|>" * 64) + response + "<|im_end|>"
    return {"query": [query], "prompts": [prompt], "labels": [label]}


def post(served: str, body: dict[str, Any], **options: str) -> httpx.Response:
    return httpx.post(f"{served}/openrlhf", json=body, params=options, timeout=60)


def test_a_sample_is_scored_in_the_fields_that_are_logged(served: str, response: str, label: str):
    answer = post(served, asked(response, label))
    assert answer.json() == {
        "rewards": [pytest.approx(1.7)],
        "scores": [1.0],
        "extra_logs": {"format": [1.0], "accuracy": [1.0], "perception": [1.0], "repetition": [0.0]},
    }


def test_it_is_the_score_of_the_response_alone(served: str, response: str):
    item = {"response": response, "annotation_id": "triangle/1", "answer": "14"}
    plain = httpx.post(f"{served}/v1/score", json={"items": [item]}, timeout=60).json()["results"][0]
    label = json.dumps({"annotation_id": "triangle/1", "answer": "14"})
    answer = post(served, asked(response, label)).json()
    assert answer["rewards"] == [plain["score"]]
    assert answer["scores"] == [0.0]


def test_a_thought_that_the_prompt_opened_counts_as_opened(served: str, response: str, label: str):
    closed = response.removeprefix("<think>\n")
    assert post(served, asked(closed, label)).json()["extra_logs"]["format"] == [0.0]
    assert post(served, asked(closed, label, PROMPT + "<think>\n")).json()["extra_logs"]["format"] == [1.0]
    deepseek = "<｜begin▁of▁sentence｜><｜User｜>Find AC.<｜Assistant｜><think>\n"
    assert post(served, asked(closed, label, deepseek)).json()["rewards"] == [pytest.approx(1.7)]
    assert post(served, asked(closed, label), prefix="<think>").json()["rewards"] == [pytest.approx(1.7)]


@pytest.mark.parametrize(
    "response",
    ["<think>AB = 5</think><answer>\\boxed{13}</answer><|im_end|>", "AB = 5 <|im_end|> AC = 13", "<|im_end|>"],
)
def test_control_tokens_count_as_they_do_in_v1_score(served: str, response: str):
    item = {"response": response, "annotation_id": "triangle/1"}
    plain = httpx.post(f"{served}/v1/score", json={"items": [item]}, timeout=60).json()["results"][0]
    answer = post(served, asked(response, {"annotation_id": "triangle/1"})).json()
    assert answer["rewards"] == [plain["score"]]
    assert answer["extra_logs"]["format"] == [plain["components"]["format"]]


def test_facts_in_the_prompt_earn_nothing(served: str, label: str):
    prompt = PROMPT.replace("Find AC.", "AB = 5 and the angle ABC is 90 degrees. Find AC.")
    answer = post(served, asked("I see nothing.", label, prompt)).json()
    assert answer["extra_logs"]["perception"] == [0.0]


def test_a_plain_label_is_the_answer(served: str, response: str):
    answer = post(served, asked(response, "13")).json()
    assert answer["scores"] == [1.0]
    assert math.isnan(answer["extra_logs"]["perception"][0])
    assert list(answer["extra_logs"]) == ["format", "accuracy", "perception", "repetition"]


def test_without_a_reference_answer_groups_are_filtered_by_the_score(served: str, response: str):
    facts = [{"id": "f1", "text": "Segment AB has length 5.", "kind": "length"}]
    answer = post(served, asked(response, {"facts": facts})).json()
    assert answer["scores"] == answer["rewards"] == [pytest.approx(0.8)]


def test_a_server_too_many_is_sent_nothing(served: str):
    answer = post(served, {"query": [], "prompts": [], "labels": []})
    assert answer.json() == {"rewards": [], "scores": [], "extra_logs": {}}


def test_the_profile_can_be_named_in_the_url(served: str, response: str, label: str):
    answer = post(served, asked(response, label), profile="sum", run="geo-7b").json()
    assert answer["rewards"] != [pytest.approx(1.7)]


@pytest.mark.parametrize(
    ("body", "options", "where"),
    [
        (asked("x", ""), {}, "labels[0]"),
        (asked("x", {"anotation_id": "a"}), {}, "labels[0].anotation_id"),
        ({"query": ["x"], "prompts": [], "labels": []}, {}, "query"),
        ({"query": ["something else"], "prompts": [PROMPT], "labels": ["1"]}, {}, "query[0]"),
        ({"query": ["x"]}, {}, "prompts"),
        (asked("x", "1"), {"profile": "no-such"}, "profile"),
        (asked("x", "1"), {"on_mising": "zero"}, "query.on_mising"),
        (asked("x", {"annotation_id": "no-such"}), {}, "labels[0]"),
    ],
    ids=["no label", "misspelt", "lengths", "prompt", "no prompts", "profile", "option", "unknown annotation"],
)
def test_what_cannot_be_scored_is_told(served: str, body: dict[str, Any], options: dict[str, str], where: str):
    answer = post(served, body, **options)
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
        answer = await client.post("/openrlhf", json=asked(response, label))
        assert answer.status_code == 503
        assert answer.headers["Retry-After"]
        assert "judge_unavailable" in answer.json()["detail"]
        # With its filter on, OpenRLHF drops a group in which a score is NaN.
        dropped = (await client.post("/openrlhf?on_missing=native", json=asked(response, label))).text
        zero = (await client.post("/openrlhf?on_missing=zero", json=asked(response, label))).json()
    reply = json.loads(dropped)
    assert math.isnan(reply["rewards"][0])
    assert math.isnan(reply["scores"][0])
    assert zero["rewards"] == zero["scores"] == [0.0]


async def test_a_judge_that_comes_back_in_time_costs_no_try(
    serve: Callable[..., Any], flaky_judge: Callable[..., Any], annotations_file: Path, response: str, label: str
):
    here = await serve(flaky_judge(1), annotations=str(annotations_file))
    async with httpx.AsyncClient(base_url=here.url, timeout=60) as client:
        assert (await client.post("/openrlhf", json=asked(response, label))).json()["rewards"] == [pytest.approx(1.7)]


@pytest.mark.parametrize(("password", "status"), [(KEY, 200), ("wrong", 401)])
async def test_the_key_can_stand_in_the_url(
    serve: Callable[..., Any], annotations_file: Path, response: str, label: str, password: str, status: int
):
    here = await serve(api_key=KEY, annotations=str(annotations_file))
    url = here.url.replace("http://", f"http://any:{password}@") + "/openrlhf"
    async with httpx.AsyncClient(timeout=60) as client:
        assert (await client.post(url, json=asked(response, label))).status_code == status


async def test_the_same_limits_hold(
    serve: Callable[..., Any], scripted_judge: Callable[..., Any], annotations_file: Path, response: str, label: str
):
    judge = scripted_judge()
    judge.may_answer.clear()
    here = await serve(judge, annotations=str(annotations_file), max_items=1, max_pending_items=1)
    async with httpx.AsyncClient(base_url=here.url, timeout=60) as client:
        two = {name: values * 2 for name, values in asked(response, label).items()}
        assert (await client.post("/openrlhf", json=two)).status_code == 422
        first = asyncio.create_task(client.post("/openrlhf", json=asked(response, label)))
        await judge.asked.wait()
        assert (await client.post("/openrlhf", json=asked("other", label))).status_code == 429
        # A trainer that gives up takes its work with it.
        first.cancel()
        await judge.cancelled.wait()
        await here.service.admission.drained()
    assert here.service.admission.pending_items == 0
