"""What a response earns that copies the question and has seen nothing: on all problems of Geometry3K, by profile.

    python tests/benchmarks/copies.py [--data ../shared/data] [--limit N] [--markdown FILE]

The judge is the symbolic one. A problem whose perception is null counts 0. *imported*: as the import marks the facts;
*marked*: after `annotations mark-given` besides. `--markdown` writes the tables between the markers of FILE.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path

from judging import judge_all
from measures import table
from pages import write_between
from places import arguments

from perception_reward.annotations.copies import copies_of
from perception_reward.annotations.geometry3k import import_problems
from perception_reward.annotations.model import Annotation
from perception_reward.annotations.stats import Stats
from perception_reward.service.judges.base import JudgeTask, Missing, Verdict
from perception_reward.service.judges.symbolic.judge import SymbolicJudge
from perception_reward.service.profiles.load import load_profiles
from perception_reward.service.profiles.model import Profile
from perception_reward.service.rewards.component import Sample
from perception_reward.service.rewards.registry import registered
from perception_reward.service.scoring.marking import mark_given

# Those that the recipes ask for.
KINDS = ("length", "angle", "arc", "perpendicular", "parallel", "equal_length", "equal_angle", "area")
COPIES = ("the question repeated", "the question with its numbers filled in")


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--limit", type=int, help="at most so many problems")
    parser.add_argument("--markdown", type=Path, help="write the tables between this file's markers")
    chosen = parser.parse_args()
    sections = list(report(chosen.data / "geometry3k" / "annotations.jsonl", chosen.limit))
    print("\n\n".join(sections))
    if chosen.markdown:
        write_between(chosen.markdown, "copies", "\n\n".join(sections))


def report(source: Path, limit: int | None) -> Iterator[str]:
    """A line and a table for the recipes' kinds and for all kinds, as imported and as marked."""
    for name, kinds in (("The recipes' kinds", KINDS), ("All kinds", None)):
        imported = import_problems(source, kinds=kinds, limit=limit).annotations
        problems = [one for one in imported if one.facts and copies_of(one)]
        for state, marked in (("imported", problems), ("marked", asyncio.run(_marked(problems)))):
            stats = Stats.of(marked)
            facts = ", ".join(f"{count} {origin}" for origin, count in stats.origins.most_common())
            yield (
                f"{name}, {state}: {stats.annotations} problems with a question and facts ({facts}), "
                f"{stats.annotations - stats.without_seen} of them with a seen one."
            )
            yield table(["copy", "profile", "mean perception", "above 0", "below 0"], list(_rows(marked)))


async def _marked(annotations: Sequence[Annotation]) -> list[Annotation]:
    found = {
        index: one.annotation
        async for index, one in mark_given(SymbolicJudge(), annotations, max_response_chars=65536, seconds=3600)
    }
    return [found[index] for index in range(len(annotations))]


def _rows(annotations: Sequence[Annotation]) -> Iterator[list[str]]:
    for copy in COPIES:
        tasks = [JudgeTask(_copy(one, copy), tuple(one.facts)) for one in annotations]
        verdicts = judge_all(tasks)
        for name, profile in load_profiles().items():
            shares = [_share(one, said, profile) for one, said in zip(annotations, verdicts, strict=True)]
            above, below = sum(share > 0 for share in shares), sum(share < 0 for share in shares)
            yield [copy, f"`{name}`", f"{sum(shares) / len(shares):.4f}", str(above), str(below)]


def _copy(annotation: Annotation, copy: str) -> str:
    copies = copies_of(annotation)
    assert copies is not None
    return copies.question if copy == COPIES[0] else copies.filled or copies.question


def _share(annotation: Annotation, verdicts: Sequence[Verdict], profile: Profile) -> float:
    share = registered()["perception"].of(
        Sample("", mode=profile.mode, facts=annotation.facts, outcomes=list(verdicts), rule=profile.perception)
    )
    assert not isinstance(share, Missing)
    return share or 0.0


if __name__ == "__main__":
    main()
