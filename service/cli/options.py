"""Every setting as a command-line option, made from the settings themselves so that the two cannot differ."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from pathlib import PurePath
from typing import Annotated, Any

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


def with_settings(command: Callable[..., None]) -> Callable[..., None]:
    """Give `command(settings, …)` an option per setting. A wrong one ends it with one line and status 2.

    The variables are read by the settings, not by typer: an option only overrides what the environment says.
    """
    own = [p for name, p in inspect.signature(command, eval_str=True).parameters.items() if name != "settings"]
    taken = {parameter.name for parameter in own}
    fields = {name: field for name, field in Settings.model_fields.items() if name not in taken}

    @functools.wraps(command)
    def run(**values: Any) -> None:
        given = {name: values.pop(name) for name in fields}
        command(settings_or_exit(**{name: value for name, value in given.items() if value not in (None, [])}), **values)

    options = [_option(name, field) for name, field in fields.items()]
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
        raise AssertionError from None


def fail(message: str, *, status: int = 1) -> None:
    """Say why, on standard error, and exit with `status`."""
    typer.secho(f"error: {message}", err=True, fg=typer.colors.RED)
    raise typer.Exit(status)


def _option(name: str, field: FieldInfo) -> inspect.Parameter:
    flag = field.annotation is bool
    declaration = f"{option_name(name)}/--no-{name.replace('_', '-')}" if flag else option_name(name)
    option = typer.Option(
        declaration,
        help=f"{field.description} ({_default(field)}; {variable_name(name)})",
        metavar=None if flag else "VALUE",
        show_default=False,
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
