"""A cascade as the setting describes it, behind the scorer, with real workers and a model that is or is not there."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from perception_reward.service.assembly import assemble
from perception_reward.service.judges.cascade.judge import CascadeJudge
from perception_reward.service.judges.make import make_judge
from perception_reward.service.metrics import Metrics
from perception_reward.service.settings import SettingsError, load
from perception_reward.trainer_client.wire import Fact, ItemResult, ScoreItem, ScoreRequest

LENGTH = Fact(id="length", text="Segment AB has length 5.")
SCENE = Fact(id="scene", text="A man in a long coat waits for his friend at the corner of an old house.")
ITEMS = [ScoreItem(response="AB = 7.", facts=[LENGTH]), ScoreItem(response="AB = 7.", facts=[LENGTH, SCENE])]


async def scored(judge: str, tokenizer: Path) -> tuple[list[ItemResult], str]:
    """The results, and the metrics after them."""
    settings = load(judge=judge, judge_method="paper", judge_tokenizer=str(tokenizer), workers=1)
    service = assemble(settings, preload=())
    async with service.running():
        deadline = asyncio.get_running_loop().time() + 60
        answer = await service.scorer.score(ScoreRequest(items=ITEMS), deadline)
        return answer.results, service.metrics.exposition().decode()


async def test_without_the_model_only_what_it_was_needed_for_is_missing(tokenizer_folder: Path):
    (sure, unsure), metrics = await scored("cascade:openai:http://127.0.0.1:9#m", tokenizer_folder)
    assert sure.facts is not None
    assert (sure.status, sure.facts[0].verdict) == ("ok", "contradicted")
    assert (unsure.status, unsure.reason) == ("missing", "judge_unavailable")
    assert 'cascade_facts_total{kind="length",stage="rules"} 2.0' in metrics
    assert 'cascade_facts_total{kind="sentence",stage="none"} 1.0' in metrics


async def test_the_model_answers_for_what_is_left(tokenizer_folder: Path):
    asked: list[Any] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(await request.json())
        return web.json_response({"choices": [{"text": "<info1>1</info1>"}]})

    app = web.Application()
    app.router.add_post("/v1/completions", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    try:
        (sure, unsure), metrics = await scored(f"cascade:openai:http://127.0.0.1:{port}#m", tokenizer_folder)
    finally:
        await runner.cleanup()
    assert (sure.status, unsure.status) == ("ok", "ok")
    assert [fact.verdict for fact in unsure.facts or ()] == ["contradicted", "stated"]
    assert len(asked) == 1
    assert 'cascade_facts_total{kind="sentence",stage="model"} 1.0' in metrics


@pytest.mark.parametrize("judge", ["cascade:", "cascade:symbolic", "cascade:cascade:openai:http://127.0.0.1:9#m"])
def test_a_cascade_without_a_model_to_ask_is_refused(judge: str):
    with pytest.raises(SettingsError, match="cascade:JUDGE"):
        assemble(load(judge=judge, workers=1), preload=())


def test_its_settings_are_those_of_its_model():
    settings = load(judge="cascade:openai:http://127.0.0.1:9#m", judge_method="paper", cascade_check=0.5)
    judge = make_judge(settings, None, Metrics())  # pyright: ignore[reportArgumentType]
    assert isinstance(judge, CascadeJudge)
    assert (judge.info.name, judge.info.model, judge.info.method, judge.together) == ("cascade", "m", "paper", True)
