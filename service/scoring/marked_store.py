"""A store whose annotations come with the facts marked that their question alone gives, as the judge reads it.

What is kept, in files or Redis, is not changed. An annotation is marked when it is first read, and again when it has
changed. Where the judge gives no verdict the annotation cannot be had: unmarked, its facts would pay for a copy.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import aclosing

from perception_reward.annotations.figures import Figures, Header
from perception_reward.annotations.model import Annotation
from perception_reward.annotations.store import AnnotationStore, Found, Page, StoreUnavailable
from perception_reward.service.judges.base import Judge
from perception_reward.service.scoring.marking import mark_given

# Annotations in one call of the judge, few enough for a slow model to answer in time; and those whose marks are
# remembered.
BATCH = 32
MOST_REMEMBERED = 200_000


class MarkedStore:
    """`store` with `judge`'s marks. The judge has to be started before anything is read."""

    def __init__(self, store: AnnotationStore, judge: Judge, *, max_response_chars: int) -> None:
        self._store = store
        self._judge = judge
        self._max_response_chars = max_response_chars
        self._known: dict[str, tuple[Annotation, Annotation]] = {}

    async def header(self) -> Header:
        return await self._store.header()

    async def record(self, figures: Figures) -> None:
        await self._store.record(figures)

    async def changed(self) -> bool:
        return await self._store.changed()

    async def get_many(self, ids: Sequence[str]) -> Found:
        found = await self._store.get_many(ids)
        marked = {one.id: one for one in await self._marked([one for one in found if one is not None])}
        return Found((marked[one.id] if one is not None else None for one in found), found.version)

    async def list(self, *, cursor: str | None = None, limit: int = 100) -> Page:
        page = await self._store.list(cursor=cursor, limit=limit)
        return Page(tuple(await self._marked(page.annotations)), page.cursor)

    async def put_many(self, annotations: Iterable[Annotation]) -> None:
        await self._store.put_many(annotations)

    async def delete(self, annotation_id: str) -> bool:
        self._known.pop(annotation_id, None)
        return await self._store.delete(annotation_id)

    async def count(self) -> int:
        return await self._store.count()

    async def reload(self) -> None:
        await self._store.reload()

    async def start(self) -> None:
        await self._store.start()

    async def aclose(self) -> None:
        await self._store.aclose()

    async def _marked(self, annotations: Sequence[Annotation]) -> Sequence[Annotation]:
        known = [self._recalled(annotation) for annotation in annotations]
        unknown = [annotation for annotation, one in zip(annotations, known, strict=True) if one is None]
        if not unknown:
            return [one for one in known if one is not None]
        marked: dict[str, Annotation] = {}
        for at in range(0, len(unknown), BATCH):
            marked |= await self._mark(unknown[at : at + BATCH])
        return [one or marked[annotation.id] for annotation, one in zip(annotations, known, strict=True)]

    def _recalled(self, annotation: Annotation) -> Annotation | None:
        """A file's annotations are the same objects until they change; those of Redis are new ones every time."""
        raw, marked = self._known.get(annotation.id, (None, None))
        return marked if raw is annotation or raw == annotation else None

    async def _mark(self, annotations: Sequence[Annotation]) -> dict[str, Annotation]:
        marked: dict[str, Annotation] = {}
        missing: Counter[str] = Counter()
        answers = mark_given(self._judge, annotations, max_response_chars=self._max_response_chars)
        async with aclosing(answers):
            async for index, one in answers:
                missing.update(one.missing.values())
                if not one.missing:
                    marked[one.annotation.id] = one.annotation
                    self._remember(annotations[index], one.annotation)
        if missing:
            reasons = ", ".join(f"{reason} {count}" for reason, count in missing.most_common())
            raise StoreUnavailable(
                f"the judge does not say of {missing.total()} facts whether the question gives them ({reasons}): start "
                "it first, or mark the file with `perception-reward annotations mark-given`, without --mark-given"
            )
        return marked

    def _remember(self, annotation: Annotation, marked: Annotation) -> None:
        if len(self._known) >= MOST_REMEMBERED:
            del self._known[next(iter(self._known))]
        self._known[annotation.id] = annotation, marked
