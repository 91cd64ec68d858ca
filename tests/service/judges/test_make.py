from __future__ import annotations

from typing import Any, get_args

import pytest

from perception_reward.service.judges.base import Judge
from perception_reward.service.judges.llm.methods import MethodName
from perception_reward.service.judges.make import make_judge
from perception_reward.service.metrics import Metrics
from perception_reward.service.processes.pool import WorkerPool
from perception_reward.service.settings import SettingsError, load

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
