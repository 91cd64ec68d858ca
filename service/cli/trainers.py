"""`perception-reward path`, `trainers` and `check`."""

from __future__ import annotations

from typing import Annotated

import typer

from perception_reward.service.cli.check import main
from perception_reward.trainer_client.trainers.listing import path_of, table


def path(name: Annotated[str, typer.Argument(help="A trainer, as `perception-reward trainers` lists them.")]) -> None:
    """Print the file of a trainer's adapter, for trainers that want a path."""
    try:
        typer.echo(path_of(name))
    except ValueError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None


def trainers() -> None:
    """List the trainers that there is an adapter for, with the line that goes into each one's configuration."""
    typer.echo(table())


# Its options are its own parser's: it works where typer is not installed.
checking = typer.Typer(add_completion=False)


@checking.command(
    "check", add_help_option=False, context_settings={"allow_extra_args": True, "ignore_unknown_options": True}
)
def check(context: typer.Context) -> None:
    """Ask a service whether a trainer can use it, and what it lacks of a data set; the base install has this too."""
    raise typer.Exit(main(context.args))
