"""A request to a judge server, and its answer's body, of which no more is taken than was asked for."""

from __future__ import annotations

import asyncio
import json
import math
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import aiohttp

from perception_reward.service.judges.llm.engine import JudgeFailure

Fault: TypeAlias = Literal["size", "encoding", "slow", "content"]

# Seconds from a reply's head to its end. vLLM sends both at once, when all is generated.
BODY_SECONDS = 10.0

# Asked of every server. A packed body can be a thousand times as large as what comes over the wire, and replies are
# small: what is packed all the same is refused.
PLAIN = {"Accept-Encoding": "identity"}


class Unusable(Exception):
    """A body that was not taken."""

    def __init__(self, fault: Fault, detail: str) -> None:
        super().__init__(detail)
        self.fault: Fault = fault


async def whole_body(reply: aiohttp.ClientResponse, most: int) -> bytes:
    """The body of at most `most` bytes. Raises Unusable; the connection is closed then."""
    if reply.headers.get("Content-Encoding", "identity").strip().lower() != "identity":
        reply.close()
        raise Unusable("encoding", "a packed body, though plain ones are asked for")
    if (reply.content_length or 0) > most or len(body := await first_bytes(reply, most + 1)) > most:
        reply.close()
        raise Unusable("size", f"a body of more than {most} bytes, the most that an answer to the request can take")
    return body


async def first_bytes(reply: aiohttp.ClientResponse, most: int) -> bytes:
    """The body up to `most` bytes of it; what comes after is not waited for, and the connection closed."""
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            while len(body) < most and (piece := await reply.content.readany()):
                body += piece
    except TimeoutError:
        reply.close()
        raise Unusable("slow", f"a body that was not there {BODY_SECONDS:g} s after its head") from None
    if not reply.content.at_eof():
        reply.close()
    return bytes(body[:most])


def decoded(body: bytes) -> Any:
    """The JSON in `body`. Raises JudgeFailure for what is none, and for a NaN: what is computed beside one is as
    good as one. An object that names a field twice is None: it does not say which of the two holds."""
    try:
        return json.loads(body.decode(), parse_constant=_constant, object_pairs_hook=_object)
    except (ValueError, RecursionError):
        raise JudgeFailure("judge_unparseable", "the reply is not JSON") from None


def _constant(name: str) -> float:
    if name == "NaN":
        raise ValueError("a NaN")
    return math.inf if name == "Infinity" else -math.inf


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any] | None:
    fields = dict(pairs)
    return fields if len(fields) == len(pairs) else None


@dataclass(frozen=True, slots=True)
class Call:
    """The path below the endpoint's URL, and a JSON body.

    most: bytes that an answer to it may have; the server is asked for nothing that takes more.
    optional: there is another way for servers that refuse it, so that a refusal is nothing to complain about.
    """

    path: str
    body: bytes
    most: int
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """The body with which the server `endpoint` (host:port) answered 200."""

    endpoint: str
    body: bytes


class Refused(JudgeFailure):
    """An endpoint answered with `status`, an HTTP status that another try would not change."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__("judge_unavailable", detail)
        self.status = status
