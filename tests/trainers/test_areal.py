"""AReaL's own workflows and executor of rollouts, whose rewards come from a real service."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.areal, pytest.mark.timeout(300), pytest.mark.filterwarnings("default")]

# `make test-areal AREAL_SOURCE=…` names a checkout: there is no package.
pytest.importorskip("areal")

import torch  # noqa: E402
import transformers  # noqa: E402
from areal.api import AsyncRewardWrapper, ModelResponse  # noqa: E402
from areal.api.cli_args import GenerationHyperparameters, InferenceEngineConfig  # noqa: E402
from areal.infra.remote_inf_engine import GroupedRolloutWorkflow  # noqa: E402
from areal.infra.workflow_executor import WorkflowExecutor  # noqa: E402
from areal.utils import logging  # noqa: E402
from areal.utils.dynamic_import import import_from_string  # noqa: E402
from areal.workflow.rlvr import RLVRWorkflow  # noqa: E402
from areal.workflow.vision_rlvr import VisionRLVRWorkflow  # noqa: E402
from PIL import Image  # noqa: E402

from perception_reward.trainer_client.errors import MissingScore, ServiceUnavailable  # noqa: E402
from perception_reward.trainer_client.trainers.columns import client_of  # noqa: E402
from perception_reward.trainer_client.trainers.listing import TRAINERS  # noqa: E402

PACKAGE = "perception_reward.trainer_client.trainers"
LINE = TRAINERS["areal"].line.format(package=PACKAGE)
REWARD_FN = f"{PACKAGE}.areal.reward_fn"
RESPONSE = "<think>\nAB = 5 and the angle ABC is 90°.\n</think>\n<answer>\n\\boxed{13}\n</answer>"
WAIT = 200.0


class Policy:
    """An engine that says what it is told to, the next text for each request. It and the processor are the only things
    here that are neither AReaL's nor ours."""

    def __init__(self, tokenizer: Any, texts: list[str]) -> None:
        self._tokenizer = tokenizer
        self._texts = iter(texts)

    async def agenerate(self, request: Any) -> Any:
        tokens = self._tokenizer.encode(next(self._texts) + "<|im_end|>")
        return ModelResponse(
            input_tokens=request.input_ids,
            output_tokens=tokens,
            output_logprobs=[0.0] * len(tokens),
            output_versions=[0] * len(tokens),
        )

    def get_version(self) -> int:
        return 0


@pytest.fixture(autouse=True)
def fresh_processes() -> Iterator[None]:
    """AReaL's pool outlives its wrappers for a while, and its processes have the environment of the test before."""
    yield
    # A wrapper that is collected while another is made waits for that for ever.
    gc.collect()
    for pool in AsyncRewardWrapper._executors.values():
        pool.shutdown()
    AsyncRewardWrapper._executors.clear()
    AsyncRewardWrapper._instance_counts.clear()


@pytest.fixture
def tokenizer(tokenizer_folder: Path) -> Any:
    return transformers.AutoTokenizer.from_pretrained(tokenizer_folder)


@pytest.fixture
def executed(tokenizer: Any) -> Iterator[Callable[..., list[Any]]]:
    """`executed(workflow, texts, …)`: the trajectories that AReaL makes of the policy's texts."""
    started: list[Any] = []

    def run(
        workflow: Any, texts: list[str], annotation: str | None = "triangle/1", episodes: int | None = None
    ) -> list[Any]:
        config = InferenceEngineConfig(consumer_batch_size=len(texts), max_head_offpolicyness=1)
        executor = WorkflowExecutor(config, Policy(tokenizer, texts))
        executor.initialize(logging.getLogger("test"))
        started.append(executor)
        for _ in range(episodes or len(texts)):
            executor.submit(row(annotation), workflow)
        return executor.wait(episodes or len(texts), timeout=WAIT)

    yield run
    for executor in started:
        executor.destroy()


def row(annotation: str | None) -> dict[str, Any]:
    messages = [{"role": "user", "content": "Find AC."}]
    named = {"problem_id": "triangle/1", "answer": "13"} if annotation is None else {"annotation_id": annotation}
    return {"messages": messages, "images": [Image.new("RGB", (28, 28))], **named}


