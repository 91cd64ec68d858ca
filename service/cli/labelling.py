"""`perception-reward judge label`: rollouts labelled by a stronger model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from perception_reward.annotations.pipeline.engine import Estimate
from perception_reward.annotations.pipeline.work import Asked, Job, StepReport, work
from perception_reward.annotations.pipeline.work import dry_run as estimated
from perception_reward.service.cli.agree import rollouts_with_facts
from perception_reward.service.cli.options import settings_or_exit
from perception_reward.service.cli.outputs import Force
from perception_reward.service.cli.rollouts import WHAT
from perception_reward.service.cli.stepping import DryRun, job_or_exit, run_step, tell, with_model
from perception_reward.service.training.labelling import label, pairs_of, settle


@with_model()
def label_rollouts(
    asked: Asked,
    items: Annotated[Path, typer.Argument(exists=True, help=WHAT)],
    out: Annotated[Path, typer.Argument(dir_okay=False, help="The labelled responses to write, as JSON Lines.")],
    annotations: Annotated[
        list[str] | None, typer.Option(help="The annotations that the rollouts name; may be given several times.")
    ] = None,
    dry_run: DryRun = False,
    force: Force = False,
) -> None:
    """Have a stronger model label rollouts, for `judge train --labelled` and `judge choose --labelled`.

    Each fact is asked about in two phrasings and two orders, and kept where all four answers agree. A run that ends
    early goes on where it was.
    """
    job = job_or_exit("label", out, read=[items], force=force)
    settings = settings_or_exit(judge="symbolic", annotations=tuple(annotations or ()))
    rows = list(pairs_of(rollouts_with_facts(settings, items)))

    async def main(job: Job) -> StepReport | Estimate:
        if dry_run:
            return estimated(job, asked, rows, lambda began: label)
        return await work(job, asked, rows, lambda began: label, settle, lambda pair: {"problem": pair.problem})

    tell(job, run_step(job, len(rows), main), asked)
