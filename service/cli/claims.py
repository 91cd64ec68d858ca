"""`perception-reward annotations extract|check`: from chains of thought to facts that may be held against a
response."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from perception_reward.annotations.pipeline.checking import Checking
from perception_reward.annotations.pipeline.extraction import PROMPTS, Extracting, Method
from perception_reward.annotations.pipeline.images import MOST_PIXELS
from perception_reward.annotations.pipeline.rows import beside
from perception_reward.annotations.pipeline.steps import check_facts, extract_claims
from perception_reward.annotations.pipeline.trajectories import pictures_of
from perception_reward.annotations.pipeline.work import Asked
from perception_reward.service.cli.options import fail
from perception_reward.service.cli.outputs import Force
from perception_reward.service.cli.stepping import (
    DryRun,
    Prompts,
    job_or_exit,
    prompt_or_exit,
    rows_of,
    run_step,
    tell,
    with_model,
)


@with_model()
def extract(
    asked: Asked,
    source: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="Trajectories, as the steps before wrote them.")
    ],
    out: Annotated[
        Path, typer.Argument(dir_okay=False, help="The file to write, a trajectory with its claims a line.")
    ],
    method: Annotated[
        Method,
        typer.Option(
            help="three: select what is seen, make it stand alone, cut it into atoms, a turn each. one: all in one "
            "turn, with quotations; cheaper, and less exact."
        ),
    ] = "three",
    prompts: Prompts = None,
    dry_run: DryRun = False,
    force: Force = False,
) -> None:
    """Find the atomic visual statements of each trajectory, with the words that they rest on and where they are known
    from.

    Any model of text will do. A reply that is not of the form asked for is mended where that is safe, else asked for
    again, and then dropped with the reason. A run that ends early goes on where it was.
    """
    job = job_or_exit("extract", out, read=[source], force=force)
    texts = {name: prompt_or_exit(name, prompts, *needs) for name, needs in PROMPTS[method].items()}
    extracting = partial(Extracting, method, texts, asked.sampling)
    found = run_step(
        job, rows_of(source, None), lambda job: extract_claims(job, source, asked, extracting, dry=dry_run)
    )
    tell(job, found, asked)


@with_model(required=False)
def check(
    asked: Asked | None,
    source: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="Claims, as `extract` wrote them.")],
    out: Annotated[Path, typer.Argument(dir_okay=False, help="The annotation file to write.")],
    least_confidence: Annotated[
        float,
        typer.Option(min=0.0, max=1.0, help="Drop what a smaller share of a problem's trajectories says."),
    ] = 0.0,
    image_root: Annotated[
        Path | None,
        typer.Option(exists=True, file_okay=False, help="Folder that image references begin in. (default: SOURCE's)"),
    ] = None,
    allow_urls: Annotated[
        bool, typer.Option("--allow-urls", help="Hand image URLs to the model's server, which fetches them.")
    ] = False,
    most_pixels: Annotated[int, typer.Option(min=784, help="As for `trajectories`.")] = MOST_PIXELS,
    prompts: Prompts = None,
    dry_run: DryRun = False,
    force: Force = False,
) -> None:
    """Drop what leaks the answer, is vague, unsupported or contradicted; flag what is given or derived; join what
    repeats.

    With --url and --model a vision-language model is shown the image and asked of each seen fact. All that is dropped
    is kept in OUT.dropped.jsonl with its reason, and a picture of it all in OUT.svg.
    """
    job = job_or_exit("check", out, read=[source], force=force)
    if asked is None and dry_run:
        fail("a dry run estimates what a model costs; name one with --url and --model", status=2)
    checking = Checking(least_confidence)
    if asked is not None:
        look = prompt_or_exit("image_check", prompts, "statement")
        pictures = partial(pictures_of, root=image_root or source.parent, urls=allow_urls, most_pixels=most_pixels)
        checking = Checking(least_confidence, look, pictures)
    found = run_step(job, None, lambda job: check_facts(job, source, checking, asked, dry=dry_run))
    tell(job, found, asked, f"a picture of it: {beside(out, 'svg')}")
