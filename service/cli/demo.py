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
from rich.console import Console
from rich.table import Table
from rich.text import Text

from perception_reward.annotations.outputs import written
from perception_reward.service import logs
from perception_reward.service.assembly import Service
from perception_reward.service.cli import running
from perception_reward.service.cli.options import settings_or_exit
from perception_reward.service.cli.outputs import Force, outputs_or_exit
from perception_reward.service.cli.screen import screen, table
from perception_reward.service.report.explained import explained
from perception_reward.service.server import address
from perception_reward.trainer_client.wire import ScoreItem, ScoreRequest, ScoreResponse

SAMPLES = files("perception_reward.service.demo")
# The sample that shows best what the reward is for.
SHOWN = "right-triangle/guesses-right"
POINT = "Both responses to right-triangle say 15. This one has misread the figure:"
FILES = ("annotations.jsonl", "rollouts.jsonl")


def demo(
    port: Annotated[int, typer.Option(help="Port to listen on; 0 takes a free one.")] = 8420,
    exit_: Annotated[bool, typer.Option("--exit", help="End after the scores instead of serving on.")] = False,
    all_: Annotated[bool, typer.Option("--all", help="Explain every sample rollout, and not only one.")] = False,
    samples: Annotated[
        Path | None,
        typer.Option(file_okay=False, help="Write the samples as files into this folder, and do nothing else."),
    ] = None,
    force: Force = False,
) -> None:
    """Start the service on 127.0.0.1 without a GPU, Redis or model, and score sample rollouts over HTTP."""
    if samples is not None:
        _write(samples, force)
        return
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
                await show(screen(), service, request, response, only=None if all_ else SHOWN)
                _next_steps(screen(), url, serving=not exit_)
                if exit_:
                    signal.raise_signal(signal.SIGTERM)
                await server

        running.run_or_exit(settings, main)


def sample_request() -> ScoreRequest:
    """The packaged sample rollouts as one request."""
    lines = (SAMPLES / "rollouts.jsonl").read_text(encoding="utf-8").splitlines()
    items = [ScoreItem.model_validate(json.loads(line)) for line in lines if line]
    return ScoreRequest(run="demo", explain=True, items=items)


async def post(url: str, request: ScoreRequest) -> ScoreResponse:
    body = request.model_dump_json(exclude_none=True)
    async with (
        aiohttp.ClientSession(url, raise_for_status=True) as session,
        session.post("/v1/score", data=body, headers={"Content-Type": "application/json"}) as answer,
    ):
        return ScoreResponse.model_validate_json(await answer.read())


async def show(
    console: Console, service: Service, request: ScoreRequest, response: ScoreResponse, *, only: str | None = None
) -> None:
    """The scores of all rollouts, and then where they come from: of all, or of the one with the id `only`."""
    summary = response.summary
    console.print(
        f"Scores of {summary.items} sample rollouts, over HTTP in {summary.seconds * 1000:.0f} ms "
        f"({summary.facts} facts, judge {service.judge.info.name}):"
    )
    console.print(_score_table(response))
    if only is not None:
        console.print(f"\n{POINT}")
    annotations = await service.store.get_many([item.annotation_id or "" for item in request.items])
    profile = service.scorer.profile(response.profile)
    for item, annotation, result in zip(request.items, annotations, response.results, strict=True):
        if only in (None, item.id):
            console.print()
            console.print(explained(item, annotation, result, profile, request.step))


def _score_table(response: ScoreResponse) -> Table:
    scores = table("rollout", *response.results[0].components, "score", edge=False)
    for column in scores.columns:
        column.no_wrap, column.min_width = column is scores.columns[0], len(str(column.header))
    for result in response.results:
        shown = [_number(value) for value in result.components.values()]
        score = Text(_number(result.score), "bold") if result.score is not None else result.reason
        scores.add_row(result.id, *shown, score)
    return scores


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def _next_steps(console: Console, url: str, *, serving: bool) -> None:
    console.print("\nperception-reward demo --all            explains all of them")
    console.print("perception-reward demo --samples DIR    as files; then your own problems")
    if serving:
        console.print(f"Serving on {url} until Ctrl-C; try the API at {url}/docs", soft_wrap=True)


def _write(folder: Path, force: bool) -> None:
    """The samples as files, and what to do with them."""
    folder.mkdir(parents=True, exist_ok=True)
    annotations, rollouts = (folder / name for name in FILES)
    outputs_or_exit(annotations, rollouts, read=(), force=force)
    for path in (annotations, rollouts):
        with written(path, replace=force) as part:
            part.write_bytes((SAMPLES / path.name).read_bytes())
    typer.echo(f"written: {annotations}, {rollouts}\nScore them, or serve the annotations:")
    typer.echo(f"  perception-reward score {rollouts} results.jsonl --annotations {annotations}")
    typer.echo(f"  perception-reward serve --annotations {annotations}")
