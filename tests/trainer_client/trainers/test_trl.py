"""The reward function as TRL calls it; TRL itself runs in tests/trainers/test_trl.py."""

from __future__ import annotations

import asyncio
import functools
import inspect
import math
import pickle
from collections import defaultdict
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from perception_reward.trainer_client import DataError, RewardClient, ServiceUnavailable
from perception_reward.trainer_client.missing import COMPONENTS
from perception_reward.trainer_client.trainers import trl
from perception_reward.trainer_client.trainers.columns import MISSING
from perception_reward.trainer_client.trainers.trl import async_reward, configured, reward

GOOD = "<think>\nAB = 5 and the angle ABC is 90°.\n</think>\n<answer>\n\\boxed{13}\n</answer>"
BAD = "No idea."


@pytest.fixture
def columns() -> dict[str, Any]:
    metrics: defaultdict[str, list[float]] = defaultdict(list)
    logged: dict[str, Any] = {"metrics": metrics, "extra": {}}
    return {
        "completion_ids": [[1], [2]],
        "image": [object(), object()],
        "trainer_state": SimpleNamespace(global_step=7),
        "log_metric": lambda name, value: metrics[name].append(value),
        "log_extra": logged["extra"].__setitem__,
        "logged": logged,
    }


def call(function: Any, completions: list[Any], **columns: Any) -> list[float | None]:
    columns.pop("logged", None)
    prompts = [[{"role": "user", "content": "What is AC?"}]] * len(completions)
    found = function(prompts=prompts, completions=completions, **columns)
    return asyncio.run(found) if asyncio.iscoroutine(found) else found


@pytest.mark.parametrize("asynchronous", [False, True])
def test_one_number_per_completion_and_its_components_in_the_log(
    served: str, columns: dict[str, Any], asynchronous: bool
) -> None:
    function = configured(served, asynchronous=asynchronous, run="test")
    messages = [[{"role": "assistant", "content": text}] for text in (GOOD, BAD)]
    good, bad = call(function, messages, **columns, annotation_id=["triangle/1"] * 2)
    assert (good, bad) == (pytest.approx(1.7), 0.0)
    logged = columns["logged"]
    assert logged["metrics"]["perception_reward/perception"] == [1.0, 0.0]
    assert logged["metrics"]["perception_reward/missing"] == [0.0, 0.0]
    assert logged["extra"]["perception_reward/format"] == [1.0, 0.0]


CLOSED = GOOD.removeprefix("<think>\n")


class Trainer:
    """As much of a trainer as a reward function can see: the one whose method `log_metric` is."""

    chat_template_kwargs: dict[str, Any] = {"enable_thinking": True}  # noqa: RUF012

    def __init__(self, ending: str) -> None:
        self.processing_class = self
        self._ending = ending

    def apply_chat_template(self, prompt: Any, **settings: Any) -> str:
        assert settings.pop("chat_template") is None
        assert settings == {"tokenize": False, "add_generation_prompt": True, "enable_thinking": True}
        if not self._ending:
            raise ValueError("no chat template is set")
        return f"<|im_start|>user\n{prompt[0]['content']}<|im_end|>\n<|im_start|>assistant\n{self._ending}"

    def log_metric(self, name: str, value: float) -> None: ...


@pytest.mark.parametrize(("ending", "reward"), [("<think>\n", 1.7), ("\n", 1.6), ("", 1.6)])
def test_a_thought_that_the_trainers_template_opens_counts_as_opened(
    served: str, columns: dict[str, Any], ending: str, reward: float
) -> None:
    columns["log_metric"] = Trainer(ending).log_metric
    (found,) = call(configured(served), [CLOSED], **columns, annotation_id=["triangle/1"])
    assert found == pytest.approx(reward)


def test_a_thought_that_a_plain_prompt_opens_counts_as_opened(served: str, columns: dict[str, Any]) -> None:
    columns.pop("logged")
    prompts = ["User: What is AC?\nAssistant: <think>", "What is AC?"]
    found = configured(served)(prompts=prompts, completions=[CLOSED] * 2, **columns, annotation_id=["triangle/1"] * 2)
    assert found == [pytest.approx(1.7), pytest.approx(1.6)]


