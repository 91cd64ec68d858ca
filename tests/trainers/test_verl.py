"""verl's own reward workers, on CPU, with our function and our manager against a real service."""

from __future__ import annotations

import asyncio
import math
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.verl, pytest.mark.timeout(600), pytest.mark.filterwarnings("default")]

pytest.importorskip("verl")
hydra = pytest.importorskip("hydra")
numpy = pytest.importorskip("numpy")
ray = pytest.importorskip("ray")
torch = pytest.importorskip("torch")

from tensordict import TensorDict  # noqa: E402
from verl import DataProto  # noqa: E402
from verl.experimental.reward_loop.reward_loop import RewardLoopManager, RewardLoopWorker  # noqa: E402

from perception_reward.trainer_client.errors import DataError, MissingScore, ServiceUnavailable  # noqa: E402
from perception_reward.trainer_client.trainers.columns import MISSING, client_of  # noqa: E402

GOOD = "<think>\nAB = 5 and the angle ABC is 90°.\n</think>\n<answer>\n\\boxed{13}\n</answer>"
BAD = "No idea."
FUNCTION = {
    "reward.custom_reward_function.path": "pkg://perception_reward.trainer_client.trainers.verl",
}
MANAGER = {
    "reward.reward_manager.source": "importlib",
    "reward.reward_manager.name": "PerceptionRewardManager",
    "reward.reward_manager.module.path": "pkg://perception_reward.trainer_client.trainers.verl_manager",
}


@pytest.fixture(scope="module")
def tokenizer_path(make_tokenizer: Any) -> str:
    return str(make_tokenizer())


def configuration(tokenizer_path: str, overrides: dict[str, str]) -> Any:
    import verl

    folder = os.path.join(os.path.dirname(verl.__file__), "trainer", "config")
    options = {"actor_rollout_ref.model.path": tokenizer_path, "reward.num_workers": 2} | overrides
    with hydra.initialize_config_dir(config_dir=folder, version_base=None):
        return hydra.compose(config_name="ppo_trainer", overrides=[f"{key}={value}" for key, value in options.items()])


def batch_of(tokenizer_path: str, responses: list[str], annotation_ids: list[str]) -> Any:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(tokenizer_path)
    tokens = [tokenizer.encode(text, add_special_tokens=False) for text in responses]
    longest = max(map(len, tokens))
    padded = torch.tensor([ids + [0] * (longest - len(ids)) for ids in tokens])
    kept = torch.tensor([[1] * len(ids) + [0] * (longest - len(ids)) for ids in tokens])
    prompts = torch.ones(len(tokens), 2, dtype=torch.long)
    columns = {
        "data_source": ["geometry"] * len(tokens),
        "uid": ["prompt-0"] * len(tokens),
        "global_steps": [7] * len(tokens),
        "reward_model": [{"ground_truth": "13", "style": "rule"}] * len(tokens),
        "extra_info": [{"annotation_id": name, "index": 0, "images": [object()]} for name in annotation_ids],
    }
    return DataProto(
        batch=TensorDict(
            {"prompts": prompts, "responses": padded, "attention_mask": torch.cat([prompts, kept], dim=1)},
            batch_size=len(tokens),
        ),
        non_tensor_batch={name: numpy.array(values, dtype=object) for name, values in columns.items()},
    )


