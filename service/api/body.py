"""Bodies read so that no body, whatever it holds, keeps the event loop from others for long.

A small body is read in one go. A large one is cut first (`split.py`); its items are then read and checked one by one,
and what was read is dropped as soon as it is checked, so that it is never all there twice. What is wrong with an item
is told as if the whole had been checked at once.

Python's `json` writes lone surrogates, which are no Unicode text. A policy in training emits every byte there is, so a
lone surrogate in one response must not fail the request; it is read as U+FFFD, one character for one, so that spans
stay true.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Coroutine, Mapping, Sequence
from functools import cache
from typing import Any, cast, get_args, get_origin

from fastapi import Request, Response
from fastapi.routing import APIRoute
from pydantic import BaseModel, ValidationError

from perception_reward.annotations.surrogates import mended
from perception_reward.service.api.memory import VALUE_BYTES, Share, share_of
from perception_reward.service.api.split import MOST_IN_ONE, most_values, split
from perception_reward.service.pace import Pace

# A body up to these is parsed in one go, in 20 ms at most; that of 512 items of 3 kB is among them.
SMALL_BYTES, SMALL_VALUES = 4 << 20, MOST_IN_ONE
# A body up to this long is checked in one go as well, by FastAPI, in 20 ms at most.
TINY_BYTES = 64 << 10
# Lists with one element for each rollout, of which a request may have as many as it may have items.
ROLLOUTS = frozenset({"items", "query", "prompts", "labels"})

_ESCAPED_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


class LenientRequest(Request):
    """A request whose JSON is of one model. It may hold lone surrogates."""

    model: type[BaseModel] | None = None

    async def body(self) -> bytes:
        """The body, which grows where it is: joined from its parts, it would stand still for a large one."""
        if not hasattr(self, "_body"):
            whole = bytearray()
            async for part in self.stream():
                whole += part
            self._body = cast(bytes, whole)
        return self._body

    async def json(self) -> Any:
        """What the endpoint's model is made of, as `read` has it."""
        body = await self.body()
        most_items: int = self.app.state.service.settings.max_items
        return await read(body, self.model, share_of(self), most_items)


class LenientRoute(APIRoute):
    """A route that reads its body with `read`."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()
        model = cast("type[BaseModel] | None", self.body_field and self.body_field.field_info.annotation)

        async def handler(request: Request) -> Response:
            lenient = LenientRequest(request.scope, request.receive)
            lenient.model = model
            return await handle(lenient)

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


async def read(body: bytes, model: type[BaseModel] | None, share: Share, most_items: int) -> Any:
    """The JSON value of `body`. Where `model` has lists of models, the elements of long ones are checked already.

    An element that is wrong stands there as it came, and ends its list: whoever checks the whole will find it there.
    Raises `json.JSONDecodeError` for what is no JSON, and `HTTPException` or `InvalidRequest` for what is too much.
    """
    kinds = {} if model is None else list_fields(model)
    if len(body) <= SMALL_BYTES and (values := most_values(body)) <= SMALL_VALUES:
        share.make(values * VALUE_BYTES)
        return parse(body) if len(body) <= TINY_BYTES else await _checked(parse(body), kinds)
    if b"\0" in body:  # no JSON holds one, but UTF-16 and UTF-32 do, which a parser would take a part of a body for
        raise json.JSONDecodeError("not UTF-8", "", 0)
    most = {name: most_items if name in ROLLOUTS else MOST_IN_ONE for name in kinds}
    parts = await split(body, most, share)
    value = parse(parts.frame)
    if not isinstance(value, dict):
        return value
    fields = cast("dict[str, Any]", value)
    for name, spans in parts.lists.items():
        if isinstance(fields.get(name), list):
            fields[name] = await _elements(body, spans, kinds[name])
    return fields


async def _elements(body: bytes, spans: Sequence[tuple[int, int]], kind: type[BaseModel] | None) -> list[Any]:
    elements: list[Any] = []
    pace = Pace()
    for start, end in spans:
        element, good = _element(parse(body[start:end]), kind)
        elements.append(element)
        if not good:
            break
        await pace.keep()
    return elements


async def _checked(value: Any, kinds: Mapping[str, type[BaseModel] | None]) -> Any:
    """`value` with the elements of its lists of models checked, up to the first that is wrong."""
    if not isinstance(value, dict):
        return value
    fields = cast("dict[str, Any]", value)
    for name, kind in kinds.items():
        if kind is not None and isinstance(fields.get(name), list):
            await _check_each(fields[name], kind)
    return fields


async def _check_each(elements: list[Any], kind: type[BaseModel]) -> None:
    pace = Pace()
    for place, element in enumerate(elements):
        elements[place], good = _element(element, kind)
        if not good:
            del elements[place + 1 :]
            return
        await pace.keep()


def _element(value: Any, kind: type[BaseModel] | None) -> tuple[Any, bool]:
    """The model of `value`, or `value` where it makes none, and whether it does."""
    if kind is None:
        return value, True
    try:
        # As FastAPI does it, so that the same words say what is wrong.
        return kind.model_validate(value, from_attributes=True), True
    except ValidationError:
        return value, False


@cache
def list_fields(model: type[BaseModel]) -> dict[str, type[BaseModel] | None]:
    """The fields of `model` that are lists: the model of their elements, or None where these are none."""
    found: dict[str, type[BaseModel] | None] = {}
    for name, field in model.model_fields.items():
        if get_origin(field.annotation) is list:
            (kind,) = get_args(field.annotation)
            found[name] = kind if isinstance(kind, type) and issubclass(kind, BaseModel) else None
    return found


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
