"""How long the annotation stores take: `pytest -m benchmark -s tests/benchmarks/test_annotation_stores.py`."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from perception_reward.annotations.file_store import FileStore
from perception_reward.annotations.jsonl import write_jsonl
from perception_reward.annotations.model import Annotation
from perception_reward.annotations.redis_store import RedisStore
from perception_reward.annotations.store import AnnotationStore
from perception_reward.trainer_client.wire import Fact

pytestmark = pytest.mark.benchmark

PROBLEMS, FACTS, READ = 3000, 9, 512
MADE_UP = [
    Annotation(
        id=f"problem-{number:05}",
        question="As shown in the figure, AB is parallel to CD. Find the value of x.",
        answer="5",
        facts=[Fact(id=f"f{n}", text=f"Segment AB has length {n}x + {number}.", kind="length") for n in range(FACTS)],
    )
    for number in range(PROBLEMS)
]


@contextmanager
def timed(what: str) -> Iterator[None]:
    start = time.perf_counter()
    yield
    sys.stdout.write(f"{what}: {(time.perf_counter() - start) * 1000:.1f} ms\n")


async def measure(store: AnnotationStore, name: str) -> None:
    ids = [one.id for one in MADE_UP[:READ]]
    with timed(f"{name}: read {READ} annotations"):
        assert None not in await store.get_many(ids)
    with timed(f"{name}: one PUT"):
        await store.put_many(MADE_UP[:1])
    with timed(f"{name}: 200 PUTs at once"):
        await asyncio.gather(*(store.put_many([one]) for one in MADE_UP[:200]))


async def test_file_store(tmp_path: Path) -> None:
    path = tmp_path / "annotations.jsonl"
    write_jsonl(path, MADE_UP)
    store = FileStore([path])
    with timed(f"file: load {PROBLEMS} annotations of {FACTS} facts ({path.stat().st_size / 1e6:.1f} MB)"):
        await store.start()
    await measure(store, "file")
    await store.aclose()


async def test_redis_store(redis_url: str) -> None:
    store = RedisStore(redis_url, prefix="benchmark:")
    with timed(f"redis: write {PROBLEMS} annotations of {FACTS} facts"):
        await store.put_many(MADE_UP)
    await measure(store, "redis")
    await store.aclose()
