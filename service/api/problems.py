"""Errors as RFC 9457 problem documents. They say where and what, and never repeat what was sent."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from perception_reward.annotations.faults import cut, where
from perception_reward.annotations.store import StoreReadOnly, StoreUnavailable
from perception_reward.service.admission import Overloaded
from perception_reward.service.api.disconnect import ClientGone
from perception_reward.service.api.paths import hint
from perception_reward.service.scoring.scorer import UnknownProfileError
from perception_reward.trainer_client.wire import Problem

MEDIA_TYPE = "application/problem+json"
# A request of 4,096 bad items needs no 4,096 entries to be mended.
MOST_ERRORS = 20
# Nor does it need its own megabyte back.
MOST_WORDS = 1000

MEANINGS = {
    400: "The body is not the gzip file that its Content-Encoding says.",
    401: "No valid API key.",
    403: "The key may not do this, or the request comes from a page of another site or under a name not the service's.",
    404: "There is no such thing.",
    408: "The body did not arrive within the request's time.",
    409: "This store takes no writes.",
    413: "The body is over the limit.",
    415: "The body has a Content-Encoding other than gzip, or a Content-Type other than JSON where that is asked for.",
    422: "A field is wrong; `errors` says which, of which item.",
    429: "Too many items or bytes are under way; Retry-After says when to try again.",
    431: "The header has too many fields or bytes.",
    503: "The service is stopping, or a store that it needs does not answer.",
    504: "The request's time is over.",
}

logger = logging.getLogger(__name__)


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """What the OpenAPI document says of an endpoint's errors."""
    return {
        status: {"description": MEANINGS[status], "model": Problem, "content": {MEDIA_TYPE: {}}} for status in statuses
    }


class InvalidRequest(HTTPException):
    """The request is well formed but cannot be served; `where` is the field, such as `items[3].facts`."""

    def __init__(self, where: str, message: str) -> None:
        super().__init__(422, f"{where}: {message}")
        self.where = where
        self.message = message


def problem(
    status: int,
    detail: str,
    *,
    errors: Sequence[dict[str, str]] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    document = Problem(
        title=HTTPStatus(status).phrase,
        status=status,
        detail=detail,
        errors=list(errors) if errors is not None else None,
    )
    return Response(
        document.model_dump_json(exclude_none=True),
        status,
        media_type=MEDIA_TYPE,
        headers=dict(headers or {}),
    )


def install(app: FastAPI) -> None:
    """Answer every error of `app` with a problem document."""

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Response:
        found = error.errors()
        faults = [{"where": _place(fault), "what": _words(fault)} for fault in found[:MOST_ERRORS]]
        return _unprocessable(faults, len(found))

    @app.exception_handler(InvalidRequest)
    async def unserved(request: Request, error: InvalidRequest) -> Response:
        return _unprocessable([{"where": error.where, "what": error.message}], 1)

    @app.exception_handler(UnknownProfileError)
    async def unknown_profile(request: Request, error: UnknownProfileError) -> Response:
        return _unprocessable([{"where": "profile", "what": str(error)}], 1)

    @app.exception_handler(HTTPException)
    async def http_error(request: Request, error: HTTPException) -> Response:
        detail = str(error.detail)
        if error.status_code == 404 and request.scope.get("route") is None:
            detail = hint(request.url.path, request.method, request.app.routes)
        elif error.status_code == 405 and error.headers:
            detail = f"this path takes {error.headers.get('Allow', 'another method')}"
        return problem(error.status_code, detail, headers=error.headers)

    @app.exception_handler(ClientGone)
    async def client_gone(request: Request, error: ClientGone) -> Response:
        return Response(status_code=499)

    @app.exception_handler(Overloaded)
    async def overloaded(request: Request, error: Overloaded) -> Response:
        request.app.state.service.metrics.refused("overloaded")
        return problem(429, str(error), headers={"Retry-After": str(error.retry_after)})

    @app.exception_handler(StoreUnavailable)
    async def store_down(request: Request, error: StoreUnavailable) -> Response:
        return problem(503, f"the annotation store does not answer: {error}", headers={"Retry-After": "5"})

    @app.exception_handler(StoreReadOnly)
    async def store_closed(request: Request, error: StoreReadOnly) -> Response:
        return problem(409, str(error))

    @app.exception_handler(Exception)
    async def unexpected(request: Request, error: Exception) -> Response:
        return problem(500, "an error of the service itself; its log says more")

    _ = invalid, unserved, unknown_profile, http_error, client_gone, overloaded, store_down, store_closed, unexpected


def _unprocessable(faults: list[dict[str, str]], count: int) -> Response:
    faults = [{key: cut(text, MOST_WORDS) for key, text in fault.items()} for fault in faults]
    first = f"{faults[0]['where']}: {faults[0]['what']}"
    more = f" (and {count - 1} more)" if count > 1 else ""
    return problem(422, first + more, errors=faults)


def _place(fault: Mapping[str, Any]) -> str:
    # The location of what is not JSON is a position, which would read like the number of an item.
    path = fault["loc"][fault["loc"][:1] == ("body",) :]
    return "body" if fault["type"] == "json_invalid" else where(path) or "body"


def _words(fault: Mapping[str, object]) -> str:
    context = fault.get("ctx")
    if fault.get("type") == "json_invalid" and isinstance(context, dict):
        return f"not JSON: {context.get('error')}"  # pyright: ignore[reportUnknownMemberType]
    return str(fault["msg"]).removeprefix("Value error, ")
