from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

import pytest

from perception_reward.service.judges.base import Health, Judge, JudgeTask
from perception_reward.service.judges.llm.engine import Choice, LogProbs, Writing, Written
from perception_reward.service.judges.llm.methods import MethodName
from perception_reward.service.judges.make import ENGINES, make_judge
from perception_reward.service.metrics import Metrics
from perception_reward.service.processes.pool import WorkerPool
from perception_reward.service.settings import SettingsError, load
from perception_reward.trainer_client.wire import Fact

SERVER = "openai:http://127.0.0.1:9#m"


def made(**settings: Any) -> Judge:
    return make_judge(load(**settings), WorkerPool(1, time_limit=1.0, memory_mb=512), Metrics())


def test_the_rules_are_the_default():
    assert made().info.name == "symbolic"


@pytest.mark.parametrize("method", get_args(MethodName))
def test_a_server_is_asked_by_the_method_that_is_set(method: MethodName):
    info = made(judge=SERVER, judge_method=method).info
    assert (info.name, info.model, info.method) == ("openai", "m", method)


def test_selected_evidence_is_another_judge():
    whole, selected = (made(judge=SERVER, judge_evidence=evidence).info for evidence in ("whole", "selected"))
    assert whole.fingerprint != selected.fingerprint


def test_evidence_and_grounding_are_settings_of_their_own():
    found = {
        made(judge=SERVER, judge_evidence=evidence, judge_grounding=grounding).info.fingerprint
        for evidence in ("whole", "selected")
        for grounding in ("on", "off")
    }
    assert len(found) == 4
    # What is set to `auto` is one of them.
    assert {made(judge=SERVER).info.fingerprint, made(judge=SERVER, judge_evidence="whole").info.fingerprint} <= found


def test_a_prompt_in_another_language_is_another_judge_and_only_the_verdict_has_one():
    assert made(judge=SERVER).info.fingerprint != made(judge=SERVER, judge_language="zh").info.fingerprint
    with pytest.raises(SettingsError, match=r"judge_language .*'paper' has no prompt in 'zh'"):
        made(judge=SERVER, judge_method="paper", judge_language="zh")


def test_evidence_for_a_method_that_asks_about_all_facts_at_once_is_refused():
    with pytest.raises(SettingsError, match=r"judge_evidence \(--judge-evidence.*'joint' asks about all at once"):
        made(judge=SERVER, judge_method="joint", judge_evidence="selected")


def test_a_judge_that_there_is_not_is_told_with_those_that_there_are():
    with pytest.raises(ValueError, match="no judge is called 'gpt'; there are symbolic"):
        made(judge="gpt")


class Echo:
    """An engine by the steps of CONTRIBUTING.md: it gives all answers alike, or the word that the fact is stated."""

    name, model, capacity = "echo", "m", 4
    identity: Mapping[str, object] = {}

    async def choose(self, choice: Choice, affinity: str, deadline: float) -> tuple[LogProbs, ...]:
        return tuple(dict.fromkeys(choice.answers, -1.0) for _ in choice.suffixes)

    async def write(self, writing: Writing, affinity: str, deadline: float) -> Written:
        return Written("<a1>1</a1>")

    async def health(self) -> Health:
        return Health(True)

    async def start(self) -> None: ...

    async def aclose(self) -> None: ...


@pytest.mark.parametrize("method", get_args(MethodName))
@pytest.mark.parametrize("behind", ["", "cascade:"])
async def test_an_engine_of_ones_own_takes_a_line_and_works_with_every_method_and_in_the_cascade(
    behind: str, method: MethodName, tokenizer_folder: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setitem(ENGINES, "echo:", ("echo:MODEL", lambda _settings, _observer: Echo()))
    settings = load(judge=f"{behind}echo:m", judge_method=method, judge_tokenizer=str(tokenizer_folder))
    pool = WorkerPool(1, time_limit=30.0, memory_mb=512)
    await pool.start()
    judge = make_judge(settings, pool, Metrics())
    await judge.start()
    task = JudgeTask("Two people stand by the red car.", (Fact(id="f", text="The car behind the man is red."),))
    found = [outcomes async for _, outcomes in judge.judge([task], asyncio.get_running_loop().time() + 30)]
    await judge.aclose()
    await pool.aclose()
    assert [len(outcomes) for outcomes in found] == [1]
    assert judge.info.name == (behind.rstrip(":") or "echo")
