"""What the commands of the annotation pipeline have in common: options of the model, the bar, and how a run ends."""

from __future__ import annotations

import asyncio
import functools
import inspect
from collections.abc import Awaitable, Callable, Generator, Iterable
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Protocol, TypeVar

import typer
from pydantic import ValidationError

from perception_reward.annotations.pipeline.config import ModelConfig, complaint
from perception_reward.annotations.pipeline.engine import Estimate, Tally
from perception_reward.annotations.pipeline.journal import JournalFault
from perception_reward.annotations.pipeline.limits import BudgetSpent, Limits, Stopped
from perception_reward.annotations.pipeline.prompts import Prompt, PromptFault
from perception_reward.annotations.pipeline.rows import beside, count_lines
from perception_reward.annotations.pipeline.work import Asked, Job, StepReport, Watch
from perception_reward.service.cli.options import fail, with_options
from perception_reward.service.cli.outputs import outputs_or_exit
from perception_reward.service.cli.running import stopped_by_signals, told_or_exit
from perception_reward.service.cli.screen import progress, screen

T = TypeVar("T")

PANEL = "The model"
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Tell how many requests and tokens it would be, and ask nobody.")
]
Prompts = Annotated[
    Path | None,
    typer.Option(exists=True, file_okay=False, help="A folder with prompts of your own, by the packaged ones' names."),
]


def with_model(*, required: bool = True) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give `command(asked, …)` the options of a model; `asked` is None where none is named and none is `required`."""
    return functools.partial(_with_model, required)


def _with_model(required: bool, command: Callable[..., None]) -> Callable[..., None]:
    options = [_option(name) for name in ModelConfig.model_fields]
    return with_options(options, functools.partial(_asked_or_exit, required), command)


def _option(name: str) -> inspect.Parameter:
    field = ModelConfig.model_fields[name]
    flag = f"--{name.replace('_', '-')}"
    unsaid = field.is_required() or field.default_factory is not None or field.default in (None, False)
    default = "" if unsaid else f" (default: {_shown(field.default)})"
    if field.annotation is bool:
        option = typer.Option(flag, help=field.description, rich_help_panel=PANEL)
        annotation, value = Annotated[bool, option], False
    else:
        option = typer.Option(
            flag, metavar="VALUE", help=f"{field.description}{default}", show_default=False, rich_help_panel=PANEL
        )
        annotation, value = Annotated[str | None, option], None
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=value, annotation=annotation)


def _shown(value: object) -> str:
    return ",".join(f"{one:g}" for one in value) if isinstance(value, tuple) else str(value)  # pyright: ignore[reportUnknownVariableType]


def _asked_or_exit(required: bool, chosen: dict[str, Any]) -> Asked | None:
    if "url" not in chosen and "model" not in chosen and not required:
        return None
    try:
        return ModelConfig.model_validate(chosen).asked()
    except ValidationError as error:
        fail(f"--{complaint(error)}", status=2)
    except ValueError as error:
        fail(str(error), status=2)


def job_or_exit(step: str, out: Path, *, read: list[Path], force: bool) -> Job:
    """The step's run; a file that must not be written ends the command with status 2."""
    if out.suffix == ".gz":
        fail(f"{out}: steps write plain JSON Lines; name it {out.stem}, and pack the store with `export`", status=2)
    outputs_or_exit(out, read=[one for one in read if not one.is_dir()], force=force)
    return Job(step, out, force)


def run_step(job: Job, total: int | None, main: Callable[[Job], Awaitable[T]]) -> T:
    """Run `main` under a bar. What ends it early is told in a line, with how to go on."""
    console = screen(stderr=True)
    with progress(console) as bar, _told(job):
        task = bar.add_task(job.step, total=total)

        def tally(tally: Tally, limits: Limits) -> None:
            spent = f" {limits.cost_of(tally.tokens):.3f}" if any(limits.price) else ""
            bar.update(task, description=f"{job.step}: {tally.requests} asked, {sum(tally.tokens):,} tokens{spent}")

        watch = Watch(rows=lambda count: bar.update(task, completed=count), tally=tally)

        def stop() -> None:
            console.print("stopping: what is under way is waited for, since it is paid for; Ctrl-C again to drop it")
            watch.stop()

        async def run() -> T:
            with stopped_by_signals(stop):
                return await main(Job(job.step, job.out, job.replace, watch))

        return asyncio.run(run())


@contextmanager
def _told(job: Job) -> Generator[None]:
    with told_or_exit(ImportError, ValueError):
        try:
            yield
        except (JournalFault, PromptFault) as error:
            fail(str(error), status=2)
        except Stopped as error:
            more = " with a larger budget" if isinstance(error, BudgetSpent) else ""
            kept = job.journal if job.journal.exists() else job.out.parent if job.step == "build" else None
            told = f"; {kept} keeps what was paid for, and the same command{more} goes on" if kept is not None else ""
            fail(f"{error}{told}", status=130 if str(error) == "stopped" else 1)


class Reported(Protocol):
    """What a step of rules came to."""

    def lines(self) -> Iterable[str]: ...


def tell(job: Job, found: Estimate | StepReport | Reported, asked: Asked | None = None, *more: str) -> None:
    """What a step would cost; or its report, and where everything is."""
    limits = asked.limits if asked is not None else None
    if isinstance(found, Estimate):
        lines = found.lines(limits or Limits())
    else:
        report = found.lines(limits) if isinstance(found, StepReport) else found.lines()
        dropped = beside(job.out, "dropped.jsonl")
        lines = [*report, *more, f"written to {job.out}; what was dropped, and why: {dropped}"]
    for line in lines:
        typer.echo(line)


def prompt_or_exit(name: str, folder: Path | None, *needs: str) -> Prompt:
    """A prompt of the package, or the user's own."""
    with told_or_exit(PromptFault, status=2):
        return Prompt.read(name, folder, needs)


def rows_of(source: Path, limit: int | None) -> int | None:
    """The rows of a file of lines, for the bar; None where that is not known at once."""
    with told_or_exit():
        return min(count_lines(source), limit or 1 << 60) if source.suffix in (".jsonl", ".ndjson") else limit
