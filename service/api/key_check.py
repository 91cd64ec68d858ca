"""Who is let in: the key that a request presents, and whether its holder may do what is asked. Pure ASGI."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Generator
from contextlib import contextmanager

from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from perception_reward.service.admission import Admission
from perception_reward.service.api.problems import problem
from perception_reward.service.keyring import UNLIMITED, Key, Keyring, Right
from perception_reward.service.metrics import Metrics

# Probes of an orchestrator carry no key, and are answered while the service drains.
OPEN_PATHS = frozenset({"/livez", "/readyz"})
METRICS_PATH = "/metrics"
_ANNOTATIONS = "/v1/annotations"
# What only describes the service.
_ABOUT = ("/v1/judge", "/v1/profiles", "/docs", "/openapi.json")
_READING = frozenset({"GET", "HEAD"})


def rights_for(method: str, path: str) -> frozenset[Right]:
    """The rights of which a key needs one."""
    if path == METRICS_PATH:
        return frozenset(["metrics"])
    if path.startswith(_ANNOTATIONS) and method not in _READING:
        return frozenset(["annotate"])
    return frozenset(["score", "annotate"]) if path.startswith((_ANNOTATIONS, *_ABOUT)) else frozenset(["score"])


class KeyCheck:
    """Lets in who presents a key: `Authorization: Bearer KEY`, or HTTP basic with the key as the password.

    open_metrics: `/metrics` asks for no key.
    """

    def __init__(self, app: ASGIApp, keyring: Keyring, metrics: Metrics, *, open_metrics: bool = False) -> None:
        self._app = app
        self._keyring = keyring
        self._open_paths = OPEN_PATHS | {METRICS_PATH} if open_metrics else OPEN_PATHS
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not self._keyring or scope["path"] in self._open_paths:
            await self._app(scope, receive, send)
            return
        key = self._keyring.find(presented_key(Headers(scope=scope).get("authorization", "")))
        if key is None:
            self._metrics.refused("unauthorized")
            refusal = problem(
                401,
                "no valid API key; send Authorization: Bearer KEY, or HTTP basic with the key as the password",
                headers={"WWW-Authenticate": 'Bearer realm="perception-reward", Basic realm="perception-reward"'},
            )
        elif not key.may(needed := rights_for(scope["method"], scope["path"])):
            self._metrics.refused("forbidden")
            refusal = problem(403, f"the key {key.name or 'presented'} may not do this: it needs {_either(needed)}")
        else:
            scope.setdefault("state", {})["key"] = key
            refusal = self._app
        await refusal(scope, receive, send)


def _either(rights: frozenset[Right]) -> str:
    return " or ".join(sorted({*rights, "admin"}, key=lambda right: (right == "admin", right)))


def key_of(request: HTTPConnection) -> Key:
    """Whose request it is."""
    return getattr(request.state, "key", UNLIMITED)


@contextmanager
def admitted(request: HTTPConnection, admission: Admission, metrics: Metrics, items: int) -> Generator[None]:
    """Hold places for `items` items, within the service's limits and those of the request's key; else `Overloaded`."""
    key = key_of(request)
    with admission.admit(items), key.admit(items):
        if key.name is not None:
            metrics.keyed(key.name, items)
        yield


def presented_key(authorization: str) -> bytes:
    """The key in an Authorization header, empty if there is none that can be read."""
    scheme, _, credentials = authorization.partition(" ")
    if scheme.lower() == "bearer":
        # A header's bytes are read as Latin-1, one character each, and so they are got back. Only ASCII spaces are
        # stripped: the last byte of a letter, read like that, can be a space of Latin-1.
        return credentials.strip(" \t").encode("latin-1", "ignore")
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(credentials.strip(), validate=True).partition(b":")[2]
        except (binascii.Error, ValueError):
            return b""
    return b""