@pytest.fixture
def at(served: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """One line in the configuration is enough: the rest is in the environment."""
    monkeypatch.setenv("PERCEPTION_REWARD_URL", served)


@pytest.mark.usefixtures("at")
@pytest.mark.parametrize("overrides", [FUNCTION, MANAGER], ids=["function", "manager"])
def test_a_reward_worker_scores_each_sample_and_logs_the_same_keys(
    tokenizer_path: str, overrides: dict[str, str]
) -> None:
    worker = RewardLoopWorker(configuration(tokenizer_path, overrides))
    data = batch_of(tokenizer_path, [GOOD, BAD] * 8, ["triangle/1"] * 16)
    outputs = worker.loop.run_until_complete(worker.compute_score_batch(data))
    assert [output["reward_score"] for output in outputs] == [pytest.approx(1.7), 0.0] * 8
    keys = {tuple(sorted(output["reward_extra_info"])) for output in outputs}
    assert keys == {tuple(sorted(("acc", "format", "perception", "repetition", "score", *MISSING)))}
    assert outputs[0]["reward_extra_info"]["perception"] == 1.0


@pytest.mark.usefixtures("at")
@pytest.mark.parametrize("overrides", [FUNCTION, MANAGER], ids=["function", "manager"])
def test_a_missing_score_fails_that_sample_alone(tokenizer_path: str, overrides: dict[str, str]) -> None:
    worker = RewardLoopWorker(configuration(tokenizer_path, overrides))
    data = batch_of(tokenizer_path, [GOOD, GOOD], ["unknown", "triangle/1"])

    async def both() -> list[Any]:
        jobs = [worker.compute_score(data[index : index + 1]) for index in range(2)]
        return await asyncio.gather(*jobs, return_exceptions=True)

    missing, good = worker.loop.run_until_complete(both())
    assert isinstance(missing, MissingScore)
    assert good["reward_score"] == pytest.approx(1.7)


@pytest.mark.usefixtures("at")
@pytest.mark.parametrize("overrides", [FUNCTION, MANAGER], ids=["function", "manager"])
def test_a_misspelt_field_fails_every_sample(tokenizer_path: str, overrides: dict[str, str]) -> None:
    # The function keeps one client for a whole process, which may have seen facts.
    client_of.cache_clear()
    worker = RewardLoopWorker(configuration(tokenizer_path, overrides))
    data = batch_of(tokenizer_path, [GOOD] * 4, ["triangle/1"] * 4)
    for extra in data.non_tensor_batch["extra_info"]:
        extra["problem_id"] = extra.pop("annotation_id")

    async def all_of_them() -> list[Any]:
        jobs = [worker.compute_score(data[index : index + 1]) for index in range(4)]
        return await asyncio.gather(*jobs, return_exceptions=True)

    errors = worker.loop.run_until_complete(all_of_them())
    assert [type(error) for error in errors] == [DataError] * 4
    assert "extra_info.problem_id -> annotation_id" in str(errors[0])


@pytest.mark.parametrize("overrides", [FUNCTION, MANAGER], ids=["function", "manager"])
def test_a_worker_is_not_made_for_a_service_that_is_not_there(
    tokenizer_path: str, overrides: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PERCEPTION_REWARD_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("PERCEPTION_REWARD_START_WAIT", "0")
    # As in a worker of its own, which loads the module anew.
    client_of.cache_clear()
    monkeypatch.delitem(sys.modules, "perception_reward.trainer_client.trainers.verl", raising=False)
    with pytest.raises(ServiceUnavailable, match=r"127\.0\.0\.1:9"):
        RewardLoopWorker(configuration(tokenizer_path, overrides))
    client_of.cache_clear()


@pytest.fixture(scope="module")
def cluster(served: str) -> Iterator[None]:
    environment = {"RAY_AUTH_MODE": "disabled", "PERCEPTION_REWARD_URL": served}
    os.environ["RAY_AUTH_MODE"] = "disabled"
    ray.init(
        num_cpus=2,
        include_dashboard=False,
        runtime_env={"env_vars": environment},
        object_store_memory=100 << 20,
        log_to_driver=False,
    )
    yield
    ray.shutdown()


@pytest.mark.usefixtures("cluster")
@pytest.mark.parametrize("overrides", [FUNCTION, MANAGER], ids=["function", "manager"])
def test_the_reward_loop_manager_spreads_a_batch_over_ray_workers(
    tokenizer_path: str, overrides: dict[str, str]
) -> None:
    manager = RewardLoopManager(configuration(tokenizer_path, overrides))
    found = manager.compute_rm_score(batch_of(tokenizer_path, [GOOD, BAD, GOOD], ["triangle/1"] * 3))
    assert found.batch["rm_scores"].sum(dim=1).tolist() == [pytest.approx(1.7), 0.0, pytest.approx(1.7)]
    assert found.non_tensor_batch["perception"].tolist() == [1.0, 0.0, 1.0]
    for worker in manager.reward_loop_workers:
        ray.kill(worker)


@pytest.mark.usefixtures("at")
def test_the_older_batch_manager_gives_the_mean_of_the_group_for_what_is_missing(tokenizer_path: str) -> None:
    from transformers import AutoTokenizer
    from verl.utils.import_utils import load_extern_object
    from verl.workers.reward_manager.batch import BatchRewardManager

    file = Path(__file__).parents[2] / "trainer_client" / "trainers" / "verl.py"
    function = load_extern_object(module_path=str(file), object_name="compute_score_batch")
    manager = BatchRewardManager(AutoTokenizer.from_pretrained(tokenizer_path), 0, function)
    data = batch_of(tokenizer_path, [GOOD, BAD, GOOD], ["triangle/1", "triangle/1", "unknown"])
    found = manager(data, return_dict=True)
    assert found["reward_tensor"].sum(dim=1).tolist() == [pytest.approx(1.7), 0.0, pytest.approx(0.85)]
    assert found["reward_extra_info"]["missing"] == [0.0, 0.0, 1.0]
    assert math.isnan(found["reward_extra_info"]["perception"][2])


def test_the_rollouts_that_verl_dumps_are_read_as_its_layout(tmp_path: Path, score_files: Any) -> None:
    from verl.trainer.ppo.ray_trainer import RayPPOTrainer

    trainer = RayPPOTrainer.__new__(RayPPOTrainer)
    trainer._init_dump_executor()
    for trainer.global_steps in (2, 10):
        trainer._dump_generations(
            inputs=["user\nAC?\nassistant\n"] * 2,
            outputs=[GOOD, BAD],
            gts=["13", "13"],
            scores=[1.0, 0.0],
            reward_extra_infos_dict={"annotation_id": ["triangle/1", "triangle/1"]},
            dump_path=str(tmp_path / "dump"),
        )
    trainer._shutdown_dump_executor()
    told, results = score_files(tmp_path / "dump")
    assert "verl: annotation_id, response from output, answer from gts, step, prompt from input (2 files)" in told
    assert [one["step"] for one in results] == [2, 2, 10, 10]
    assert [one["components"]["accuracy"] for one in results] == [1.0, 0.0, 1.0, 0.0]
    assert {one["reason"] for one in results} == {"unknown_annotation"}
