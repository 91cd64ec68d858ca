"""`perception-reward annotations mark-given`: which facts the question alone gives, asked once and written down."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, TextIO

import typer

from perception_reward.annotations.jsonl import parse_lines, read_annotations, to_json, write_jsonl
from perception_reward.annotations.model import Annotation
from perception_reward.annotations.stats import Stats
from perception_reward.service import logs
from perception_reward.service.assembly import JUDGING, Service
from perception_reward.service.cli.options import JUDGE, fail, with_settings
from perception_reward.service.cli.outputs import Force, outputs_or_exit, read_by
from perception_reward.service.cli.running import run_or_exit, told_or_exit
from perception_reward.service.cli.screen import progress, screen
from perception_reward.service.judges.base import Judge
from perception_reward.service.scoring.marking import Marked, mark_given
from perception_reward.service.settings import Settings

# Annotations in one call of the judge, few enough for a slow model to answer in time. What they are found to be is on
# disk before the next call.
BATCH = 32
# Facts without a verdict that are named; their number is told besides.
MOST_SHOWN = 20


@with_settings(*JUDGE, "workers", "worker_memory_mb", "log_json")
def mark(
    settings: Settings,
    source: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="Annotations with questions, in any form that is read.")
    ],
    out: Annotated[Path, typer.Argument(dir_okay=False, help="The annotation file to write.")],
    force: Force = False,
) -> None:
    """Mark the facts that the question alone gives, so that a response which copies it earns nothing.

    The judge is asked of each question, also with its options and with its numbers filled in, as if it were a response:
    use the judge that will score. A run that was cut short goes on where it ended. A fact without a verdict stays as it
    is, is told, and makes the exit status 1; run it again with --force, and only what is missing is asked.
    """
    logs.configure("warning", as_json=settings.log_json)
    settings = settings.model_copy(update={"annotations": (), "mark_given": False})
    outputs_or_exit(out, read=[source, *read_by(settings)], force=force)
    annotations = _read(source)
    marked = Marks()

    async def main(service: Service) -> None:
        cap = settings.max_response_chars
        await mark_file(service.judge, annotations, out, marked, max_response_chars=cap, replace=force)

    run_or_exit(settings, main, preload=JUDGING)
    for line in marked.lines():
        typer.echo(line)
    typer.echo(f"written to {out}")
    if marked.missing:
        fail(f"{len(marked.missing)} facts have no verdict and stay as they were; --force asks about them again")


def _read(source: Path) -> list[Annotation]:
    with told_or_exit():
        found = list(read_annotations(source).values())
    return found or fail(f"{source} holds no annotation; nothing is written")


@dataclass(slots=True)
class Marks:
    """What was found out. asked, given, denied: facts; missing: `annotation fact: reason`."""

    annotations: list[Annotation] = field(default_factory=list[Annotation])
    recalled: int = 0
    given: int = 0
    denied: int = 0
    missing: list[str] = field(default_factory=list[str])

    def lines(self) -> Iterator[str]:
        """The report for people."""
        if self.recalled:
            yield f"{self.recalled} annotations were marked by a run before"
        said = f", {self.denied} of them because it says otherwise" if self.denied else ""
        yield f"{self.given} facts marked that the question gives{said}"
        yield str(Stats.of(self.annotations))
        yield from (f"no verdict on {name}" for name in self.missing[:MOST_SHOWN])
        if len(self.missing) > MOST_SHOWN:
            yield f"… and {len(self.missing) - MOST_SHOWN} more"


async def mark_file(
    judge: Judge,
    annotations: Sequence[Annotation],
    out: Path,
    marks: Marks,
    *,
    max_response_chars: int,
    replace: bool = False,
) -> None:
    """Mark `annotations` and write them to `out`, whole or not at all.

    What is found out is kept in a file beside `out` that belongs to this judge, until nothing is missing.
    """
    digest = hashlib.sha256(judge.info.fingerprint.encode()).hexdigest()[:12]
    part = out.with_name(f"{out.name}.{digest}.part")
    done = _recall(part, annotations)
    marks.recalled = len(done)
    left = [annotation for annotation in annotations if annotation.id not in done]
    with part.open("a", encoding="utf-8") as kept, progress(screen(stderr=True)) as bar:
        task = bar.add_task("asking", total=len(left))
        for at in range(0, len(left), BATCH):
            batch = left[at : at + BATCH]
            answers = mark_given(judge, batch, max_response_chars=max_response_chars)
            async with aclosing(answers):
                async for _, marked in answers:
                    done[marked.annotation.id] = marked.annotation
                    _count(marked, marks, kept)
                    bar.advance(task)
            kept.flush()
    marks.annotations = [done[annotation.id] for annotation in annotations]
    write_jsonl(out, marks.annotations, replace=replace)
    if not marks.missing:
        part.unlink()


def _count(marked: Marked, marks: Marks, kept: TextIO) -> None:
    marks.given += len(marked.given)
    marks.denied += len(marked.denied)
    marks.missing += [f"{marked.annotation.id} {fact}: {why}" for fact, why in sorted(marked.missing.items())]
    if not marked.missing:
        kept.write(to_json(marked.annotation) + "\n")


def _recall(part: Path, annotations: Sequence[Annotation]) -> dict[str, Annotation]:
    """What a run before has found out of these annotations, as they are now; a last line cut short is none."""
    if not part.exists():
        return {}
    unmarked = {annotation.id: _unmarked(annotation) for annotation in annotations}
    with part.open("rb") as lines:
        found = [one for one in parse_lines(lines) if isinstance(one, Annotation)]
    return {one.id: one for one in found if unmarked.get(one.id) == _unmarked(one)}


def _unmarked(annotation: Annotation) -> Annotation:
    facts = [fact.model_copy(update={"origin": "seen"}) for fact in annotation.facts]
    return annotation.model_copy(update={"facts": facts})
