"""What endpoints are given: the running service, and the time a request has; and what they ask of a body."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Annotated, Any

from fastapi import Depends, Header, Request
from starlette.exceptions import HTTPException

from perception_reward.service.assembly import Service


def service_of(request: Request) -> Service:
    """The running service. To score, this is called: each dependency costs a small request some per cent."""
    return request.app.state.service


async def running_service(request: Request) -> Service:
    return service_of(request)


ServiceDep = Annotated[Service, Depends(running_service)]


async def deadline(
    request: Request,
    x_request_timeout: Annotated[
        float | None,
        Header(
            gt=0,
            le=3600,
            description="Seconds this request may take; the service's own limit if that is less.",
        ),
    ] = None,
) -> float:
    """The event-loop time at which the request has to be answered, counted from when it arrived, before its body."""
    limit = service_of(request).settings.request_timeout
    arrived: float = request.state.arrived
    return arrived + min(x_request_timeout or limit, limit)


DeadlineDep = Annotated[float, Depends(deadline)]


def declared(*types: str) -> Callable[[Request], Coroutine[Any, Any, None]]:
    """A dependency of what writes: a body that is not said to be of one of these types is refused with 415.

    A page of another site can make a browser send text or a form without asking, but not JSON.
    """

    async def check(request: Request) -> None:
        said = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if said not in types and not (said.startswith("application/") and said.endswith("+json")):
            raise HTTPException(415, f"what is written here is JSON and has to say so: send Content-Type: {types[0]}")

    return check
