"""Named API keys: what the holder of each may do, and how much of it. From the settings, or from a file of keys.

    [trainer-7b]
    key = "…"                  # or key_file = "trainer-7b.key", or sha256 = "…"; a list while one is being replaced
    may = ["score"]
    items_per_second = 2000    # optional
    pending_items = 8192       # optional

A file is read again when it or a `key_file` changes: a key is replaced without a restart.
"""

from __future__ import annotations

import hashlib
import hmac
import math
import re
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Literal

import tomllib
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from perception_reward.annotations.faults import first_fault
from perception_reward.annotations.stamps import Stamp, stamps
from perception_reward.service.admission import Overloaded, retry_after

Right = Literal["score", "annotate", "metrics", "admin"]
"""score: score, and read annotations. annotate: read and write annotations. metrics: `/metrics`. admin: everything."""

SHORTEST = 16
"""Characters of a key in a file. One that can be guessed is none."""

_name = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_digest = re.compile(r"[0-9a-f]{64}")


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


Several = Annotated[list[str], BeforeValidator(_listed)]


class KeyEntry(BaseModel):
    """One table of a file of keys."""

    model_config = ConfigDict(extra="forbid")

    key: Several = []
    key_file: Several = []
    sha256: Several = []
    may: list[Right] = Field(min_length=1)
    items_per_second: float | None = Field(default=None, gt=0)
    pending_items: int | None = Field(default=None, ge=1)


class Usage:
    """What a key's holder has under way, and the items that its rate still allows. Kept when the file is read again."""

    def __init__(self) -> None:
        self.pending = 0
        self._balance = math.inf
        self._at = time.monotonic()

    def spend(self, items: int, rate: float) -> float | None:
        """Seconds until more is allowed, and nothing spent; None where the items are allowed.

        A batch is allowed whole as soon as the one before it is paid for: trainers send a step's rollouts at once.
        """
        now = time.monotonic()
        self._balance = min(self._balance + (now - self._at) * rate, rate)
        self._at = now
        if self._balance <= 0:
            return -self._balance / rate
        self._balance -= items
        return None


class Key:
    """One holder: a name for logs and metrics, rights, and limits. name: None for a key of the settings."""

    def __init__(
        self,
        name: str | None,
        rights: frozenset[Right],
        usage: Usage,
        *,
        items_per_second: float | None = None,
        pending_items: int | None = None,
    ) -> None:
        self.name = name
        self.rights = rights
        self._usage = usage
        self._rate = items_per_second
        self._most_pending = pending_items

    def may(self, rights: frozenset[Right]) -> bool:
        """Whether it has one of `rights`, or all there are."""
        return "admin" in self.rights or bool(self.rights & rights)

    @contextmanager
    def admit(self, items: int) -> Generator[None]:
        """Hold places for `items` items within the key's own limits; `Overloaded` where they do not allow that."""
        usage = self._usage
        if self._most_pending is not None and usage.pending and usage.pending + items > self._most_pending:
            raise Overloaded(
                f"the key {self.name} has {usage.pending} items under way, and {items} more are over its limit of "
                f"{self._most_pending}",
                retry_after(1.0),
            )
        if self._rate is not None and (wait := usage.spend(items, self._rate)) is not None:
            raise Overloaded(f"the key {self.name} is over its {self._rate:g} items a second", retry_after(wait))
        usage.pending += items
        try:
            yield
        finally:
            usage.pending -= items


UNLIMITED = Key(None, frozenset(["admin"]), Usage())
"""The holder of a key of the settings, and who calls a service that asks for no key."""


