"""`/verify` with the requests of NeMo Gym's agents."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from perception_reward.service.api.problems import InvalidRequest
from perception_reward.service.api.trainers.nemo_gym import said

KEY = "s3cret-key"


def message(text: str) -> dict[str, Any]:
    content = [{"type": "output_text", "text": text, "annotations": [], "logprobs": None}]
    return {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": content}


def reasoning(text: str) -> dict[str, Any]:
    return {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": text}]}


def rollout(*output: dict[str, Any], **row: Any) -> dict[str, Any]:
    return {
        "responses_create_params": {"input": [{"role": "user", "content": "Find AC."}], "metadata": None},
        "response": {"id": "resp_1", "object": "response", "model": "policy", "output": list(output)},
        **row,
    }


def post(served: str, body: dict[str, Any], **options: str) -> httpx.Response:
    return httpx.post(f"{served}/verify", json=body, params=options, timeout=60)


STORED = {"verifier_metadata": {"annotation_id": "triangle/1", "level": "hard"}}


def test_the_whole_row_comes_back_with_a_reward(served: str, response: str):
    body = rollout(message(response), **STORED, _ng_task_index=3)
    reply = post(served, body).json()
    components = {"format": 1.0, "accuracy": 1.0, "perception": 1.0, "repetition": 0.0}
    assert reply == {**body, "reward": pytest.approx(1.7), "reward_components": components, **components}


@pytest.mark.parametrize(
    "row",
    [
        {"annotation_id": "triangle/1"},
        {"verifier_metadata": {"annotation_id": "triangle/1"}, "annotation_id": "no-such"},
        {"responses_create_params": {"input": "Find AC.", "metadata": {"annotation_id": "triangle/1"}}},
    ],
    ids=["in the row", "before the row's", "in the request's metadata"],
)
def test_what_to_score_against_is_found(served: str, response: str, row: dict[str, Any]):
    assert post(served, rollout(message(response), **row)).json()["reward"] == pytest.approx(1.7)


def test_an_expected_answer_is_an_answer(served: str, response: str):
    reply = post(served, rollout(message(response), expected_answer=13)).json()
    assert reply["reward_components"] == {"format": 1.0, "accuracy": 1.0, "repetition": 0.0}


def test_reasoning_that_a_parser_took_out_counts(served: str):
    answer = "<answer>\n\\boxed{13}\n</answer>"
    output = (reasoning("\nAB = 5 and the angle ABC is 90 degrees.\n"), message(answer))
    assert post(served, rollout(*output, **STORED)).json()["reward"] == pytest.approx(1.7)
    # The whole thought is back, whatever of it stands in the prompt.
    reply = httpx.post(f"{served}/verify?prefix=%3Cthink%3E", json=rollout(*output, **STORED), timeout=60).json()
    assert reply["reward"] == pytest.approx(1.7)


def test_a_thought_that_the_prompt_opened_is_told_in_the_url(served: str, response: str):
    row = rollout(message(response.removeprefix("<think>\n")), **STORED)
    assert post(served, row).json()["reward"] == pytest.approx(1.6)
    reply = httpx.post(f"{served}/verify?prefix=%3Cthink%3E", json=row, timeout=60).json()
    assert reply["reward"] == pytest.approx(1.7)


def test_only_the_policy_is_heard():
    others = [
        {"type": "function_call", "name": "measure", "arguments": "AB = 5", "call_id": "1"},
        {"type": "function_call_output", "output": "AB = 5", "call_id": "1"},
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "AB = 5"}]},
        {"type": "message", "role": "assistant", "content": [{"type": "refusal", "refusal": "AB = 5"}]},
        "AB = 5",
    ]
    assert said({"output": [*others, message("one"), message("two")]}) == {"response": "one\ntwo"}


@pytest.mark.parametrize("response", [{}, {"output": "AB = 5"}, {"output": None}])
def test_a_response_without_output_is_refused(response: dict[str, Any]):
    with pytest.raises(InvalidRequest):
        said(response)


def test_a_row_without_anything_to_score_against_is_refused(served: str, response: str):
    answer = post(served, rollout(message(response)))
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["where"] == "verifier_metadata"


async def test_a_missing_score_is_flagged_as_gym_flags_a_failed_judge(
    serve: Callable[..., Any],
    flaky_judge: Callable[..., Any],
    annotations_file: Path,
    response: str,
    no_patience: float,
):
    here = await serve(flaky_judge(), annotations=str(annotations_file), request_timeout=no_patience)
    async with httpx.AsyncClient(base_url=here.url, timeout=60) as client:
        reply = (await client.post("/verify", json=rollout(message(response), **STORED))).json()
        refused = await client.post("/verify?on_missing=raise", json=rollout(message(response), **STORED))
        zero = (await client.post("/verify?on_missing=zero", json=rollout(message(response), **STORED))).json()
    assert reply["_ng_failure_class"] == "judge_failed"
    assert reply["_ng_failure_judge_error"] == "judge_unavailable"
    assert reply["mask_sample"] is True
    assert reply["response"]["output"][0]["content"][0]["text"] == response
    assert refused.status_code == 503
    assert zero["reward"] == 0.0
    assert "mask_sample" not in zero


@pytest.mark.parametrize(("password", "status"), [(KEY, 200), ("wrong", 401)])
async def test_the_key_can_stand_in_the_url(
    serve: Callable[..., Any], annotations_file: Path, response: str, password: str, status: int
):
    here = await serve(api_key=KEY, annotations=str(annotations_file))
    url = here.url.replace("http://", f"http://any:{password}@") + "/verify"
    async with httpx.AsyncClient(timeout=60) as client:
        answer = await client.post(url, json=rollout(message(response), **STORED))
    assert answer.status_code == status
