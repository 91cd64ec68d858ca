"""`perception-reward judge`: teach a judge of one's own."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path
from typing import Annotated, Literal

import typer

from perception_reward.annotations.model import Annotation
from perception_reward.service import logs
from perception_reward.service.cli import labelling
from perception_reward.service.cli.choosing import Labelled, choose, labelled_or_exit
from perception_reward.service.cli.options import fail, with_settings
from perception_reward.service.cli.running import told_or_exit
from perception_reward.service.cli.stores import read_store
from perception_reward.service.settings import Settings
from perception_reward.service.training.card import count_lines
from perception_reward.service.training.data import collect

app = typer.Typer(no_args_is_help=True, add_completion=False)
ASKED = ("judge_evidence", "judge_grounding", "judge_language", "judge_scope", "max_response_chars")


@app.callback()
def judges() -> None:
    """A judge of your own: teach one, and choose its settings."""


@app.command()
@with_settings("annotations", *ASKED, "log_json")
def train(
    settings: Settings,
    base: Annotated[str, typer.Argument(help="The model to teach: a folder, or a hub's name.")],
    out: Annotated[Path, typer.Argument(file_okay=False, help="The folder to write: the model, and judge.toml.")],
    labelled: Labelled = None,
    most: Annotated[int, typer.Option(min=1, help="Most statements made of one family; more teach wordings.")] = 10,
    held_out: Annotated[
        float, typer.Option(min=0.05, max=0.9, help="Share of the problems that are not taught, for measuring.")
    ] = 0.1,
    probes: Annotated[int, typer.Option(min=1, help="Most statements of one family to measure with.")] = 40,
    how: Annotated[Literal["lora", "full"], typer.Option(help="Teach adapters, or all weights.")] = "lora",
    rank: Annotated[int, typer.Option(min=1, help="Rank of the adapters.")] = 16,
    freeze: Annotated[int, typer.Option(min=0, help="The lowest layers that stay as they are.")] = 0,
    epochs: Annotated[float, typer.Option(min=0.01, help="Times that each statement is taught.")] = 2.0,
    learning_rate: Annotated[
        float | None, typer.Option(help="Default: 2e-4 for adapters, 1e-5 for all weights.")
    ] = None,
    row_tokens: Annotated[int, typer.Option(min=0, help="Tokens of the prompts taught side by side.")] = 2048,
    rows_a_step: Annotated[int, typer.Option(min=1, help="Rows in one step of the optimizer.")] = 1,
    save_every: Annotated[int, typer.Option(min=1, help="Steps between checkpoints.")] = 50,
    seed: Annotated[int, typer.Option(help="The same seed makes the same data in the same order.")] = 0,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Tell what would be taught, and teach nothing.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace the folder OUT.")] = False,
) -> None:
    """Teach a model to judge: on statements made from your annotations, labelled responses and packaged pairs.

    Needs the extra [train]. The same command goes on where it was killed. OUT/README.md tells what was taught and how
    right the judge is on problems that were held out, beside its base. service/judges/README.md says more.
    """
    logs.configure("error", as_json=settings.log_json)
    data = collect(
        _annotations(settings),
        labelled_or_exit(labelled, settings.judge_scope),
        most=most,
        held_out=held_out,
        seed=seed,
        cap=settings.max_response_chars,
        scope=settings.judge_scope,
        most_held_out=probes,
    )
    if dry_run:
        typer.echo("\n".join(["| family | stated | contradicted | absent |", "| --- | --- | --- | --- |"]))
        typer.echo("\n".join(count_lines(data.taught)))
        typer.echo(f"{len(data.taught)} statements to teach, {len(data.held_out)} held out for measuring")
        return
    # A training that was killed goes on.
    taken = out.is_dir() and any(out.iterdir()) and not (out / "training").is_dir()
    if taken and not force:
        fail(f"{out} holds something already; name another folder, or pass --force to replace it", status=2)
    if force and out.is_dir():
        shutil.rmtree(out)
    try:
        # Here, because it needs torch.
        from perception_reward.service.training.course import train as teach
        from perception_reward.service.training.fitting import Plan
    except ModuleNotFoundError as error:
        fail(
            f"training needs packages of its own: pip install 'perception-reward[train]' (no module {error.name})",
            status=2,
        )
        raise AssertionError from None
    rate = learning_rate if learning_rate is not None else 2e-4 if how == "lora" else 1e-5
    plan = Plan(base, how, rank, freeze, epochs, rate, rows_a_step, save_every, seed)
    with told_or_exit(ValueError):
        report = teach(plan, data, settings, out, row_tokens=row_tokens, say=lambda line: typer.echo(line, err=True))
    typer.echo(
        f"the judge: --judge-config {out / 'judge.toml'}, or --judge vllm:{out} without rules and calibration; the "
        f"audit calls that {report.verdict}"
    )
    typer.echo(f"what was taught, and how right it is: {out / 'README.md'}")


def _annotations(settings: Settings) -> list[Annotation]:
    with told_or_exit(ValueError, status=2):
        return [one for source in settings.annotations for one in asyncio.run(read_store(source))]


app.command("choose")(choose)
app.command("label")(labelling.label_rollouts)