class Keyring:
    """All keys that open the service. Empty: it asks for none."""

    def __init__(self, keys: tuple[str, ...] = (), scrape_key: str | None = None, file: Path | None = None) -> None:
        """ValueError and OSError for a file that cannot be used."""
        self._file = file
        self._usages: dict[str, Usage] = {}
        self._fixed: dict[bytes, Key] = {}
        if scrape_key is not None and (keys or file is not None):
            self._fixed[_sha256(scrape_key.encode())] = Key(None, frozenset(["metrics"]), Usage())
        for key in keys:
            self._fixed[_sha256(key.encode())] = UNLIMITED
        # The files that were read last, and what they were then.
        self._files: tuple[Path, ...] = ()
        self._seen: tuple[Stamp | None, ...] = ()
        self._keys: dict[bytes, Key] = {}
        self.reload()

    def __bool__(self) -> bool:
        return bool(self._keys)

    @property
    def names(self) -> tuple[str, ...]:
        """Of the keys of the file."""
        return tuple(sorted({key.name for key in self._keys.values() if key.name is not None}))

    def find(self, presented: bytes) -> Key | None:
        """The holder of a key. Every digest is compared, in constant time: nothing is learnt from how long it took."""
        digest = _sha256(presented)
        found = [key for known, key in self._keys.items() if hmac.compare_digest(digest, known)]
        return found[0] if found else None

    def changed(self) -> bool:
        """Whether the file, or a file that it names, is another than when it was last read."""
        return stamps(self._files) != self._seen

    def reload(self) -> None:
        """Read the file again. ValueError and OSError where it cannot be used: what was read before stays."""
        if self._file is None:
            self._keys = dict(self._fixed)
            return
        # Looked at before it is read: a change in between is seen, and a fault is told once.
        self._files = (self._file,)
        self._seen = stamps(self._files)
        entries = _entries(self._file)
        folder = self._file.parent
        named = tuple(folder / name for entry in entries.values() for name in entry.key_file)
        self._files, self._seen = (*self._files, *named), (*self._seen, *stamps(named))
        read: dict[bytes, Key] = {}
        for name, entry in entries.items():
            usage = self._usages.setdefault(name, Usage())
            key = Key(
                name,
                frozenset(entry.may),
                usage,
                items_per_second=entry.items_per_second,
                pending_items=entry.pending_items,
            )
            for digest in _digests(name, entry, folder):
                if digest in read:
                    raise ValueError(f"{self._file.name}: {read[digest].name} and {name} are the same key")
                read[digest] = key
        self._keys = {**self._fixed, **read}


def _entries(file: Path) -> Mapping[str, KeyEntry]:
    try:
        tables = tomllib.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:  # no TOML, or no UTF-8. What stands there is secret, and is not repeated.
        place = re.search(r"\(at [^)]*\)", str(error))
        raise ValueError(f"{file.name} is no TOML{f' {place.group()}' if place else ''}") from None
    if not tables:
        raise ValueError(f"{file.name}: there is no key in it; give each a table, such as [trainer] with key and may")
    return {name: _entry(file, name, table) for name, table in tables.items()}


def _entry(file: Path, name: str, table: object) -> KeyEntry:
    if not _name.fullmatch(name):
        raise ValueError(f"{file.name}: a key's name has up to 64 letters, digits, dots, hyphens and underscores")
    try:
        entry = KeyEntry.model_validate(table)
    except ValidationError as error:
        where, message = first_fault(error)
        raise ValueError(
            f"{file.name}: {name}.{where}: {message}" if where else f"{file.name}: {name}: {message}"
        ) from None
    if not (entry.key or entry.key_file or entry.sha256):
        raise ValueError(f"{file.name}: {name}: give key, key_file or sha256")
    return entry


def _digests(name: str, entry: KeyEntry, folder: Path) -> Generator[bytes]:
    keys = list(entry.key)
    for file in entry.key_file:
        keys += [line.strip() for line in (folder / file).read_text(encoding="utf-8").splitlines() if line.strip()]
    if short := [key for key in keys if len(key) < SHORTEST]:
        raise ValueError(
            f"{name}: a key has {len(short[0])} characters; give at least {SHORTEST}, such as those of "
            "`openssl rand -hex 32`"
        )
    if not keys and not entry.sha256:
        raise ValueError(f"{name}: its key_file holds no key")
    for digest in entry.sha256:
        if not _digest.fullmatch(digest.lower()):
            raise ValueError(f"{name}: sha256 has to be 64 hexadecimal digits")
    yield from (_sha256(key.encode()) for key in keys)
    yield from (bytes.fromhex(digest) for digest in entry.sha256)


def _sha256(key: bytes) -> bytes:
    return hashlib.sha256(key).digest()
