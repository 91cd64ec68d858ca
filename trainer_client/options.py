"""The client's options: arguments first, then `PERCEPTION_REWARD_*` variables, then defaults."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Literal, TypeVar, get_args
from urllib.parse import unquote, urlsplit, urlunsplit

from perception_reward.trainer_client.errors import OptionError
from perception_reward.trainer_client.tokens import opened_thought

ENVIRONMENT_PREFIX = "PERCEPTION_REWARD_"
DEFAULT_URL = "http://127.0.0.1:8420"
# What people copy out of an example, longest first. The client knows the rest of the path by itself.
ENDPOINTS = ("/v1/score/stream", "/v1/score", "/v1")

Policy = Literal["native", "group_mean", "raise", "zero"]

T = TypeVar("T")


@dataclass(frozen=True)
class Options:
    """Everything a client needs to be made again in another process. Its `repr` shows no key."""

    urls: tuple[str, ...] = (DEFAULT_URL,)
    api_key: str | None = field(default=None, repr=False)
    profile: str | None = None
    run: str | None = None
    # What the prompts' template has written of every response, where the adapter cannot see it: `<think>`.
    prefix: str | None = None
    # Whether the service is to say of each fact why its verdict is what it is.
    explain: bool = False
    on_missing: Policy = "native"
    # Below what trainers wait for a reward, above what the service takes for one request (110 s).
    timeout: float = 120.0
    # One item a call: how long the first of a batch waits for others, in seconds, and how many go together.
    batch_wait: float = 0.004
    batch_size: int = 256
    # Many items a call: how many go into one request, and how many requests of one call are under way at once.
    request_items: int = 512
    requests_at_once: int = 8
    # One per sample where each waits for an answer of its own; idle ones cost a file descriptor, no more.
    connections: int = 1000
    compress_above: int = 65536
    ca_file: str | None = None
    verify: bool = True
    missing_limit: float = 0.2
    missing_window: int = 200
    # Before the first rollout: whether the service is asked who it is, and the seconds that one which does not answer
    # or is not ready is waited for. With one more try after those, the answer is there within 5 s.
    check: bool = True
    start_wait: float = 3.0
    # Whether an adapter stops a run whose rows name no facts.
    require_facts: bool = True

    def __post_init__(self) -> None:
        for name in ("timeout", "batch_size", "request_items", "requests_at_once", "connections", "missing_window"):
            if not getattr(self, name) > 0:
                raise OptionError(f"{named(name)} has to be above 0, not {getattr(self, name)}")
        if not self.start_wait >= 0:
            raise OptionError(f"{named('start_wait')} has to be 0 or above, not {self.start_wait}")
        if not 0 <= self.missing_limit <= 1:
            raise OptionError(f"{named('missing_limit')} is a share from 0 to 1, not {self.missing_limit}")
        if self.on_missing not in get_args(Policy):
            raise OptionError(f"{named('on_missing')}: {self.on_missing!r} is none of {', '.join(get_args(Policy))}")
        if self.prefix and not opened_thought(self.prefix):
            raise OptionError(
                f"{named('prefix')}: {self.prefix!r} opens no thought; it is <think> where a template does"
            )
        if not self.urls:
            raise OptionError(f"{named('base_url')} names no server")


def resolve_options(
    base_url: str | Sequence[str] | None = None,
    api_key: str | None = None,
    environment: Mapping[str, str] = os.environ,
    **arguments: Any,
) -> Options:
    """Options from the arguments that are not None, then from `environment`, then the defaults.

    base_url: one URL, several separated by commas, or a sequence. A password in it is an API key. An address that ends
        with `/v1/score` is that of its service.
    Raises `OptionError`, which names the option and its variable, for what cannot be used.
    """
    urls, password = _servers(base_url if base_url is not None else environment.get(variable("base_url"), DEFAULT_URL))
    key = api_key or password or environment.get(variable("api_key"))
    values: dict[str, Any] = {"urls": urls, "api_key": _first_key(key)}
    for name, read in _READERS.items():
        if arguments.get(name) is not None:
            values[name] = arguments[name]
        elif (text := environment.get(variable(name))) not in (None, ""):
            values[name] = _read(name, text, read)
    return Options(**values)


def variable(name: str) -> str:
    """The environment variable of an option."""
    return ENVIRONMENT_PREFIX + ("URL" if name == "base_url" else name.upper())


def named(name: str) -> str:
    """An option as an error calls it: with its variable."""
    return f"{name} ({variable(name)})"


def _read(name: str, text: str, read: Callable[[str], T]) -> T:
    try:
        return read(text)
    except ValueError:
        raise OptionError(f"{named(name)}: {text!r} cannot be read as a {read.__name__.strip('_')}") from None


def _truth(text: str) -> bool:
    lowered = text.strip().lower()
    if lowered in ("1", "true", "yes", "on"):
        return True
    if lowered in ("0", "false", "no", "off"):
        return False
    raise ValueError(text)


def _reader(kind: str) -> Callable[[str], Any]:
    return next((read for name, read in (("int", int), ("float", float), ("bool", _truth)) if name in kind), str)


# Every field but those that are read in a way of their own, with what reads its variable.
_READERS: dict[str, Callable[[str], Any]] = {
    option.name: _reader(str(option.type)) for option in fields(Options) if option.name not in ("urls", "api_key")
}


def _servers(source: str | Sequence[str]) -> tuple[tuple[str, ...], str | None]:
    """The URLs without what must not be shown, and the password that one of them held."""
    pieces = source.split(",") if isinstance(source, str) else source
    password: str | None = None
    urls: list[str] = []
    for piece in filter(None, (piece.strip() for piece in pieces)):
        parts = urlsplit(piece)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            # The rest may hold a password.
            raise OptionError(f"{named('base_url')}: a server is http://HOST:PORT or https://HOST:PORT")
        password = password or (unquote(parts.password) if parts.password else None)
        path = parts.path.rstrip("/")
        ending = next((known for known in ENDPOINTS if path.endswith(known)), "")
        server = (parts.scheme, parts.netloc.rpartition("@")[2], path.removesuffix(ending).rstrip("/"), "", "")
        urls.append(urlunsplit(server))
    return tuple(dict.fromkeys(urls)), password


def _first_key(key: str | None) -> str | None:
    """The service may be given several keys, separated by commas, in the same variable."""
    return next(filter(None, (piece.strip() for piece in (key or "").split(","))), None)
