"""`perception-reward path` and `perception-reward trainers`."""

from __future__ import annotations

from typing import Annotated

import typer

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
