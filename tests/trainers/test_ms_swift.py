"""ms-swift loading our plugin and computing rewards with it, against a real service."""

from __future__ import annotations

import math
import sys
from types import SimpleNamespace
from typing import Any

import pytest

pytestmark = [pytest.mark.ms_swift, pytest.mark.timeout(600), pytest.mark.filterwarnings("default")]

pytest.importorskip("swift")
torch = pytest.importorskip("torch")

from swift.rewards.orm import orms  # noqa: E402
from swift.rl_core.data import GRPOSample  # noqa: E402
from swift.rl_core.grpo_algorithm import compute_rewards_per_func  # noqa: E402
from swift.utils import import_external_file  # noqa: E402

from perception_reward.trainer_client.trainers.columns import client_of  # noqa: E402
from perception_reward.trainer_client.trainers.listing import path_of  # noqa: E402

GOOD = "<think>\nAB = 5 and the angle ABC is 90°.\n</think>\n<answer>\n\\boxed{13}\n</answer>"


@pytest.fixture(autouse=True)
def _at(served: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("PERCEPTION_REWARD_URL", served)
    client_of.cache_clear()
    yield
    client_of().close()
    client_of.cache_clear()


def samples(annotation_ids: list[str], texts: list[str]) -> list[Any]:
    return [
        GRPOSample(
            messages=[{"role": "user", "content": "Find AC."}, {"role": "assistant", "content": text}],
            extra={"annotation_id": name, "solution": "13"},
        )
        for name, text in zip(annotation_ids, texts, strict=True)
    ]


@pytest.mark.parametrize("name", ["perception_reward", "perception_reward_sync"])
@pytest.mark.parametrize(("scale", "mean"), [("group", pytest.approx(0.85)), ("gdpo", None)])
def test_a_plugin_gives_one_reward_per_completion(name: str, scale: str, mean: Any) -> None:
    import_external_file(str(path_of("ms-swift")))
    reward = orms[name](args=SimpleNamespace(scale_rewards=scale))
    batch = samples(["triangle/1", "triangle/1", "unknown"], [GOOD, "No idea.", GOOD])
    found = (
        compute_rewards_per_func(batch, [reward], [None], torch.device("cpu"), SimpleNamespace(global_step=3))
        .flatten()
        .tolist()
    )
    assert found[:2] == [pytest.approx(1.7), 0.0]
    assert math.isnan(found[2]) if mean is None else found[2] == mean


def test_the_plugin_hides_no_module_of_others() -> None:
    import_external_file(str(path_of("ms-swift")))
    import trl

    assert "perception_reward" not in str(trl.__file__)
    assert sys.path[0].endswith("swift")
