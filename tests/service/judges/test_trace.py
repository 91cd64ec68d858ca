from __future__ import annotations

import asyncio
from itertools import product
from typing import get_args

import pytest

from perception_reward.service.judges.base import JudgeTask, Verdict
from perception_reward.service.judges.symbolic.judge import SymbolicJudge, decide_all
from perception_reward.service.judges.trace import shown_by, trace_of
from perception_reward.trainer_client.wire import Fact, Label, Stage

FACT = Fact(id="f", text="Segment AB has length 5.")


@pytest.mark.parametrize(
    ("response", "sentences", "reason"),
    [
        ("We see AB = 5.", ["AB = 5"], "The rules read the fact in these words."),
        ("We see AB = 6.", ["AB = 6"], "The rules read in these words what excludes the fact."),
        ("AB = 5. And AB = 6.", ["AB = 6"], "The response says the fact and also what excludes it."),
        ("Maybe AB = 5.", [], "The response only hedges, supposes, asks or quotes the fact"),
        ("A dog.", [], "The rules find no words that say the fact or exclude it."),
    ],
)
def test_what_the_rules_read_is_told_in_words(response: str, sentences: list[str], reason: str) -> None:
    [verdict] = decide_all(response, [FACT])
    trace = trace_of(verdict, response[slice(*verdict.span)] if verdict.span else None, None)
    assert (trace.stage, trace.sentences) == ("rules", sentences)
    assert trace.reason.startswith(reason)


def test_what_a_model_was_shown_is_told() -> None:
    verdict = Verdict("stated", 0.93, contradiction=0.02, stage="pooled")
    trace = trace_of(verdict, None, "AB = 5.\n BC = 7.")
    assert trace.sentences == ["AB = 5.", "BC = 7."]
    assert "0.93 for stated and 0.02 for contradicted" in trace.reason
    assert "the whole response" in trace_of(Verdict("stated", 0.9), None, None).reason


def test_a_label_that_is_not_the_likeliest_is_explained() -> None:
    doubted = Verdict("absent", 0.56, certainty=0.3, contradiction=0.14, stage="pooled")
    assert trace_of(doubted, None, "AB = 5").reason.endswith("0.14 for contradicted, too little to name it stated.")
    plain = Verdict("absent", 0.2, certainty=0.6, contradiction=0.2, stage="pooled")
    assert "too little" not in trace_of(plain, None, "AB = 5").reason


def test_every_verdict_has_a_reason() -> None:
    for label, stage, settled in product(get_args(Label), get_args(Stage), (False, True)):
        assert trace_of(Verdict(label, 0.5, settled=settled, stage=stage, truncated=True), None, None).reason


def test_a_judge_without_a_model_shows_none_anything() -> None:
    task = JudgeTask("AB = 5.", (FACT, FACT))
    assert asyncio.run(_shown(task)) == [None, None]


async def _shown(task: JudgeTask) -> list[str | None]:
    return list(await shown_by(SymbolicJudge(), task, 0.0))
