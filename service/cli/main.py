"""`perception-reward`: the commands, in one program."""

from __future__ import annotations

from importlib.metadata import version as installed_version

import typer

from perception_reward.service.cli import (
    agree,
    annotations,
    audit,
    check,
    compare,
    dataset,
    demo,
    profiles,
    report,
    score,
    serve,
    trainers,
    watch,
)

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
app.command("compare")(compare.compare)
app.command("report")(report.report)
app.command("watch")(watch.watch)
app.command("dataset")(dataset.dataset)
app.command("profiles")(profiles.profiles)


# Its options are its own parser's: it works where typer is not installed.
@app.command(
    "check", add_help_option=False, context_settings={"allow_extra_args": True, "ignore_unknown_options": True}
)
def check_service(context: typer.Context) -> None:
    """Ask a service whether a trainer can use it, and what it lacks of a data set; the base install has this too."""
    raise typer.Exit(check.main(context.args))


app.command("path")(trainers.path)
app.command("trainers")(trainers.trainers)
app.add_typer(annotations.app, name="annotations")


@app.command()
def version() -> None:
    """Print the version."""
    typer.echo(installed_version("perception-reward"))
