"""ROLL's own cluster, reward scheduler and query filter on Ray, with our reward worker beside a real service."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

pytestmark = [pytest.mark.roll, pytest.mark.timeout(300), pytest.mark.filterwarnings("default")]

# `make test-roll ROLL_SOURCE=…` names a checkout: there is no package.
ray = pytest.importorskip("ray")
pytest.importorskip("roll.distributed.executor.cluster")

import torch  # noqa: E402
import transformers  # noqa: E402
from roll.configs import ModelArguments  # noqa: E402
from roll.distributed.executor.cluster import Cluster  # noqa: E402
from roll.distributed.scheduler.protocol import DataProto  # noqa: E402
from roll.distributed.scheduler.resource_manager import ResourceManager  # noqa: E402
from roll.distributed.scheduler.reward_scheduler import RewardScheduler  # noqa: E402
from roll.distributed.scheduler.user_defined_rollout_loop import query_filter  # noqa: E402
from roll.pipeline.rlvr.rlvr_config import RewardConfig, RewardFilterConfig  # noqa: E402
from roll.utils.import_utils import safe_import_class  # noqa: E402

from perception_reward.trainer_client.errors import MissingScore  # noqa: E402
from perception_reward.trainer_client.options import ENVIRONMENT_PREFIX  # noqa: E402
from perception_reward.trainer_client.trainers.columns import MISSING  # noqa: E402
from perception_reward.trainer_client.trainers.listing import TRAINERS  # noqa: E402

RESPONSE = "<think>\nAB = 5 and the angle ABC is 90°.\n</think>\n<answer>\n\\boxed{13}\n</answer>"
WORKER = TRAINERS["roll"].line.removeprefix("worker_cls: ").format(package="perception_reward.trainer_client.trainers")


# Of clusters: the name of a worker that was killed is taken for some time.
NUMBERS = itertools.count()


@pytest.fixture(scope="module")
def resources() -> Iterator[Any]:
    """One for all tests, as a pipeline has one: it keeps the node's CPUs, and a second one would wait for them."""
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, object_store_memory=100 << 20)
    yield ResourceManager(0, 1)
    ray.shutdown()


@pytest.fixture
def start_cluster(resources: Any, tokenizer_folder: Path) -> Iterator[Callable[[], Any]]:
    """`start_cluster()`: ROLL's cluster of one reward worker, with the client's options of this moment."""
    started: list[Any] = []

    def start() -> Any:
        options = {name: value for name, value in os.environ.items() if name.startswith(ENVIRONMENT_PREFIX)}
        config = RewardConfig(
            name=f"reward-perception-{next(NUMBERS)}",
            worker_cls=WORKER,
            model_args=ModelArguments(model_name_or_path=str(tokenizer_folder), dtype="fp32"),
            world_size=1,
            system_envs={"PYTHONPATH": os.environ["PYTHONPATH"], **options},
        )
        started.append(Cluster(config.name, config.worker_cls, resources, config))
        started[-1].initialize(pipeline_config=None, blocking=True)
        return started[-1]

    yield start
    for cluster in started:
        for worker in cluster.workers:
            ray.kill(worker)


