"""What endpoints are given: the running service, and the time a request has."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import Depends, Header, Request

from perception_reward.service.assembly import Service


async def running_service(request: Request) -> Service:
    return request.app.state.service


ServiceDep = Annotated[Service, Depends(running_service)]


async def deadline(
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
    """The event-loop time at which the request has to be answered."""
    limit = service.settings.request_timeout
    return asyncio.get_running_loop().time() + min(x_request_timeout or limit, limit)


DeadlineDep = Annotated[float, Depends(deadline)]
