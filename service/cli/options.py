"""Settings as command-line options, made from the settings themselves so that the two cannot differ.

    @with_settings(*ANNOTATIONS, *JUDGE)
    def audit(settings: Settings, out: Path) -> None: …

A command takes the settings that it can use, from the command line and the environment alike; of all others it has the
defaults, whatever a server's variables say. Its own options stand first in its help, and the settings below, in panels.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from pathlib import PurePath
from typing import Annotated, Any, NoReturn

import typer
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from perception_reward.service.settings import (
    REPEATABLE,
    Settings,
    SettingsError,
    load,
    option_name,
    variable_name,
)

ANNOTATIONS = ("annotations", "mark_given")
PROFILES = ("profile", "profiles")
JUDGE = (
    "judge",
    "judge_config",
    "judge_method",
    "judge_evidence",
    "judge_grounding",
    "judge_language",
    "judge_scope",
    "judge_api_key",
    "judge_tokenizer",
    "judge_concurrency",
    "judge_engine_arg",
    "judge_restart",
    "judge_calibration",
    "max_response_chars",
)
CACHE = ("redis_url", "redis_timeout", "cache_mb", "cache_ttl")
WORK = ("workers", "worker_memory_mb", "accuracy_time_limit", "request_timeout")
LOG = ("log_level", "log_json", "log_responses")
PANELS = {
    "Annotations and profiles": (*ANNOTATIONS, *PROFILES),
    "The judge": (*JUDGE, "cascade_check", "audit"),
    "The cache of verdicts": CACHE,
    "Workers and time limits": WORK,
    "The log": LOG,
}
# Whatever stands in no other panel.
SERVER = "The server"


def with_settings(*names: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give `command(settings, …)` an option for each of the settings `names`. A wrong one ends it with status 2.

    The variables are read by the settings, not by typer: an option only overrides what the environment says.
    """
    return functools.partial(_with_settings, names)


def _with_settings(names: Sequence[str], command: Callable[..., None]) -> Callable[..., None]:
    fields = {name: Settings.model_fields[name] for name in sorted(names, key=_place)}
    unused = {name: field for name, field in Settings.model_fields.items() if name not in fields}

    def settings(chosen: dict[str, Any]) -> Settings:
        overrides = {name: field.get_default(call_default_factory=True) for name, field in unused.items()}
        return settings_or_exit(**overrides, **{name: value for name, value in chosen.items() if value != []})

    return with_options([_option(name, field) for name, field in fields.items()], settings, command)


def with_options(
    options: Sequence[inspect.Parameter], make: Callable[[dict[str, Any]], Any], command: Callable[..., None]
) -> Callable[..., None]:
    """`command` with `options` behind its own; its first argument is what `make` makes of those that were given."""
    _, *own = inspect.signature(command, eval_str=True).parameters.values()

    @functools.wraps(command)
    def run(**values: Any) -> None:
        chosen = {option.name: values.pop(option.name) for option in options}
        command(make({name: value for name, value in chosen.items() if value is not None}), **values)

    run.__signature__ = inspect.Signature([*own, *options])  # pyright: ignore[reportAttributeAccessIssue]
    # typer evaluates annotations by name, from what `wraps` copied: those of the new parameters have to be there.
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in (*own, *options)}
    return run


def settings_or_exit(**overrides: object) -> Settings:
    """The settings; a wrong one is told in one line, with exit status 2."""
    try:
        return load(**overrides)
    except SettingsError as error:
        fail(str(error), status=2)


def reason(error: Exception) -> str:
    """The error in a line, without the number that the system gives it."""
    if isinstance(error, OSError) and error.filename is not None and error.strerror:
        return f"{error.filename}: {error.strerror}"
    return str(error)


def fail(message: str, *, status: int = 1) -> NoReturn:
    """Say why, on standard error, and exit with `status`."""
    typer.secho(f"error: {message}", err=True, fg=typer.colors.RED)
    raise typer.Exit(status)


def _panel(name: str) -> str:
    return next((panel for panel, names in PANELS.items() if name in names), SERVER)


def _place(name: str) -> tuple[int, int]:
    """Where an option stands: the server's own first, then the panels in their order."""
    return [SERVER, *PANELS].index(_panel(name)), list(Settings.model_fields).index(name)


def _option(name: str, field: FieldInfo) -> inspect.Parameter:
    flag = field.annotation is bool
    declaration = f"{option_name(name)}/--no-{name.replace('_', '-')}" if flag else option_name(name)
    option = typer.Option(
        declaration,
        help=f"{field.description} ({_default(field)}; {variable_name(name)})",
        metavar=None if flag else "VALUE",
        show_default=False,
        rich_help_panel=_panel(name),
    )
    annotation = Annotated[bool | None, option] if flag else Annotated[str | None, option]
    if field.json_schema_extra == REPEATABLE:
        annotation = Annotated[list[str] | None, option]
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)


def _default(field: FieldInfo) -> str:
    if field.default is PydanticUndefined or field.default in (None, ()):
        return "default: none" if field.default_factory is None else "default: by the machine"
    shown = str(field.default) if isinstance(field.default, str | PurePath) else repr(field.default)
    return f"default: {shown}"
