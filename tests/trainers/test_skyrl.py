"""SkyRL's own registry and its own generator, whose rollouts get their reward from a real service."""

from __future__ import annotations

import json
import typing
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import typing_extensions

pytestmark = [pytest.mark.skyrl, pytest.mark.timeout(300), pytest.mark.filterwarnings("default")]

# `make test-skyrl SKYRL_SOURCE=…` names a checkout, with skyrl and skyrl_gym in it.
skyrl_gym = pytest.importorskip("skyrl_gym")
# SkyRL says it runs on Python 3.11, where pydantic refuses the TypedDict that it uses.
typing.TypedDict = typing_extensions.TypedDict
generators = pytest.importorskip("skyrl.train.generators.skyrl_gym_generator")
config = pytest.importorskip("skyrl.train.config")
transformers = pytest.importorskip("transformers")

from perception_reward.trainer_client.errors import MissingScore  # noqa: E402
from perception_reward.trainer_client.trainers.columns import MISSING  # noqa: E402
from perception_reward.trainer_client.trainers.listing import TRAINERS  # noqa: E402

RESPONSE = "<think>\nAB = 5 and the angle ABC is 90°.\n</think>\n<answer>\n\\boxed{13}\n</answer>"
PROMPT = [{"role": "user", "content": "Find AC."}]


class Engine:
    """A policy that says of figure n what it is told to. It is the only thing here that is not SkyRL's or ours."""

    def __init__(self, tokenizer: Any, responses: list[str]) -> None:
        self._tokenizer = tokenizer
        self._responses = responses

    async def generate(self, asked: Any, model: str | None = None) -> dict[str, Any]:
        prompts = [self._tokenizer.decode(tokens) for tokens in asked["prompt_token_ids"]]
        texts = [self._responses[int(prompt.split("#")[1].split()[0])] + "<|im_end|>" for prompt in prompts]
        tokens = [self._tokenizer.encode(text) for text in texts]
        return {"responses": texts, "response_ids": tokens, "stop_reasons": ["stop"] * len(texts)}

    async def finish_session(self, session: str) -> None:
        pass


@pytest.fixture(autouse=True)
def registered() -> Iterator[None]:
    """The line of the documentation."""
    package = "perception_reward.trainer_client.trainers"
    exec(TRAINERS["skyrl"].line.format(package=package), {"register": skyrl_gym.register})
    yield
    skyrl_gym.envs.registration.deregister("perception")


@pytest.fixture
def rollouts(tokenizer_folder: Path) -> Callable[..., Any]:
    """`rollouts(responses, …)`: what SkyRL makes of them."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(tokenizer_folder)

    async def run(responses: list[str], annotation: str = "triangle/1", batched: bool = False) -> dict[str, Any]:
        made = generators.SkyRLGymGenerator(
            generator_cfg=config.GeneratorConfig(batched=batched, max_input_length=512),
            skyrl_gym_cfg=config.SkyRLGymConfig(),
            inference_engine_client=Engine(tokenizer, responses),
            tokenizer=tokenizer,
        )
        asked = {
            "prompts": [[{"role": "user", "content": f"Figure # {n} shows what?"}] for n in range(len(responses))],
            "env_classes": ["perception"] * len(responses),
            "env_extras": [extras(annotation) for _ in responses],
        }
        try:
            return await made.generate(asked, disable_tqdm=True)
        finally:
            made.env_executor.shutdown()

    return run


def extras(annotation: str) -> dict[str, Any]:
    """A row's columns, as SkyRL hands them to the environment."""
    truth = {"annotation_id": annotation}
    return {"data_source": "geometry", "reward_spec": {"method": "rule", "ground_truth": json.dumps(truth)}}


def test_an_environment_made_by_its_name_ends_with_the_reward(keyed_service: Any):
    environment = skyrl_gym.make("perception", env_config={}, extras=extras("triangle/1"))
    assert environment.init(PROMPT)[0] == PROMPT
    step = environment.step(RESPONSE)
    assert step["done"]
    assert step["observations"] == []
    assert step["reward"] == pytest.approx(1.7)
    assert step["metadata"]["perception"] == 1.0
    assert environment.get_metrics() == {
        "acc": 1.0,
        "format": 1.0,
        "perception": 1.0,
        "repetition": 0.0,
        **dict.fromkeys(MISSING, 0.0),
    }


@pytest.mark.parametrize("batched", [False, True], ids=["agent-loops", "batched"])
async def test_each_rollout_gets_its_reward_at_its_last_token_and_the_components_are_logged(
    keyed_service: Any, rollouts: Callable[..., Any], batched: bool
):
    told = await rollouts([RESPONSE, "AB = 5.", "AB = 6."], batched=batched)
    sums = [reward if batched else sum(reward) for reward in told["rewards"]]
    assert sums == [pytest.approx(1.7), pytest.approx(0.35), pytest.approx(0.0)]
    if not batched:
        assert [reward[-1] for reward in told["rewards"]] == sums
    metrics = told["rollout_metrics"]
    assert metrics["environment/perception"] == pytest.approx(0.5)
    assert metrics["environment/acc"] == pytest.approx(1 / 3)
    assert metrics["environment/missing"] == 0.0


async def test_many_rollouts_at_once(keyed_service: Any, rollouts: Callable[..., Any]):
    told = await rollouts([f"AB = {n}." for n in range(1, 65)])
    assert [round(sum(reward), 2) for reward in told["rewards"]] == [0.35 if n == 5 else 0.0 for n in range(1, 65)]


async def test_a_missing_score_is_an_error_and_no_zero(keyed_service: Any, rollouts: Callable[..., Any]):
    with pytest.raises(MissingScore, match="unknown"):
        await rollouts([RESPONSE], annotation="unknown")
