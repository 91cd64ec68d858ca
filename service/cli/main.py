"""`perception-reward`: the commands, in one program."""

from __future__ import annotations

import importlib
from functools import cache
from importlib.metadata import version as installed_version
from typing import Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

from perception_reward.service.cli import lacking

# By name, the module of a command and what it is called there. What a command needs is imported when it is asked for:
# all of them together take longer to start than many a file takes to be scored.
COMMANDS = {
    "demo": "demo:demo",
    "serve": "serve:serve",
    "score": "score:score",
    "audit": "audit:audit",
    "agree": "agree:agree",
    "judge": "judge:app",
    "compare": "compare:compare",
    "report": "report:report",
    "watch": "watch:watch",
    "dataset": "dataset:dataset",
    "profiles": "profiles:profiles",
    "check": "trainers:checking",
    "path": "trainers:path",
    "trainers": "trainers:trainers",
    "annotations": "annotations:app",
}


class _Commands(TyperGroup):
    """Knows every name, and no more of a command until it is asked for."""

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        return _loaded(cmd_name) if cmd_name in COMMANDS else super().get_command(ctx, cmd_name)


@cache
def _loaded(name: str) -> Any:
    """The command, with its options."""
    module, _, place = COMMANDS[name].partition(":")
    try:
        found: Any = getattr(importlib.import_module(f"perception_reward.service.cli.{module}"), place)
    except ModuleNotFoundError as error:
        typer.echo(lacking(error), err=True)
        raise typer.Exit(2) from None
    if not isinstance(found, typer.Typer):
        function, found = found, typer.Typer(add_completion=False)
        found.command()(function)
    command = get_command(found)
    command.name = name
    return command


def _named() -> None: ...


app = typer.Typer(
    cls=_Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
    help="A reward service that tells how well a vision-language model's response perceived the image.",
)
for _name in COMMANDS:
    app.command(_name)(_named)


@app.command()
def version() -> None:
    """Print the version."""
    typer.echo(installed_version("perception-reward"))