def test_rows_of_another_task_get_none_and_cost_nothing(served: str, columns: dict[str, Any]) -> None:
    found = call(configured(served), [GOOD, GOOD], **columns, annotation_id=["triangle/1", None])
    assert found == [pytest.approx(1.7), None]
    assert math.isnan(columns["logged"]["extra"]["perception_reward/accuracy"][1])
    assert columns["logged"]["metrics"]["perception_reward/missing"] == [0.0]


def test_a_batch_of_other_tasks_alone_gets_none(served: str, columns: dict[str, Any]) -> None:
    assert call(configured(served), [GOOD, GOOD], **columns, annotation_id=[None, None]) == [None, None]


@pytest.fixture
def release(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Says which release of TRL is beside the adapter."""

    def pretend(number: str) -> None:
        monkeypatch.setattr(trl, "version", lambda _: number)
        trl._is_since.cache_clear()

    yield pretend
    trl._is_since.cache_clear()


@pytest.mark.parametrize("rows", [["unknown", "unknown"], [None, None]])
def test_before_1_14_every_process_logs_every_metric_whatever_it_knows(
    served: str, columns: dict[str, Any], release: Callable[[str], None], rows: list[str | None]
) -> None:
    # TRL gathered them one by one: a process that left one out kept the others waiting.
    release("1.13.0")
    call(configured(served), [GOOD, GOOD], **columns, annotation_id=rows)
    metrics = columns["logged"]["metrics"]
    assert sorted(metrics) == [f"perception_reward/{name}" for name in sorted((*COMPONENTS, *MISSING))]
    assert [math.isnan(value) for value in metrics["perception_reward/perception"]] == [True]


def test_a_process_without_a_value_leaves_the_mean_to_the_others(
    served: str, columns: dict[str, Any], release: Callable[[str], None]
) -> None:
    release("1.14.0")
    call(configured(served), [GOOD, GOOD], **columns, annotation_id=["unknown", "unknown"])
    metrics = columns["logged"]["metrics"]
    assert "perception_reward/perception" not in metrics
    assert metrics["perception_reward/missing"] == [1.0, 1.0]
    assert metrics["perception_reward/missing/unknown_annotation"] == [1.0, 1.0]
    assert metrics["perception_reward/missing/judge_timeout"] == [0.0, 0.0]


@pytest.mark.parametrize(
    ("prompts", "facts"),
    [
        (
            (f"What is AB? {'Answer in a box. ' * 40}", f"What is AC? {'Answer in a box. ' * 40}"),
            ("AB = 5.", "AB = 5."),
        ),
        (("How many are there?", "How many are there?"), ("There are 3 dogs.", "There are 4 dogs.")),
    ],
)
def test_problems_without_a_name_are_groups_of_their_own(prompts: tuple[str, str], facts: tuple[str, str]) -> None:
    rows = [[{"id": "f1", "text": text}] for text in facts for _ in range(2)]
    client = RewardClient()
    asked = trl._asked(client, [prompt for prompt in prompts for _ in range(2)], [GOOD] * 4, {"facts": rows})
    groups = [item["group"] for _, item in asked]
    assert groups[0] == groups[1] != groups[2] == groups[3]


def test_a_data_set_without_any_such_row_is_an_error(served: str, columns: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="annotation_id"):
        call(configured(served), [GOOD, GOOD], **columns, question=["?", "?"])


@pytest.mark.parametrize(("number", "expected"), [("1.5.2", 1.7), ("1.6.0", None), ("1.16.0", None)])
def test_missing_is_none_only_where_trl_does_not_take_none_for_zero(
    served: str, columns: dict[str, Any], release: Callable[[str], None], number: str, expected: float | None
) -> None:
    release(number)
    items: dict[str, Any] = {"annotation_id": ["triangle/1", "unknown"], "group": ["g", "g"]}
    good, missing = call(configured(served), [GOOD, GOOD], **columns, **items)
    assert good == pytest.approx(1.7)
    assert missing == (None if expected is None else pytest.approx(expected))
    assert columns["logged"]["metrics"]["perception_reward/missing"] == [0.0, 1.0]


def test_the_policy_of_the_client_is_kept(served: str, columns: dict[str, Any]) -> None:
    found = call(configured(served, on_missing="zero"), [GOOD, GOOD], **columns, annotation_id=["unknown"] * 2)
    assert found == [0.0, 0.0]


def test_without_arguments_the_environment_says_where_the_service_is(
    served: str, environment: Callable[[str], None]
) -> None:
    environment(served)
    assert call(reward, [GOOD], annotation_id=["triangle/1"]) == [pytest.approx(1.7)]
    trl.environment_client().close()


def test_both_forms_have_one_name_and_survive_pickling(served: str, environment: Callable[[str], None]) -> None:
    environment(served)
    for function in (reward, async_reward, configured(served), configured(served, asynchronous=True)):
        again = pickle.loads(pickle.dumps(function))
        assert again.__name__ == "perception_reward"
    assert pickle.loads(pickle.dumps(async_reward)) is async_reward


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Says which service this process's environment names."""

    def name(url: str) -> None:
        monkeypatch.setenv("PERCEPTION_REWARD_URL", url)
        trl.environment_client.cache_clear()

    yield name
    trl.environment_client.cache_clear()


@pytest.mark.parametrize("form", [reward, async_reward], ids=["reward", "async_reward"])
def test_a_trainer_that_asks_for_the_name_is_told_of_a_service_that_is_not_there(
    environment: Callable[[str], None], form: Any
) -> None:
    environment("http://127.0.0.1:9")
    with pytest.raises(ServiceUnavailable, match=r"http://127\.0\.0\.1:9"):
        _ = form.__name__
    with pytest.raises(ServiceUnavailable):
        call(form, [GOOD], annotation_id=["triangle/1"])


def test_a_reward_of_its_own_options_is_not_made_for_a_service_that_is_not_there() -> None:
    with pytest.raises(ServiceUnavailable):
        configured("http://127.0.0.1:9", start_wait=0)
    assert configured("http://127.0.0.1:9", check=False).__name__ == "perception_reward"


def test_every_release_sees_which_form_is_awaited(served: str) -> None:
    for form, awaited in ((configured(served), False), (configured(served, asynchronous=True), True)):
        assert inspect.iscoroutinefunction(form) is awaited
        assert inspect.iscoroutinefunction(functools.partial(form)) is awaited


def test_a_misspelt_column_is_told_with_what_was_meant(served: str, columns: dict[str, Any]) -> None:
    data = {"problem_id": ["triangle/1"] * 2, "answer": ["13"] * 2}
    with pytest.raises(DataError) as told:
        call(configured(served), [GOOD, GOOD], **columns, **data)
    for words in ("answer, image, problem_id.", "Did you mean: problem_id -> annotation_id?", "require_facts"):
        assert words in str(told.value)
    asked = call(configured(served, require_facts=False), [GOOD, GOOD], **columns, **data)
    assert asked == [pytest.approx(1.0)] * 2


def test_rows_of_a_mixed_data_set_that_have_no_facts_are_scored(served: str, columns: dict[str, Any]) -> None:
    function = configured(served)
    for names in ([None, None], [None, "triangle/1"], [None, None]):
        found = call(function, [GOOD, GOOD], **columns, annotation_id=names, answer=["13", "13"])
        assert None not in found


def test_a_service_that_has_none_of_the_annotations_is_told(served: str, columns: dict[str, Any]) -> None:
    function = configured(served)
    assert call(function, [GOOD], **columns, annotation_id=["geo/1"]) == [None]
    with pytest.raises(DataError, match="'geo/1', 'geo/2', 'geo/3'"):
        call(function, [GOOD, GOOD], **columns, annotation_id=["geo/2", "geo/3"])
