"""Stores that a command names: a file of annotations, or the URL of a Redis."""

from __future__ import annotations

from pathlib import Path

from perception_reward.annotations.file_store import FileStore
from perception_reward.annotations.model import Annotation
from perception_reward.annotations.redis_store import RedisStore
from perception_reward.annotations.store import AnnotationStore, every
from perception_reward.service.settings import is_redis_url


def open_store(source: str) -> AnnotationStore:
    """The store at `source`, not yet started."""
    return RedisStore(source) if is_redis_url(source) else FileStore([Path(source)])


async def read_store(source: str) -> list[Annotation]:
    """All annotations of a store. Raises `StoreError`, `OSError` and `ValueError`."""
    store = open_store(source)
    await store.start()
    try:
        return [annotation async for annotation in every(store)]
    finally:
        await store.aclose()
