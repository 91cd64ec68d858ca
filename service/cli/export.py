"""`perception-reward annotations export`: a store in another form, or in another place."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from perception_reward.annotations.figures import Header
from perception_reward.annotations.jsonl import write_jsonl
from perception_reward.annotations.model import Annotation
from perception_reward.annotations.store import StoreError, every
from perception_reward.annotations.tables import write_dataset, write_parquet
from perception_reward.annotations.version import Version
from perception_reward.service.cli.options import fail
from perception_reward.service.cli.outputs import Force, outputs_or_exit
from perception_reward.service.cli.running import told_or_exit
from perception_reward.service.cli.stores import open_store
from perception_reward.service.settings import is_redis_url

TO = (
    "Where to write them: a name that ends in .jsonl, .jsonl.gz or .parquet; one without an end, a folder for "
    "datasets.load_from_disk; or a redis:// URL."
)


def export(
    source: Annotated[
        str, typer.Argument(help="Annotations: a file, a folder of the datasets library, or a redis:// URL.")
    ],
    to: Annotated[str, typer.Argument(help=TO)],
    force: Force = False,
) -> None:
    """Write a store in another form or place, with its header. The version stays the same.

    A Redis that holds annotations is only written with --force, and then holds these and no others.
    """
    path = Path(to)
    if not is_redis_url(to):
        if path.suffix not in ("", ".parquet"):
            outputs_or_exit(path, read=[source], force=force)
        elif path.suffix:
            outputs_or_exit(path, read=[source], force=force, json_lines=False)
    with told_or_exit(ValueError, ImportError):
        header, annotations = asyncio.run(_read(source))
        if not annotations:
            fail(f"{source} holds no annotation; nothing is written")
        if is_redis_url(to):
            asyncio.run(_fill(to, annotations, header, replace=force))
        elif path.suffix == ".parquet":
            write_parquet(path, annotations, header, replace=force)
        elif path.suffix:
            write_jsonl(path, annotations, header=header, replace=force)
        else:
            write_dataset(path, annotations, header, replace=force)
    where = "the Redis store" if is_redis_url(to) else to
    typer.echo(f"{len(annotations)} annotations, version {header.version}, written to {where}")


async def _read(source: str) -> tuple[Header, list[Annotation]]:
    async with open_store(source) as store:
        annotations = [annotation async for annotation in every(store)]
        figures = (await store.header()).figures
    return Header(version=str(Version.of(annotations)), figures=figures), annotations


async def _fill(url: str, annotations: list[Annotation], header: Header, *, replace: bool) -> None:
    async with open_store(url) as store:
        here = {annotation.id for annotation in annotations}
        others = [one.id async for one in every(store) if one.id not in here]
        if not replace and await store.count():
            raise StoreError("the Redis store holds annotations; pass --force to have these in their place")
        await store.put_many(annotations)
        for one in others:
            await store.delete(one)
        if header.figures is not None:
            await store.record(header.figures)
