"""Whether some endpoint can answer for the model now."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp

from perception_reward.service.judges.base import Health
from perception_reward.service.judges.http.body import Unusable, decoded, whole_body
from perception_reward.service.judges.http.endpoint import Endpoint
from perception_reward.service.judges.llm.engine import JudgeFailure

# Seconds for an endpoint to answer. A vLLM server under full load answers within tens of milliseconds.
TIMEOUT = aiohttp.ClientTimeout(total=2.0)

# Bytes of a list of models: a server with thousands of adapters stays below.
MOST_LISTED = 1 << 20


async def check(session: aiohttp.ClientSession, endpoints: list[Endpoint], model: str) -> Health:
    """Healthy when any endpoint serves `model`; otherwise what each of them said."""
    found = await asyncio.gather(*(_check_one(session, endpoint, model) for endpoint in endpoints))
    faults = [fault for fault in found if fault is not None]
    return Health(ok=len(faults) < len(endpoints), detail="; ".join(faults))


async def _check_one(session: aiohttp.ClientSession, endpoint: Endpoint, model: str) -> str | None:
    """None when all is well, else a sentence for people."""
    try:
        async with session.get(endpoint.url + "/v1/models", timeout=TIMEOUT) as reply:
            if reply.status != 200:
                return f"{endpoint.label} answers /v1/models with {reply.status}"
            served = _names(await whole_body(reply, MOST_LISTED))
    except Unusable as unusable:
        return f"{endpoint.label} answers /v1/models with {unusable}"
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        return f"{endpoint.label} does not answer ({type(error).__name__})"
    if model in served:
        return None
    return f"{endpoint.label} does not serve the model {model!r}; it serves {', '.join(served) or 'none'}"


def _names(body: bytes) -> list[str]:
    try:
        listing: Any = decoded(body)
        return [str(entry["id"]) for entry in listing["data"]]
    except (JudgeFailure, ValueError, LookupError, TypeError):
        return []
