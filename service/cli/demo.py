"""`perception-reward demo`: the service on its embedded defaults, scoring sample rollouts over HTTP."""

from __future__ import annotations

import asyncio
import json
import signal
from importlib.resources import as_file, files
from pathlib import Path
from typing import Annotated

import aiohttp
import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from perception_reward.service import logs
from perception_reward.service.assembly import Service
from perception_reward.service.cli import running
from perception_reward.service.cli.options import settings_or_exit
from perception_reward.service.cli.screen import screen
from perception_reward.service.server import address
from perception_reward.trainer_client.wire import Fact, ItemResult, ScoreItem, ScoreRequest, ScoreResponse

SAMPLES = files("perception_reward.service.demo")
STYLES = {"stated": "green", "contradicted": "red", "absent": "dim"}
# Words of a response shown beside a verdict.
MOST_CHARACTERS = 60


def demo(
    port: Annotated[int, typer.Option(help="Port to listen on; 0 takes a free one.")] = 8420,
    exit_: Annotated[bool, typer.Option("--exit", help="End after the table instead of serving on.")] = False,
) -> None:
    """Start the service on 127.0.0.1 without a GPU, Redis or model, and score sample rollouts over HTTP."""
    logs.configure("warning", as_json=False)
    with as_file(SAMPLES / "annotations.jsonl") as annotations:
        settings = settings_or_exit(
            host="127.0.0.1",
            port=port,
            annotations=(str(annotations),),
            judge="symbolic",
            judge_calibration=None,
            audit=None,
            api_key=None,
            redis_url=None,
        )

        async def main(service: Service) -> None:
            with running.listen(settings) as listener:
                server = asyncio.create_task(running.serve(service, listener))
                url = address(listener)
                request = sample_request()
                response = await post(url, request)
                await show(screen(), service, request, response)
                _next_steps(screen(), url, annotations, serving=not exit_)
                if exit_:
                    signal.raise_signal(signal.SIGTERM)
                await server

        running.run_or_exit(settings, main)


def sample_request() -> ScoreRequest:
    """The packaged sample rollouts as one request."""
    lines = (SAMPLES / "rollouts.jsonl").read_text(encoding="utf-8").splitlines()
    return ScoreRequest(run="demo", items=[ScoreItem.model_validate(json.loads(line)) for line in lines if line])


async def post(url: str, request: ScoreRequest) -> ScoreResponse:
    body = request.model_dump_json(exclude_none=True)
    async with (
        aiohttp.ClientSession(url, raise_for_status=True) as session,
        session.post("/v1/score", data=body, headers={"Content-Type": "application/json"}) as answer,
    ):
        return ScoreResponse.model_validate_json(await answer.read())


async def show(console: Console, service: Service, request: ScoreRequest, response: ScoreResponse) -> None:
    """Per rollout what it says of each fact, then the components and the score of all."""
    annotations = await service.store.get_many([item.annotation_id or "" for item in request.items])
    for item, annotation, result in zip(request.items, annotations, response.results, strict=True):
        if annotation is not None and result.facts is not None:
            console.print(_fact_table(item, annotation.facts, result))
    console.print(_score_table(response))
    summary = response.summary
    console.print(
        f"{summary.items} rollouts, {summary.facts} facts in {summary.seconds * 1000:.0f} ms "
        f"(judge {service.judge.info.name}, profile {response.profile})"
    )


def _fact_table(item: ScoreItem, facts: list[Fact], result: ItemResult) -> Table:
    table = Table(title=item.id, title_justify="left", title_style="bold", box=SIMPLE_HEAD)
    for column, ratio in (("fact", 4), ("verdict", None), ("p", None), ("the words that carry it", 5)):
        table.add_column(column, ratio=ratio, no_wrap=ratio is None)
    for fact, verdict in zip(facts, result.facts or (), strict=True):
        words = ""
        if verdict.span is not None and isinstance(item.response, str):
            words = " ".join(item.response[slice(*verdict.span)].split())
        table.add_row(
            fact.text if fact.polarity == "present" else f"{fact.text} (false)",
            Text(verdict.verdict, STYLES[verdict.verdict]),
            f"{verdict.probability:.2f}",
            Text(words if len(words) <= MOST_CHARACTERS else words[: MOST_CHARACTERS - 1] + "…"),
        )
    return table


def _score_table(response: ScoreResponse) -> Table:
    table = Table(title="Scores", title_justify="left", title_style="bold", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("rollout", no_wrap=True)
    for column in ("format", "accuracy", "perception", "repetition", "score"):
        table.add_column(column, justify="right", min_width=len(column))
    for result in response.results:
        parts = result.components
        values = (parts.format, parts.accuracy, parts.perception, parts.repetition)
        shown = [_number(value) for value in values]
        table.add_row(
            result.id,
            *shown,
            Text(_number(result.score), "bold") if result.score is not None else result.reason,
        )
    return table


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def _next_steps(console: Console, url: str, annotations: Path, *, serving: bool) -> None:
    if serving:
        console.print(f"Serving on {url} until Ctrl-C: try the API at {url}/docs")
    console.print("Next, your own problems over HTTP, and saved rollouts from a file:")
    console.print("  perception-reward serve --annotations PROBLEMS.jsonl")
    console.print("  perception-reward score ITEMS.jsonl RESULTS.jsonl --annotations PROBLEMS.jsonl")
