"""Profiles from TOML: the packaged ones, and those of a user's file.

    [mine]
    base = "perception-r1"
    weights = { perception = 1.0 }

A profile with a `base` takes everything from it and overrides, key by key, what it names itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any, TypeAlias, cast

import tomllib
from pydantic import BaseModel, ValidationError

from perception_reward.service.profiles.model import Gate, Profile, Ramp
from perception_reward.service.rewards.perception import PerceptionRule
from perception_reward.service.rewards.registry import ComponentError, registered

Table: TypeAlias = dict[str, Any]

_PACKAGED = "profiles.toml"
# How files from before facts had an origin say it.
_OLD_NAMES = {"visual": "seen", "textual": "given"}
_OLD_SHARES = {"modalities": "origins"}
_tables: Mapping[str, type[BaseModel]] = {
    "": Profile,
    "perception": PerceptionRule,
    "gate": Gate,
    "ramp": Ramp,
}


class ProfileError(ValueError):
    """A profile file is not right; the message says which file, profile and key, and what is known."""


def load_profiles(user_file: Path | None = None) -> Mapping[str, Profile]:
    """All profiles by name: the packaged ones, then those of `user_file`.

    Raises `ProfileError` for a file that cannot be read, a key or a weight that does not exist, a value out
    of range, an unknown or circular `base`, and a name that a packaged profile has already.
    """
    packaged = _read(
        _PACKAGED, files("perception_reward.service.profiles").joinpath(_PACKAGED).read_text(encoding="utf-8")
    )
    try:
        registered()
    except ComponentError as error:
        raise ProfileError(str(error)) from error
    if user_file is None:
        return {name: _build(_PACKAGED, name, packaged) for name in packaged}
    own = _read(str(user_file), _text(user_file))
    taken = sorted(packaged.keys() & own.keys())
    if taken:
        raise ProfileError(
            f"{user_file}: {taken[0]!r} is a packaged profile, and others rely on its meaning; "
            f'give yours another name, with base = "{taken[0]}"'
        )
    tables = packaged | own
    return {name: _build(str(user_file) if name in own else _PACKAGED, name, tables) for name in tables}


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ProfileError(f"{path}: the file cannot be read: {error}") from error


def _read(source: str, text: str) -> dict[str, Table]:
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ProfileError(f"{source}: not TOML: {error}") from error
    for name, table in document.items():
        if not isinstance(table, dict):
            raise ProfileError(f"{source}: {name!r} stands outside a profile; write it below a line like [mine]")
        profile = cast(Table, table)
        if isinstance(rule := profile.get("perception"), dict):
            profile["perception"] = _renamed(f"{source}: profile {name!r}", cast(Table, rule))
    return document


def _renamed(where: str, rule: Table) -> Table:
    """The keys of `perception` by their names of today. Raises `ProfileError` where both names are there."""
    for old, new in _OLD_NAMES.items():
        if {old, new} <= rule.keys():
            raise ProfileError(f"{where}: perception.{old} is the old name of perception.{new}; keep one of the two")
    renamed = {_OLD_NAMES.get(key, key): value for key, value in rule.items()}
    if "share" in renamed:
        renamed["share"] = _OLD_SHARES.get(str(renamed["share"]), renamed["share"])
    return renamed


def _build(source: str, name: str, tables: Mapping[str, Table]) -> Profile:
    table = _resolved(source, name, tables)
    if "name" in table:
        raise ProfileError(f"{source}: profile {name!r}: its name is the one in [{name}]; remove the key 'name'")
    try:
        profile = Profile.model_validate({"name": name, **table})
    except ValidationError as error:
        faults = "; ".join(_fault(fault["loc"], fault["type"], fault["msg"]) for fault in error.errors())
        raise ProfileError(f"{source}: profile {name!r}: {faults}") from error
    if unknown := [component for component in profile.components if component not in registered()]:
        known = ", ".join(registered())
        raise ProfileError(f"{source}: profile {name!r}: {unknown[0]!r} is no component; known: {known}")
    return profile


def _resolved(source: str, name: str, tables: Mapping[str, Table]) -> Table:
    """The profile's table over its base's, over that one's base, and so on."""
    chain = [name]
    while (base := tables[chain[-1]].get("base")) is not None:
        if not isinstance(base, str) or base not in tables:
            known = ", ".join(sorted(tables))
            raise ProfileError(f"{source}: profile {chain[-1]!r}: no base {base!r}; known: {known}")
        if base in chain:
            raise ProfileError(f"{source}: profile {name!r}: its base leads back to {base!r}")
        chain.append(base)
    table: Table = {}
    for link in reversed(chain):
        table = _merged(table, tables[link])
    inherits_description = len(chain) > 1 and "description" not in tables[name]
    return {
        key: value
        for key, value in table.items()
        if key != "base" and not (key == "description" and inherits_description)
    }


def _merged(base: Table, over: Table) -> Table:
    merged = dict(base)
    for key, value in over.items():
        under = merged.get(key)
        both_tables = isinstance(under, dict) and isinstance(value, dict)
        merged[key] = _merged(cast(Table, under), cast(Table, value)) if both_tables else value
    return merged


def _fault(location: tuple[int | str, ...], kind: str, message: str) -> str:
    path = [str(part) for part in location if part not in ("number", "ramp")]
    key = ".".join(path)
    if kind != "extra_forbidden":
        return f"{key}: {message}"
    table = "ramp" if "ramp" in location else path[0] if len(path) > 1 else ""
    known = [name for name in _tables[table].model_fields if name != "name"]
    return f"{key} is not a key; known: {', '.join(known + ['base'] * (table == ''))}"
