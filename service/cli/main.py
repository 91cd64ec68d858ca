"""`perception-reward`: serve, demo, score, audit, agree, dataset, profiles, version, and the tools for annotations."""

from __future__ import annotations

from importlib.metadata import version as installed_version

import typer

from perception_reward.service.cli import agree, annotations, audit, dataset, demo, profiles, score, serve, trainers

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
    help="A reward service that tells how well a vision-language model's response perceived the image.",
)
app.command("demo")(demo.demo)
app.command("serve")(serve.serve)
app.command("score")(score.score)
app.command("audit")(audit.audit)
app.command("agree")(agree.agree)
app.command("dataset")(dataset.dataset)
app.command("profiles")(profiles.profiles)
app.command("path")(trainers.path)
app.command("trainers")(trainers.trainers)
app.add_typer(annotations.app, name="annotations")


@app.command()
def version() -> None:
    """Print the version."""
    typer.echo(installed_version("perception-reward"))
