"""Whoever turns items into results: the parts of a service in this process, or running services at URLs.

scoring = ServiceScoring(service)
results = await scoring.score(items, step=120)
annotations = await scoring.annotations(["geometry3k-17"])
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Protocol
from urllib.parse import quote

from pydantic import ValidationError

from perception_reward.annotations.model import Annotation
from perception_reward.annotations.store import StoreError
from perception_reward.service.settings import Settings
from perception_reward.trainer_client.errors import InvalidItem, ServiceUnavailable
from perception_reward.trainer_client.missing import missing_result
from perception_reward.trainer_client.transport import NoAnswer, Transport
from perception_reward.trainer_client.wire import ItemResult, ScoreItem, ScoreRequest

if TYPE_CHECKING:
    from perception_reward.service.assembly import Service
    from perception_reward.trainer_client.client import RewardClient

# The label of these items in logs: what a run is told, it is told once.
RUN = "rollouts"
# Annotations that are kept of a service, how many are asked for at once, the seconds for one and its bytes.
KEPT, AT_ONCE, SECONDS, MOST_BYTES = 4096, 8, 10.0, 1 << 24


class Scoring(Protocol):
    """What cannot be scored is missing, and what cannot be read of the annotations is not there."""

    async def score(self, items: Sequence[ScoreItem], step: int | None) -> Sequence[ItemResult]:
        """The results, in the order of the items."""
        ...

    async def annotations(self, ids: Collection[str]) -> Mapping[str, Annotation]:
        """What the items were scored against, for explanations."""
        ...


class ServiceScoring:
    """By the parts of a service in this process."""

    def __init__(self, service: Service, prefix: str | None = None, *, explain: bool = False) -> None:
        self._service = service
        self._prefix = prefix
        self._explain = explain

    async def score(self, items: Sequence[ScoreItem], step: int | None) -> Sequence[ItemResult]:
        deadline = asyncio.get_running_loop().time() + self._service.settings.request_timeout
        request = ScoreRequest(items=list(items), step=step, run=RUN, prefix=self._prefix, explain=self._explain)
        return (await self._service.scorer.score(request, deadline)).results

    async def annotations(self, ids: Collection[str]) -> Mapping[str, Annotation]:
        with suppress(StoreError):
            return {one.id: one for one in await self._service.store.get_many(list(ids)) if one is not None}
        return {}


def client_of(settings: Settings, urls: Sequence[str], prefix: str | None, *, explain: bool = False) -> RewardClient:
    """What asks the services at `urls`. The profile is theirs, unless the settings name one."""
    from perception_reward.trainer_client.client import RewardClient

    return RewardClient(
        urls,
        profile=settings.profile if "profile" in settings.model_fields_set else None,
        run=RUN,
        prefix=prefix,
        explain=explain,
        timeout=settings.request_timeout,
        missing_limit=1.0,
        require_facts=False,
    )


class UrlScoring:
    """By running services: they share the load, and the client leaves one alone that fails."""

    def __init__(self, client: RewardClient) -> None:
        self._client = client
        self._known: dict[str, Annotation | None] = {}

    async def score(self, items: Sequence[ScoreItem], step: int | None) -> Sequence[ItemResult]:
        """Raises `RequestRefused`. What nobody answers for is missing, also where none has ever answered."""
        try:
            return await self._client.score(items, step=step)
        except ServiceUnavailable:
            return [missing_result(item.id, "service_unavailable") for item in items]
        except InvalidItem as error:
            # A service of another release may refuse what this one would take: that item alone is lost by it.
            if error.index is None:
                raise
            place = error.index
        found: list[ItemResult] = []
        for part in (items[:place], items[place + 1 :]):
            found += await self.score(part, step) if part else ()
        found.insert(place, missing_result(items[place].id, "service_unavailable"))
        return found

    async def annotations(self, ids: Collection[str]) -> Mapping[str, Annotation]:
        """One request for each that has not been met lately; a key that may not read them finds none."""
        if unknown := [name for name in ids if name not in self._known]:
            transport, turns = Transport(self._client.options), asyncio.Semaphore(AT_ONCE)
            try:
                found = await asyncio.gather(*map(partial(self._annotation, transport, turns), unknown))
            finally:
                await transport.aclose()
            self._known.update(zip(unknown, found, strict=True))
        wanted = {name: one for name in ids if (one := self._known[name]) is not None}
        while len(self._known) > KEPT:
            del self._known[next(iter(self._known))]
        return wanted

    async def _annotation(self, transport: Transport, turns: asyncio.Semaphore, name: str) -> Annotation | None:
        async with turns:
            for url in self._client.options.urls:
                with suppress(NoAnswer, ValidationError):
                    answer = await transport.get(url, f"/v1/annotations/{quote(name, safe='')}", SECONDS, MOST_BYTES)
                    if answer.status == 200:
                        return Annotation.model_validate_json(answer.content)
        return None
