"""`perception-reward annotations review|sample`: people look at facts, and what comes of it."""

from __future__ import annotations

import asyncio
import getpass
import socket
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer

from perception_reward.annotations.decisions import Decision, Decisions, Key
from perception_reward.annotations.jsonl import write_jsonl
from perception_reward.annotations.model import Annotation
from perception_reward.annotations.outputs import written
from perception_reward.annotations.review import Item, applied, chosen, trajectories
from perception_reward.annotations.store import StoreError
from perception_reward.service.cli.options import fail, reason
from perception_reward.service.cli.outputs import Force, outputs_or_exit
from perception_reward.service.cli.running import told_or_exit
from perception_reward.service.cli.stores import read_store
from perception_reward.service.report.review import Review
from perception_reward.service.report.reviewed import review_figures, review_lines
from perception_reward.service.settings import is_redis_url

HOST = "127.0.0.1"
PORT = 8430
# An image in a page grows by a third; a page beyond this is slow to open and to send.
LARGEST_PAGE = 100 << 20

Store = Annotated[str, typer.Argument(help="The annotations to review: a file, or a redis:// URL.")]
Images = Annotated[
    Path | None,
    typer.Option(
        exists=True,
        file_okay=False,
        help="The folder that the images' names begin in; by default that of STORE. Nothing outside it is shown, and "
        "no URL is fetched.",
    ),
]
Told = Annotated[
    Path | None,
    typer.Option(
        "--trajectories",
        exists=True,
        dir_okay=False,
        help="The chains of thought behind the facts, as `extract` wrote them with the words that each fact rests on.",
    ),
]
Kinds = Annotated[
    str | None, typer.Option(help="Only facts of these kinds, separated by commas, such as length,angle.")
]
Seed = Annotated[int, typer.Option(help="The same seed draws the same facts.")]


def review(
    store: Store,
    reviewer: Annotated[str | None, typer.Option(help="Who decides; by default the user's name.")] = None,
    verdicts: Annotated[
        list[Path] | None,
        typer.Option(
            dir_okay=False,
            help="Where decisions are kept; by default STORE.review.jsonl beside it. With --report or --apply also "
            "several files, such as those downloaded from a page of `sample`.",
        ),
    ] = None,
    images: Images = None,
    told: Told = None,
    kinds: Kinds = None,
    most: Annotated[int | None, typer.Option("-n", min=1, help="Only a random sample of so many facts.")] = None,
    seed: Seed = 0,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="The page's port on this machine; 0 takes a free one.")
    ] = PORT,
    report: Annotated[bool, typer.Option("--report", help="Only tell what the decisions come to.")] = False,
    apply: Annotated[
        Path | None,
        typer.Option(
            dir_okay=False,
            help="Only write the annotations without what --reviewer rejected, and with the words that were given.",
        ),
    ] = None,
    force: Force = False,
) -> None:
    """Serve a page on this machine on which a person accepts, rejects or edits each fact, by keyboard.

    Image, question, facts, trajectories and quoted words stand side by side. A decision is on disk once it is made,
    and the page goes on where it was. The end tells how many facts are right, by kind and by source, with 95 %
    intervals, and how far two reviewers agree.
    """
    annotations, items = _chosen(store, kinds, most, seed)
    paths = verdicts or [_beside(store)]
    if report or apply is not None:
        found = _decisions(paths)
        if report:
            _tell(list(review_lines(review_figures(items, found))))
        if apply is not None:
            outputs_or_exit(apply, read=[store, *paths], force=force)
            name = reviewer or (next(iter(found)) if len(found) == 1 else "")
            if name not in found:
                fail(
                    f"--reviewer: name whose decisions count; there are those of {', '.join(found) or 'nobody'}",
                    status=2,
                )
            write_jsonl(apply, list(applied(annotations, found[name])), replace=force)
            typer.echo(f"{len(annotations)} annotations written to {apply}")
        return
    if len(paths) > 1:
        fail("--verdicts: decisions are kept in one file; name one, or ask for a --report of several", status=2)
    _serve(_review(store, items, images, told), paths[0], reviewer or getpass.getuser(), port)


