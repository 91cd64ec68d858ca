"""A job: what is read, which of it, how it is asked, and where it goes; begun, or gone on with.

job = Job(files, Selection(), Asking(), Path("results.jsonl"))
done = await job.run(score, "fingerprint of the judge", ahead=4, stopping=asyncio.Event())
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from perception_reward.annotations.outputs import is_device
from perception_reward.service.batch.chunks import Asking, Chunk, Scored
from perception_reward.service.batch.files import Files
from perception_reward.service.batch.inputs import identity
from perception_reward.service.batch.outputs import Done, Output, Stream
from perception_reward.service.batch.pipeline import Score, chunks, run
from perception_reward.service.batch.rollouts import MOST_SHOWN
from perception_reward.service.batch.selection import Selection


class Unreadable(ValueError):
    """A record that cannot be scored has ended a job that was not told to skip it. The message names it."""


class Watcher(Protocol):
    """Who is told how far the job is."""

    def __call__(self, done: Done) -> None: ...


@dataclass(frozen=True, slots=True)
class Job:
    """plan: what else makes the results what they are, in words. skip_bad: records that cannot be read are told in the
    side table, and so is a file that cannot be read to its end; without it the first of them ends the job."""

    files: Files
    selection: Selection
    asking: Asking
    out: Path
    plan: Mapping[str, str] = field(default_factory=dict[str, str])
    replace: bool = False
    skip_bad: bool = False

    async def run(
        self, score: Score, judge: str, *, ahead: int, stopping: asyncio.Event, watch: Watcher = lambda done: None
    ) -> tuple[bool, Done]:
        """Whether it came to its end, and how far.

        Raises `Unreadable`, `OutputRefused` for an output that is there or belongs to another plan, `RecordFileError`,
        and `OSError`.
        """
        with self._output(judge) as output:

            def write(chunk: Chunk, scored: Scored) -> None:
                output.write(chunk, scored)
                watch(output.done)
                if not self.skip_bad and (faults := [row for row in scored.missing if row["line"] is None]):
                    raise Unreadable("\n".join(row["message"] for row in faults[:MOST_SHOWN]))

            watch(output.done)
            done = output.done
            if done.unread and not self.skip_bad:
                raise Unreadable(f"an earlier run has met {done.unread} records that cannot be scored")
            found = chunks(self.files, self.selection, (done.file, done.place), done.records, skip_bad=self.skip_bad)
            try:
                ended = await run(found, score, write, ahead=ahead, stopping=stopping)
            finally:
                # What was scored is kept, whatever ended the work; where the disk is the reason, this says so again.
                output.commit()
            if ended:
                output.finish()
            return ended, output.done

    def _output(self, judge: str) -> Output | Stream:
        if is_device(self.out):
            return Stream(self.out)
        where = "; ".join(f"{one.column}{one.comparison}{one.value}" for one in self.selection.where)
        plan = {
            "set of input files": identity(self.files.paths),
            "judge": judge,
            "--where": where,
            "--sample": self.selection.seed,
            "--limit": str(self.selection.limit),
            "--step": str(self.asking.step),
            "--explain": str(self.asking.explain),
            **self.plan,
        }
        return Output(self.out, plan, replace=self.replace)
