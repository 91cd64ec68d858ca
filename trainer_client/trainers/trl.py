"""TRL (1.0 or later): `GRPOTrainer`, `RLOOTrainer`, the experimental `AsyncGRPOTrainer`, and Unsloth on top of them.

    trl grpo --reward_funcs perception_reward.trainer_client.trainers.trl.reward …

    from perception_reward.trainer_client.trainers.trl import reward
    GRPOTrainer(model, reward_funcs=reward, …)                     # options from PERCEPTION_REWARD_* variables
    GRPOTrainer(model, reward_funcs=configured("http://rewards:8420", run="geo3k-7b"), …)

The data set needs a column `annotation_id`, or `facts`; `answer` (or `solution`) replaces the annotation's. Rows
without any of them belong to another reward function and get None; where none names facts, the first batch is an error
(`require_facts`). One number per completion comes back; its components, and the share of missing scores and of each
reason, appear in the log as `perception_reward/…`, and with each completion where completions are logged.

The service is asked whether it can be used when a trainer is made, or by `configured(…)`: before the first rollout.

A missing score is None, which TRL leaves out of the group's statistics from version 1.6 on. Before, TRL took it for 0:
there, `native` is `group_mean`, and of a group that is spread over processes each sees its own part alone.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Hashable, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from perception_reward.trainer_client.client import RewardClient
from perception_reward.trainer_client.missing import COMPONENTS, resolve
from perception_reward.trainer_client.options import Policy
from perception_reward.trainer_client.trainers.columns import MISSING, missing_of
from perception_reward.trainer_client.trainers.completions import said, text_of
from perception_reward.trainer_client.trainers.problems import (
    NAMES,
    NESTED,
    TRUTHS,
    Fields,
    asked_rows,
    first_row,
    group_of,
    names_in,
    no_problem,
    problem_of,
)
from perception_reward.trainer_client.wire import ItemResult

NAME = "perception_reward"

# What TRL hands over beside the data set's columns.
TRL_COLUMNS = frozenset({"completion_ids", "environments"})

# The first release that leaves a completion without any reward out of its group's mean.
EXCLUDES_NONE = (1, 6)
# The first in which a process may log a metric that others have no value for. Before, it waited for them for ever.
JOINS_METRICS = (1, 14)


class Reward:
    """A reward function for TRL: one reward per completion, or None. It can be pickled.

    TRL asks a reward function for its name when a trainer is made. That is the moment before the first rollout, and so
    the one to ask the service whether it can be used: once, in each process that makes a trainer.
    """

    def __init__(self, client: RewardClient | None = None) -> None:
        self._client = client

    @property
    def __name__(self) -> str:
        """What the reward is called in TRL's log. `RewardError` where the service cannot be used."""
        self.client.check_sync()
        return NAME

    @property
    def client(self) -> RewardClient:
        """Its own, else the one that the environment of this process describes."""
        return self._client or environment_client()

    def __call__(self, prompts: Sequence[Any], completions: Sequence[Any], **columns: Any) -> Any:
        """TRL's call. columns: those of the data set, and what TRL adds to them."""
        self.client.check_sync()
        asked = _asked(self.client, prompts, completions, columns)
        results = self.client.score_sync([item for _, item in asked], step=_step(columns)) if asked else []
        return _rewards(self.client, len(completions), asked, results, columns)

    def __reduce__(self) -> Any:
        # Those of this module are found here by whoever gets them, and have the environment of their own process.
        return (type(self), (self._client,)) if self._client else _GLOBALS[type(self)]


class AsyncReward(Reward):
    """`Reward`, awaited: it runs beside other asynchronous reward functions."""

    def __init__(self, client: RewardClient | None = None) -> None:
        super().__init__(client)
        # By these `inspect` takes an object for a function that is awaited; TRL asks it, and before 1.16 it alone.
        self.__code__ = type(self).__call__.__code__
        self.__defaults__ = self.__kwdefaults__ = None
        self.__annotations__ = {}

    async def __call__(self, prompts: Sequence[Any], completions: Sequence[Any], **columns: Any) -> list[float | None]:
        await self.client.check()
        asked = _asked(self.client, prompts, completions, columns)
        results = await self.client.score([item for _, item in asked], step=_step(columns)) if asked else []
        return _rewards(self.client, len(completions), asked, results, columns)


reward, async_reward = Reward(), AsyncReward()
_GLOBALS: dict[type[Reward], str] = {Reward: "reward", AsyncReward: "async_reward"}


def configured(base_url: str | Sequence[str] | None = None, *, asynchronous: bool = False, **options: Any) -> Reward:
    """`reward` (or `async_reward`) with a client of its own; the options are those of `RewardClient`.

    Raises `RewardError` where the service cannot be used, unless `check=False`.
    """
    client = RewardClient(base_url, **options)
    client.check_sync()
    return AsyncReward(client) if asynchronous else Reward(client)


