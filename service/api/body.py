"""Bodies as trainers really send them: Python's `json` writes lone surrogates, which are no Unicode text.

A policy in training emits every byte there is, so a lone surrogate in one response must not fail the request; it is
read as U+FFFD, one character for one, so that spans stay true.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute

from perception_reward.annotations.surrogates import mended

_ESCAPED_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


class LenientRequest(Request):
    """A request whose JSON may hold lone surrogates."""

    async def json(self) -> Any:
        return parse(await self.body())


class LenientRoute(APIRoute):
    """A route that reads its body with `parse`."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def handler(request: Request) -> Response:
            return await handle(LenientRequest(request.scope, request.receive))

        return handler


class ScoringRoute(LenientRoute):
    """The same for scoring, where JSON is taken for JSON whatever its Content-Type says: `curl -d` says it is a form.

    Scoring stores nothing, and `origin` refuses pages of other sites. What is stored has to say that it is JSON
    (`deps.declared`): a page of another site can make a browser send a form or text without asking.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def handler(request: Request) -> Response:
            headers = [(name, value) for name, value in request.scope["headers"] if name != b"content-type"]
            scope = {**request.scope, "headers": [*headers, (b"content-type", b"application/json")]}
            return await handle(Request(scope, request.receive))

        return handler


def parse(body: bytes) -> Any:
    """The JSON value of `body`; `json.JSONDecodeError` for whatever is not JSON or nested beyond all reason."""
    try:
        value = json.loads(body)
        return mended(value) if _ESCAPED_SURROGATE.search(body) else value
    except json.JSONDecodeError:
        raise
    except (ValueError, RecursionError) as error:
        raise json.JSONDecodeError(_reason(error), "", 0) from None


def _reason(error: Exception) -> str:
    if isinstance(error, UnicodeDecodeError):
        return f"not UTF-8 at byte {error.start}"
    if isinstance(error, RecursionError):
        return "nested too deeply"
    return str(error)