@pytest.fixture
def responses(tokenizer_folder: Path) -> Callable[..., Any]:
    """`responses(texts)`: a prompt's responses as ROLL has them after generation."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(tokenizer_folder)

    def made(texts: list[str], annotation: str = "triangle/1") -> Any:
        tokens = [tokenizer.encode(text + "<|im_end|>") for text in texts]
        longest = max(map(len, tokens))
        end = tokenizer.convert_tokens_to_ids("<|endoftext|>")
        padded = torch.tensor([row + [end] * (longest - len(row)) for row in tokens])
        truths = [json.dumps({"annotation_id": annotation})] * len(texts)
        columns = {"ground_truth": truths, "domain": ["perception"] * len(texts)}
        return DataProto.from_dict(tensors={"responses": padded, "prompts": padded[:, :1]}, non_tensors=columns)

    return made


@pytest.fixture
def lone_worker(keyed_service: Any, tokenizer_folder: Path) -> Any:
    """A worker without its cluster, made without its `__init__`, which asks Ray for a port."""
    worker = object.__new__(safe_import_class(WORKER))
    worker.tokenizer = transformers.AutoTokenizer.from_pretrained(tokenizer_folder)
    return worker


async def test_a_worker_without_its_cluster_scores_what_it_is_handed(lone_worker: Any, responses: Callable[..., Any]):
    told = await lone_worker.compute_rewards(responses([RESPONSE, "AB = 5.", "AB = 6."]))
    assert told.batch["response_level_rewards"].tolist() == pytest.approx([1.7, 0.35, 0.0])
    assert told.batch["scores"].tolist() == [1.0, 0.0, 0.0]
    assert told.meta_info["metrics"]["perception"] == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("wanted", "several", "alone"), [("native", None, None), ("group_mean", 0.0, None), ("zero", 0.0, 0.0)]
)
async def test_a_call_without_any_score_is_an_error_unless_its_responses_are_to_be_alike(
    lone_worker: Any,
    responses: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
    wanted: str,
    several: float | None,
    alone: float | None,
):
    monkeypatch.setenv("PERCEPTION_REWARD_ON_MISSING", wanted)
    for texts, reward in [(["AB = 5.", "AB = 6."], several), (["AB = 5."], alone)]:
        asked = responses(texts, "unknown")
        if reward is None:
            with pytest.raises(MissingScore):
                await lone_worker.compute_rewards(asked)
        else:
            told = await lone_worker.compute_rewards(asked)
            assert told.batch["response_level_rewards"].tolist() == [reward] * len(texts)


async def test_a_prompts_responses_get_their_rewards_and_pass_roll_s_filter(
    keyed_service: Any, start_cluster: Callable[[], Any], responses: Callable[..., Any]
):
    cluster, asked = start_cluster(), responses([RESPONSE, "AB = 5.", "AB = 6."])
    # As its rollout context calls a worker.
    told = await cluster.workers[0].compute_rewards.remote(asked)
    assert told.batch["response_level_rewards"].tolist() == pytest.approx([1.7, 0.35, 0.0])
    assert told.batch["scores"].tolist() == [1.0, 0.0, 0.0]
    assert told.meta_info["metrics"] == pytest.approx(
        {"acc": 1 / 3, "format": 1 / 3, "perception": 0.5, "repetition": 0.0, **dict.fromkeys(MISSING, 0.0)}
    )
    asked.union(told)
    filtering = RewardFilterConfig(type="std_filter", filter_args={"std_threshold": 0.1})
    config = SimpleNamespace(rewards={"perception": SimpleNamespace(query_filter_config=filtering)})
    assert query_filter([asked[[0]], asked[[1]]], config)
    assert not query_filter([asked[[1]], asked[[1]]], config)


async def test_many_prompts_at_once_by_one_worker(
    keyed_service: Any, start_cluster: Callable[[], Any], responses: Callable[..., Any]
):
    worker = start_cluster().workers[0]
    told = await asyncio.gather(*(worker.compute_rewards.remote(responses([f"AB = {n}."])) for n in range(1, 33)))
    assert [round(one.batch["response_level_rewards"].item(), 2) for one in told] == [
        0.35 if n == 5 else 0.0 for n in range(1, 33)
    ]


async def test_the_reward_scheduler_gives_a_whole_batch_its_rewards_in_order(
    keyed_service: Any, start_cluster: Callable[[], Any], responses: Callable[..., Any]
):
    clusters = {"perception": start_cluster()}
    asked = responses(["AB = 6.", RESPONSE, "AB = 5."])
    told = await RewardScheduler().compute_rewards(asked, clusters, pipeline_config=None)
    assert told.batch["response_level_rewards"].tolist() == pytest.approx([0.0, 1.7, 0.35])


async def test_a_missing_score_is_the_mean_of_the_others_and_an_error_where_there_are_none(
    judge: Any,
    judged: Any,
    start_cluster: Callable[[], Any],
    responses: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setenv("PERCEPTION_REWARD_URL", judged.url)
    monkeypatch.setenv("PERCEPTION_REWARD_MISSING_LIMIT", "1")
    worker = start_cluster().workers[0]
    # This judge says nothing of one response in five.
    told = await worker.compute_rewards.remote(responses([f"AB = {n}." for n in range(1, 33)]))
    missing = told.meta_info["metrics"]["missing"]
    assert 0 < missing < 0.5
    assert not told.batch["response_level_rewards"].isnan().any()
    judge.stop()
    with pytest.raises(Exception, match="MissingScore"):
        await worker.compute_rewards.remote(responses(["BC = 1.", "BC = 2."]))
