"""Stores that a command names: a file of annotations, or the URL of a Redis."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from perception_reward.annotations.file_store import FileStore
from perception_reward.annotations.model import Annotation
from perception_reward.annotations.redis_store import RedisStore
from perception_reward.annotations.store import AnnotationStore, every
from perception_reward.service.cli.options import fail
from perception_reward.service.cli.running import told_or_exit
from perception_reward.service.settings import Settings, is_redis_url


@asynccontextmanager
async def open_store(source: str | Settings) -> AsyncGenerator[AnnotationStore]:
    """The store at `source`, or that of the settings."""
    if isinstance(source, Settings):
        # Here, because most commands need no other part of the service.
        from perception_reward.service.assembly import assemble

        store = assemble(source.model_copy(update={"judge": "symbolic"}), preload=()).store
    else:
        store = RedisStore(source) if is_redis_url(source) else FileStore([Path(source)])
    await store.start()
    try:
        yield store
    finally:
        await store.aclose()


async def read_store(source: str | Settings) -> list[Annotation]:
    """All annotations of a store. Raises `StoreError`, `OSError` and `ValueError`."""
    async with open_store(source) as store:
        return [annotation async for annotation in every(store)]


def annotations_or_exit(source: str) -> list[Annotation]:
    """All annotations of a store that has some."""
    with told_or_exit(ValueError, status=2):
        found = asyncio.run(read_store(source))
    return found or fail(f"{source} holds no annotation", status=2)