def sample(
    store: Store,
    html: Annotated[Path, typer.Option(dir_okay=False, help="The page to write.")],
    most: Annotated[int, typer.Option("-n", min=1, max=10_000, help="So many facts, drawn at random.")] = 100,
    reviewer: Annotated[str, typer.Option(help="Who is to decide; the page asks where nobody is named.")] = "",
    images: Images = None,
    told: Told = None,
    kinds: Kinds = None,
    seed: Seed = 0,
    force: Force = False,
) -> None:
    """Write a random sample of facts as one page that needs nothing else, for somebody to review elsewhere.

    The page keeps decisions in the browser and hands them out as JSON Lines, which `review --report --verdicts FILE`
    reads.
    """
    outputs_or_exit(html, read=[store, told], force=force, json_lines=False)
    _, items = _chosen(store, kinds, most, seed)
    page = _review(store, items, images, told).page(served=False, reviewer=reviewer).encode("utf-8", "replace")
    if len(page) > LARGEST_PAGE:
        fail(f"with its images the page would have {len(page) >> 20} MB; draw fewer facts with -n, or use `review`")
    with written(html, replace=force) as part:
        part.write_bytes(page)
    typer.echo(
        f"{len(items)} facts of {len({item.annotation.id for item in items})} problems written to {html}", err=True
    )


def _serve(made: Review, path: Path, reviewer: str, port: int) -> None:
    # Here, because no other command of annotations serves anything.
    import uvicorn

    from perception_reward.service.api.review import make_review_app

    try:
        decisions = Decisions(path)
        decisions.check_writable()
        listener = socket.create_server((HOST, port))
    except (OSError, StoreError) as error:
        fail(f"{HOST}:{port}: {error.strerror}" if isinstance(error, OSError) and not error.filename else reason(error))
    app = make_review_app(made, decisions, reviewer)
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False, timeout_graceful_shutdown=2))
    typer.echo(
        f"http://{HOST}:{listener.getsockname()[1]}/  {len(made.items)} facts for {reviewer}; decisions go to {path}"
    )
    typer.echo("Ctrl-C ends it.", err=True)
    try:
        server.run(sockets=[listener])
    except KeyboardInterrupt:
        pass
    finally:
        listener.close()
    _tell(list(review_lines(review_figures(made.items, {name: decisions.of(name) for name in decisions.reviewers}))))


def _review(store: str, items: Sequence[Item], images: Path | None, told: Path | None) -> Review:
    folder = images or (Path() if is_redis_url(store) else Path(store).resolve().parent)
    with told_or_exit(status=2):
        found = trajectories(told, {item.annotation.id for item in items}) if told is not None else {}
    if told is not None and not found:
        fail(f"{told} has no trajectory of these problems: their ids differ", status=2)
    return Review(items, folder, found)


def _chosen(store: str, kinds: str | None, most: int | None, seed: int) -> tuple[list[Annotation], list[Item]]:
    """The annotations, and of them what is to be reviewed."""
    with told_or_exit(ValueError, status=2):
        annotations = asyncio.run(read_store(store))
    listed = [kind for one in (kinds or "").split(",") if (kind := one.strip())]
    items = chosen(annotations, kinds=listed, most=most, seed=seed)
    if not items:
        fail(f"{store} has no fact to review" + (f" of the kinds {kinds}" if kinds else ""))
    return annotations, items


def _beside(store: str) -> Path:
    """`problems.review.jsonl` for `problems.jsonl.gz`."""
    if is_redis_url(store):
        fail("--verdicts: name the file that decisions are kept in", status=2)
    path = Path(store)
    return path.with_name(f"{path.name.removesuffix('.gz').rsplit('.', 1)[0]}.review.jsonl")


def _decisions(paths: Sequence[Path]) -> dict[str, Mapping[Key, Decision]]:
    """Those of all files, by reviewer; of two files the later one counts."""
    found: dict[str, dict[Key, Decision]] = {}
    for path in paths:
        if not path.is_file():
            fail(f"{path}: there are no decisions yet", status=2)
        with told_or_exit(status=2):
            decisions = Decisions(path)
        for name in decisions.reviewers:
            found.setdefault(name, {}).update(decisions.of(name))
    return dict(found)


def _tell(lines: Sequence[str]) -> None:
    for line in lines or ["nothing is decided yet"]:
        typer.echo(line)
