"""What endpoints are given: the running service, and the time a request has."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Header, Request

from perception_reward.service.assembly import Service


async def running_service(request: Request) -> Service:
    return request.app.state.service


ServiceDep = Annotated[Service, Depends(running_service)]


async def deadline(
    request: Request,
    service: ServiceDep,
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
    limit = service.settings.request_timeout
    arrived: float = request.state.arrived
    return arrived + min(x_request_timeout or limit, limit)


DeadlineDep = Annotated[float, Depends(deadline)]