def processor(images: Any, text: Any, padding: bool, return_tensors: str) -> dict[str, Any]:
    return {
        "input_ids": torch.tensor([[1, 2, 3]]),
        "mm_token_type_ids": torch.tensor([[0, 1, 0]]),
        "pixel_values": torch.zeros(4, 12),
    }


def made(workflow: str | type, tokenizer: Any, **options: Any) -> Any:
    kind = import_from_string(workflow) if isinstance(workflow, str) else workflow
    if issubclass(kind, VisionRLVRWorkflow):
        options["processor"] = processor
    return kind(gconfig=GenerationHyperparameters(), tokenizer=tokenizer, enable_thinking=False, **options)


def rewards(trajectories: list[Any]) -> list[float]:
    return sorted(round(value, 2) for one in trajectories for value in one["rewards"].tolist())


@pytest.mark.parametrize("kind", [RLVRWorkflow, VisionRLVRWorkflow])
def test_its_workflows_call_the_function_in_their_processes(
    keyed_service: Any, executed: Callable[..., Any], tokenizer: Any, kind: type
):
    told = executed(made(kind, tokenizer, reward_fn=REWARD_FN), [RESPONSE, "AB = 5.", "AB = 6."])
    assert rewards(told) == [0.0, 0.35, 1.7]


@pytest.mark.parametrize("name", ["PerceptionWorkflow", "VisionPerceptionWorkflow"])
def test_many_rollouts_of_our_workflows_at_once(
    keyed_service: Any, executed: Callable[..., Any], tokenizer: Any, name: str
):
    workflow = made(f"{PACKAGE}.areal_workflow.{name}", tokenizer)
    told = executed(workflow, [f"AB = {n}." for n in range(1, 65)])
    assert rewards(told) == [0.0] * 63 + [0.35]


def test_the_line_of_the_documentation_names_a_workflow(keyed_service: Any, tokenizer: Any):
    assert isinstance(made(LINE.split('"')[1], tokenizer), VisionRLVRWorkflow)


def test_our_workflow_is_not_made_for_a_service_that_is_not_there(tokenizer: Any, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PERCEPTION_REWARD_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("PERCEPTION_REWARD_START_WAIT", "0")
    client_of.cache_clear()
    with pytest.raises(ServiceUnavailable):
        made(LINE.split('"')[1], tokenizer)
    client_of.cache_clear()


def test_rows_without_facts_end_a_run_of_our_workflow_which_would_never_end(
    keyed_service: Any, executed: Callable[..., Any], tokenizer: Any
):
    workflow = made(f"{PACKAGE}.areal_workflow.PerceptionWorkflow", tokenizer)
    with pytest.raises(KeyboardInterrupt):
        executed(workflow, [RESPONSE] * 4, annotation=None)


def test_a_missing_score_of_the_function_is_no_zero_but_a_dropped_rollout(
    keyed_service: Any, executed: Callable[..., Any], tokenizer: Any
):
    workflow = made(RLVRWorkflow, tokenizer, reward_fn=REWARD_FN)
    assert executed(workflow, [RESPONSE], "unknown") == [None]


async def test_a_late_answer_is_an_error_of_the_function_before_areal_makes_it_zero(
    keyed_service: Any, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("PERCEPTION_REWARD_TIMEOUT", "2")
    ask = AsyncRewardWrapper(import_from_string(REWARD_FN), timeout_seconds=120, max_retries=0)
    assert await ask("?", RESPONSE, [], [], **row("triangle/1")) == pytest.approx(1.7)
    keyed_service.stop()
    with pytest.raises(MissingScore):
        await ask("?", "AB = 5.", [], [], **row("triangle/1"))


def test_our_workflow_leaves_what_is_missing_out_of_its_group(
    judge: Any, judged: Any, executed: Callable[..., Any], tokenizer: Any, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("PERCEPTION_REWARD_URL", judged.url)
    monkeypatch.setenv("PERCEPTION_REWARD_MISSING_LIMIT", "1")
    group = GroupedRolloutWorkflow(made(LINE.split('"')[1], tokenizer), 32, logging.getLogger("test"))
    # This judge says nothing of one response in five.
    (kept,) = executed(group, [f"AB = {n}." for n in range(1, 33)], episodes=1)
    assert 16 < len(kept["rewards"]) < 32
    judge.stop()
    assert executed(group, [f"BC = {n}." for n in range(1, 33)], episodes=1) == [None]
