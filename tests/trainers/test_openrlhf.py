"""OpenRLHF's own executor, which fetches rewards itself, against `/openrlhf` of a real service."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

pytestmark = [pytest.mark.openrlhf, pytest.mark.timeout(300), pytest.mark.filterwarnings("default")]

agent = pytest.importorskip("openrlhf.utils.agent")
transformers = pytest.importorskip("transformers")

from perception_reward.trainer_client.trainers.columns import client_of  # noqa: E402
from perception_reward.trainer_client.trainers.listing import path_of  # noqa: E402

KEY = "s3cret-key"
RESPONSE = "<think>\nAB = 5 and the angle ABC is 90°.\n</think>\n<answer>\n\\boxed{13}\n</answer>"
PROMPT = "<|im_start|>user\n" + "The triangle has a right angle. " * 20 + "Find AC.<|im_end|>\n<|im_start|>assistant\n"
LABEL = json.dumps({"annotation_id": "triangle/1"})
COMPONENTS = {"format": [1.0], "accuracy": [1.0], "perception": [1.0], "repetition": [0.0]}


class Engine:
    """A policy that always says the same. It is the only thing here that is not OpenRLHF's or ours."""

    def __init__(self, tokenizer: Any, response: str) -> None:
        self._tokens = tokenizer(text=response + "<|im_end|>", add_special_tokens=False)["input_ids"]

    async def generate(self, prompt: list[int], params: Any, multi_modal_data: Any = None) -> Any:
        said = SimpleNamespace(token_ids=self._tokens, text="", finish_reason="stop", logprobs=None)
        return SimpleNamespace(outputs=[said])


@pytest.fixture
def rollout(tokenizer_folder: Path) -> Callable[..., Any]:
    """`rollout(url, …)`: what OpenRLHF makes of one sample."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(tokenizer_folder)

    async def run(url: str, response: str = RESPONSE, label: str = LABEL, length: int = 8192) -> dict[str, Any]:
        executor = agent.SingleTurnAgentExecutor(url.split(","))
        params = SimpleNamespace(max_tokens=64, logprobs=None)
        return await executor.execute(PROMPT, label, params, length, tokenizer, Engine(tokenizer, response))

    return run


@pytest.fixture
def service(start_process: Callable[..., Any], annotations_file: Path) -> Any:
    return start_process("--annotations", str(annotations_file), "--workers", "1", environment={"api_key": KEY})


def remote(service: Any, key: str = KEY, options: str = "") -> str:
    return service.url.replace("http://", f"http://any:{key}@") + "/openrlhf" + options


async def test_a_rollout_gets_its_reward_and_its_components(service: Any, rollout: Callable[..., Any]):
    sample = await rollout(remote(service))
    assert sample["reward"] == [pytest.approx(1.7)]
    assert sample["scores"] == [1.0]
    assert sample["extra_logs"] == COMPONENTS


async def test_many_rollouts_at_once(service: Any, rollout: Callable[..., Any]):
    samples = await asyncio.gather(*(rollout(remote(service), f"AB = {n}.") for n in range(1, 65)))
    assert [sample["extra_logs"]["perception"] for sample in samples] == [
        [0.5 if n == 5 else 0.0] for n in range(1, 65)
    ]


async def test_a_prompt_that_was_cut_to_fit_costs_nothing(service: Any, rollout: Callable[..., Any]):
    sample = await rollout(remote(service), length=300)
    assert sample["extra_logs"] == COMPONENTS


async def test_several_servers_share_the_work(service: Any, rollout: Callable[..., Any]):
    sample = await rollout(f"{remote(service)},{remote(service)}")
    assert sample["reward"] == [pytest.approx(1.7)]


async def test_a_wrong_key_gives_no_reward_and_no_zero(service: Any, rollout: Callable[..., Any]):
    sample = await rollout(remote(service, key="wrong"))
    assert sample["reward"] is None
    assert sample["scores"] is None


async def test_a_judge_that_is_down_gives_no_reward_or_where_asked_one_that_is_filtered_out(
    judge: Any,
    start_process: Callable[..., Any],
    annotations_file: Path,
    tokenizer_folder: Path,
    rollout: Callable[..., Any],
):
    options = ("--judge-method", "paper", "--judge-tokenizer", str(tokenizer_folder), "--request-timeout", "3")
    down = start_process("--judge", f"openai:{judge.url}#m", "--annotations", str(annotations_file), *options)
    judge.stop()
    assert (await rollout(f"{down.url}/openrlhf"))["reward"] is None
    filtered = await rollout(f"{down.url}/openrlhf?on_missing=native")
    assert math.isnan(filtered["reward"][0])
    assert math.isnan(filtered["scores"][0])
    assert list(filtered["extra_logs"]) == list(COMPONENTS)


async def test_the_python_form_gives_the_same_and_nan_where_a_filter_drops_what_is_missing(
    service: Any, rollout: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("PERCEPTION_REWARD_URL", service.url)
    monkeypatch.setenv("PERCEPTION_REWARD_API_KEY", KEY)
    client_of.cache_clear()
    path = str(path_of("openrlhf"))
    samples = await asyncio.gather(*(rollout(path, response) for response in (RESPONSE, "AB = 5.")))
    assert [sample["reward"].tolist() for sample in samples] == [[pytest.approx(1.7)], [pytest.approx(0.35)]]
    assert samples[0]["scores"].tolist() == [1.0]
    assert samples[0]["extra_logs"]["perception"].tolist() == [1.0]
    unknown = json.dumps({"annotation_id": "unknown"})
    assert (await rollout(path, label=unknown))["reward"] is None
    monkeypatch.setenv("PERCEPTION_REWARD_DYNAMIC_FILTERING", "1")
    assert math.isnan((await rollout(path, label=unknown))["reward"][0])
    client_of().close()
    client_of.cache_clear()
