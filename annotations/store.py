"""Where annotations are kept. A store is shared by every request, and may be slow, down or hung."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from perception_reward.annotations.model import Annotation


class StoreError(Exception):
    """The store could not answer."""


class StoreUnavailable(StoreError):
    """The store is down, hung or slower than its deadline."""


class StoreReadOnly(StoreError):
    """This store takes no writes; the message says which store does."""


@dataclass(frozen=True, slots=True)
class Page:
    """A slice of a listing, in the order of ids. `cursor` continues it; None at the end."""

    annotations: tuple[Annotation, ...]
    cursor: str | None


PAGE = 1000


class AnnotationStore(Protocol):
    """Reads and writes annotations by id. Every method raises `StoreUnavailable` when it cannot answer."""

    async def get_many(self, ids: Sequence[str]) -> list[Annotation | None]:
        """The annotations of `ids` in order, None where there is none: one round trip."""
        ...

    async def put_many(self, annotations: Iterable[Annotation]) -> None: ...

    async def delete(self, annotation_id: str) -> bool:
        """Whether there was one to delete."""
        ...

    async def list(self, *, cursor: str | None = None, limit: int = 100) -> Page: ...

    async def count(self) -> int: ...

    async def reload(self) -> None:
        """Read the source again.

        A source that has become unreadable leaves what was loaded in place and raises.
        """
        ...

    async def start(self) -> None: ...

    async def aclose(self) -> None: ...


async def every(store: AnnotationStore) -> AsyncGenerator[Annotation]:
    """All annotations of a store, in the order of their ids, read page by page."""
    cursor: str | None = None
    while True:
        page = await store.list(cursor=cursor, limit=PAGE)
        for annotation in page.annotations:
            yield annotation
        if (cursor := page.cursor) is None:
            return
