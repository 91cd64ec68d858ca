"""What the commands of the annotation pipeline have in common: options of the model, the bar, and how a run ends."""

from __future__ import annotations

import asyncio
import functools
import inspect
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from pydantic import ValidationError

from perception_reward.annotations.faults import RecordFileError
from perception_reward.annotations.pipeline.config import ModelConfig, complaint
from perception_reward.annotations.pipeline.engine import Estimate, Tally
from perception_reward.annotations.pipeline.journal import JournalFault
from perception_reward.annotations.pipeline.limits import Limits, Stopped
from perception_reward.annotations.pipeline.prompts import Prompt, PromptFault
from perception_reward.annotations.pipeline.rows import beside, count_lines
from perception_reward.annotations.pipeline.work import Asked, Job, Watch
from perception_reward.service.cli.options import fail, reason
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
    own = [p for name, p in inspect.signature(command, eval_str=True).parameters.items() if name != "asked"]

    @functools.wraps(command)
    def run(**values: Any) -> None:
        given = {name: values.pop(name) for name in ModelConfig.model_fields}
        command(_asked_or_exit(given, required), **values)

    options = [_option(name) for name in ModelConfig.model_fields]
    run.__signature__ = inspect.Signature([*own, *options])  # pyright: ignore[reportAttributeAccessIssue]
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in (*own, *options)}
    return run


def _option(name: str) -> inspect.Parameter:
    field = ModelConfig.model_fields[name]
    flag = f"--{name.replace('_', '-')}"
    default = "" if field.is_required() or field.default in (None, False) else f" (default: {_shown(field.default)})"
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


def _asked_or_exit(given: dict[str, Any], required: bool) -> Asked | None:
    given = {name: value for name, value in given.items() if value not in (None, False)}
    if "url" not in given and "model" not in given and not required:
        return None
    try:
        return ModelConfig.model_validate(given).asked()
    except ValidationError as error:
        fail(f"--{complaint(error)}", status=2)
    except ValueError as error:
        fail(str(error), status=2)
    raise AssertionError


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
    with told_or_exit():
        try:
            yield
        except Stopped as error:
            kept = (
                f"; {job.journal} keeps what was paid for, and the same command goes on" if job.journal.exists() else ""
            )
            fail(f"{error}{kept}", status=130 if str(error) == "stopped" else 1)
        except (JournalFault, PromptFault) as error:
            fail(str(error), status=2)
        except (RecordFileError, ImportError, ValueError) as error:
            fail(str(error))


def tell(job: Job, lines: list[str]) -> None:
    """The report, and where everything is."""
    for line in lines:
        typer.echo(line)
    typer.echo(f"written to {job.out}; what was dropped, and why: {beside(job.out, 'dropped.jsonl')}")


def tell_estimate(estimate: Estimate, asked: Asked) -> None:
    for line in estimate.lines(asked.limits):
        typer.echo(line)


def prompt_or_exit(name: str, folder: Path | None, *needs: str) -> Prompt:
    """A prompt of the package, or the user's own."""
    try:
        return Prompt.read(name, folder, needs)
    except PromptFault as error:
        fail(str(error), status=2)
        raise AssertionError from None


def rows_of(source: Path, limit: int | None) -> int | None:
    """The rows of a file of lines, for the bar; None where that is not known at once."""
    try:
        if source.suffix not in (".jsonl", ".ndjson"):
            return limit
        return min(count_lines(source), limit or 1 << 60)
    except (OSError, RecordFileError) as error:
        fail(reason(error))
        raise AssertionError from None
