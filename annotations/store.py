"""Where annotations are kept. A store is shared by every request, and may be slow, down or hung."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from perception_reward.annotations.figures import Figures, Header
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


class Found(list["Annotation | None"]):
    """The annotations that were asked for, in order, None where there is none.

    version: of the store that all of them were read from (see `version.py`); None where it is not known.
    """

    def __init__(self, annotations: Iterable[Annotation | None] = (), version: str | None = None) -> None:
        super().__init__(annotations)
        self.version = version


PAGE = 1000


class AnnotationStore(Protocol):
    """Reads and writes annotations by id. Every method raises `StoreUnavailable` when it cannot answer."""

    async def get_many(self, ids: Sequence[str]) -> Found:
        """The annotations of `ids`: one round trip, and one version of the store."""
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

    async def header(self) -> Header:
        """What the store says of itself: its version, and its figures if it was evaluated."""
        ...

    async def record(self, figures: Figures) -> None:
        """Keep `figures` in the header. Raises `StoreReadOnly` for a store that has no place for them."""
        ...

    async def changed(self) -> bool:
        """Whether `reload` would find another source than was read. False where every read asks the source."""
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
