"""slime's own `remote_rm` and its dynamic-sampling filter, against `/slime` of a real service."""

from __future__ import annotations

import json
import math
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

pytestmark = [pytest.mark.slime, pytest.mark.timeout(300), pytest.mark.filterwarnings("default")]

# The package of this name on PyPI is another one: `make test-slime SLIME_SOURCE=…` names a checkout.
rm_hub = pytest.importorskip("slime.rollout.rm_hub")
filters = pytest.importorskip("slime.rollout.filter_hub.dynamic_sampling_filters")
types = pytest.importorskip("slime.utils.types")

KEY = "s3cret-key"
RESPONSE = "<think>\nAB = 5 and the angle ABC is 90°.\n</think>\n<answer>\n\\boxed{13}\n</answer>"


def sample(response: str = RESPONSE) -> Any:
    label = json.dumps({"annotation_id": "triangle/1"})
    return types.Sample(prompt="<|im_start|>user\nFind AC.<|im_end|>\n", response=response + "<|im_end|>", label=label)


def arguments(url: str, reward_key: str | None = None) -> Any:
    return SimpleNamespace(rm_type="remote_rm", rm_url=url, custom_rm_path=None, reward_key=reward_key)


@pytest.fixture(autouse=True)
async def session() -> AsyncIterator[None]:
    """slime keeps one session for a process, and each test has a loop of its own."""
    yield
    await rm_hub._get_shared_session().close()


@pytest.fixture
def url(start_process: Callable[..., Any], annotations_file: Path) -> str:
    options = ("--annotations", str(annotations_file), "--workers", "1")
    service = start_process(*options, environment={"api_key": KEY})
    return service.url.replace("http://", f"http://any:{KEY}@") + "/slime"


async def test_a_sample_gets_its_reward(url: str):
    assert await rm_hub.async_rm(arguments(url), sample()) == pytest.approx(1.7)


async def test_a_reward_key_picks_the_score_among_the_components(url: str):
    args, one = arguments(url + "?reply=components", reward_key="score"), sample()
    one.reward = await rm_hub.async_rm(args, one)
    assert one.get_reward_value(args) == pytest.approx(1.7)
    assert one.reward["perception"] == 1.0


async def test_a_group_is_scored_at_once_and_kept_for_its_differences(url: str):
    args, group = arguments(url), [sample(f"AB = {n}.") for n in range(1, 33)]
    rewards = await rm_hub.batched_async_rm(args, group)
    assert [round(reward, 2) for reward in rewards] == [0.35 if n == 5 else 0.0 for n in range(1, 33)]
    for one, reward in zip(group, rewards, strict=True):
        one.reward = reward
    assert filters.check_reward_nonzero_std(args, group).keep


@pytest.fixture
def down(judge: Any, start_process: Callable[..., Any], annotations_file: Path, tokenizer_folder: Path) -> Any:
    """A service whose judge has gone."""
    options = ("--judge-method", "paper", "--judge-tokenizer", str(tokenizer_folder), "--request-timeout", "3")
    service = start_process("--judge", f"openai:{judge.url}#m", "--annotations", str(annotations_file), *options)
    judge.stop()
    return service


async def test_a_missing_score_is_an_error_that_slime_tries_again_and_then_raises(down: Any):
    with pytest.raises(Exception, match=r"50[34]"):
        await rm_hub.remote_rm(arguments(f"{down.url}/slime"), sample(), max_retries=2)


async def test_where_asked_a_group_with_a_missing_score_is_dropped_by_slimes_filter(down: Any, url: str):
    group = [sample("AB = 5."), sample("AB = 6."), sample("AB = 7.")]
    for one in group[:2]:
        one.reward = await rm_hub.async_rm(arguments(url), one)
    assert filters.check_reward_nonzero_std(arguments(url), group[:2]).keep
    group[2].reward = await rm_hub.async_rm(arguments(f"{down.url}/slime?on_missing=native"), group[2])
    assert math.isnan(group[2].reward)
    assert not filters.check_reward_nonzero_std(arguments(url), group).keep
