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


def test_evidence_for_a_method_that_asks_about_all_facts_at_once_is_refused():
    with pytest.raises(SettingsError, match=r"judge_evidence \(--judge-evidence.*'joint' asks about all at once"):
        made(judge=SERVER, judge_method="joint", judge_evidence="selected")


def test_a_judge_that_there_is_not_is_told_with_those_that_there_are():
    with pytest.raises(ValueError, match="no judge is called 'gpt'; there are symbolic"):
        made(judge="gpt")
