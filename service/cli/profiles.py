"""`perception-reward profiles`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.padding import Padding
from rich.text import Text

from perception_reward.service.cli.running import told_or_exit
from perception_reward.service.cli.screen import screen
from perception_reward.service.profiles.load import load_profiles
from perception_reward.service.settings import variable_name


def profiles(
    profiles: Annotated[
        Path | None, typer.Option(envvar=variable_name("profiles"), help="TOML file with profiles of your own.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print every setting of every profile as JSON.")] = False,
) -> None:
    """List the profiles: how the components of the reward become one score."""
    with told_or_exit(ValueError, status=2):
        loaded = load_profiles(profiles)
    if as_json:
        typer.echo(json.dumps({name: profile.model_dump(mode="json") for name, profile in loaded.items()}, indent=2))
        return
    console = screen()
    for name, profile in loaded.items():
        console.print(Text(name, "bold"))
        console.print(Padding(f"{profile.formula}\n{profile.description}", (0, 0, 1, 2), expand=False))