@functools.cache
def environment_client() -> RewardClient:
    """The client of this process that the environment describes."""
    return RewardClient()


def _asked(
    client: RewardClient, prompts: Sequence[Any], completions: Sequence[Any], columns: dict[str, Any]
) -> list[tuple[int, Fields]]:
    """The items to score, each with its place among `completions`."""
    found: list[tuple[int, Fields]] = []
    for index, row in enumerate(asked_rows(columns, len(completions))):
        problem = problem_of(row)
        if problem:
            found.append((index, {**problem, "group": group_of(problem, _told(prompts[index]))}))
    # A batch may hold rows of other tasks alone; a data set without the columns is a mistake.
    if completions and not found and not columns.keys() & {*NAMES, *NESTED, *TRUTHS}:
        raise no_problem("the data set", _names(columns, len(completions)))
    client.facts.rows([item for _, item in found], lambda: _names(columns, len(completions)))
    return [(index, {**item, **said(completions[index], _templated(prompts[index], columns))}) for index, item in found]


def _names(columns: dict[str, Any], count: int) -> list[str]:
    """What the data set's columns are called."""
    return [name for name in names_in(first_row(columns, count)) if name not in TRL_COLUMNS]


def _told(prompt: Any) -> str:
    """What tells a prompt from others in one batch."""
    if isinstance(prompt, str):
        return prompt
    return "\n".join(text_of([{**message, "role": "assistant"}]) for message in prompt)


def _templated(prompt: Any, columns: Mapping[str, Any]) -> str | None:
    """The prompt as the policy saw it; None where only its messages are known.

    Messages go through the template of the trainer, whose method `log_metric` is. It is only looked at for the thought
    that it may open: one that cannot be rendered here tells nothing.
    """
    if isinstance(prompt, str):
        return prompt
    trainer = getattr(columns.get("log_metric"), "__self__", None)
    render = getattr(getattr(trainer, "processing_class", None), "apply_chat_template", None)
    if render is None:
        return None
    settings: dict[str, Any] = getattr(trainer, "chat_template_kwargs", None) or {}
    template = getattr(trainer, "chat_template", None)
    try:
        return render(prompt, chat_template=template, tokenize=False, add_generation_prompt=True, **settings)
    except Exception:
        return None


def _step(columns: dict[str, Any]) -> int | None:
    state = columns.get("trainer_state")
    return getattr(state, "global_step", None)


def _rewards(
    client: RewardClient,
    count: int,
    asked: Sequence[tuple[int, Fields]],
    results: Sequence[ItemResult],
    columns: dict[str, Any],
) -> list[float | None]:
    groups: list[Hashable] = [item["group"] for _, item in asked]
    scores = resolve(results, groups, _policy(client.options.on_missing))
    # Where processes wait for one another at every metric, each has to log the same ones, also one that asked nothing.
    names = client.components if _is_since(JOINS_METRICS) else COMPONENTS
    _log(count, [index for index, _ in asked], results, names, columns)
    rewards: list[float | None] = [None] * count
    for (index, _), score in zip(asked, scores, strict=True):
        rewards[index] = score
    return rewards


def _policy(asked: Policy) -> Policy:
    return "group_mean" if asked == "native" and not _is_since(EXCLUDES_NONE) else asked


@functools.cache
def _is_since(release: tuple[int, int]) -> bool:
    """Whether the TRL beside this is of that release or later."""
    try:
        major, minor = version("trl").split(".")[:2]
    except PackageNotFoundError:
        return True
    return (int(major), int(minor)) >= release


def _log(
    count: int, places: Sequence[int], results: Sequence[ItemResult], names: Sequence[str], columns: dict[str, Any]
) -> None:
    """Components as metrics and as columns beside the completions, where TRL offers that."""
    log_metric, log_extra = columns.get("log_metric"), columns.get("log_extra")
    for name in names:
        values = [result.components.get(name) for result in results]
        if callable(log_metric):
            _log_values(log_metric, name, [value for value in values if value is not None])
        if callable(log_extra):
            # A table's column has one type.
            column = [math.nan] * count
            for place, value in zip(places, values, strict=True):
                column[place] = math.nan if value is None else value
            log_extra(f"{NAME}/{name}", column)
    shares = [missing_of(result) for result in results]
    for name in MISSING:
        if callable(log_metric):
            _log_values(log_metric, name, [share[name] for share in shares])
    if callable(log_extra):
        reasons = [""] * count
        for place, result in zip(places, results, strict=True):
            reasons[place] = result.reason or ""
        log_extra(f"{NAME}/missing", reasons)


def _log_values(log_metric: Callable[[str, float], object], name: str, values: Sequence[float]) -> None:
    """TRL takes the mean over all that any process logs: one value for each completion makes it that of the batch,
    however the completions with a value are spread over the processes."""
    for value in values if values or _is_since(JOINS_METRICS) else (math.nan,):
        log_metric(f"{NAME}/{name}", value)
