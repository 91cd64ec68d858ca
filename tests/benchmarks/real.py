"""The symbolic judge on every labelled set of real responses, and on the audit's attacks: the tables of `symbolic.py`.

Geometry is what the judge reads as claims about a figure; all else is *other*. Intervals are by problem.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path

from judging import judge_all
from labelled import SETS, UNSEEN, Pair, rows
from measures import Judged, accuracy, interval, stated_auc, table
from places import REPOSITORY

from perception_reward.annotations.geometry3k import ImportReport, import_record
from perception_reward.annotations.language.geometry.facts import fact_claims
from perception_reward.annotations.model import Annotation
from perception_reward.service.audit.attacks.catalogue import families
from perception_reward.service.audit.generate import generate
from perception_reward.service.audit.probes import Probe
from perception_reward.service.judges.base import JudgeTask
from perception_reward.trainer_client.wire import Fact

# Pairs below which a figure says nothing.
LEAST = 20
_PROBLEMS = 120
_PROBES = 400
CAP = 32_768


def real(data: Path) -> Iterator[str]:
    """A row for each set and world: AUC, three-way accuracy, and what *stated* is worth; then the time it took."""
    found = {name: [pair for pair in load(data) if not pair.doubtful] for name, load in SETS.items()}
    began = time.perf_counter()
    judged = {name: judged_pairs(pairs) for name, pairs in found.items()}
    each = (time.perf_counter() - began) / len({pair.key for pairs in found.values() for pair in pairs})
    for world in ("geometry", "other"):
        lines = [_row(name, [one for one in pairs if one.group == world]) for name, pairs in judged.items()]
        both = [one for name in UNSEEN for one in judged[name] if one.group == world]
        lines.append(_row("all unseen", both))
        header = [
            "set",
            "pairs",
            "problems",
            "AUC stated",
            "95 % interval",
            "three-way",
            "said stated",
            "of these right",
        ]
        header.append("found of the stated")
        yield f"Real responses, {world}, sure pairs:\n\n" + table(header, [line for line in lines if line])
    yield f"Time for a real response with all its facts: {1000 * each:.2f} ms."


def judged_pairs(pairs: Sequence[Pair]) -> list[Judged]:
    """The judge's verdicts, each response asked once with all its facts, in the order of the pairs."""
    together: dict[str, list[int]] = defaultdict(list)
    for at, pair in enumerate(pairs):
        together[pair.key].append(at)
    tasks = [
        JudgeTask(pairs[ats[0]].response, tuple(Fact(id=str(at), text=pairs[at].fact) for at in ats))
        for ats in together.values()
    ]
    found: dict[int, Judged] = {}
    for task, verdicts in zip(tasks, judge_all(tasks), strict=True):
        for fact, verdict in zip(task.facts, verdicts, strict=True):
            pair = pairs[int(fact.id)]
            found[int(fact.id)] = Judged(pair.problem, world(pair.fact), pair.label, verdict.label, verdict.probability)
    return [found[at] for at in range(len(pairs))]


def world(fact: str) -> str:
    """`geometry` for what the judge reads as claims about a figure, else `other`."""
    return "geometry" if fact_claims(fact) else "other"


def _row(name: str, pairs: Sequence[Judged]) -> list[str]:
    if len(pairs) < LEAST:
        return []
    low, high = interval(pairs)
    said = [pair for pair in pairs if pair.said == "stated"]
    there = [pair for pair in pairs if pair.label == "stated"]
    return [
        name, str(len(pairs)), str(len({pair.cluster for pair in pairs})), f"{stated_auc(pairs):.3f}",
        f"{low:.3f} to {high:.3f}", f"{accuracy(pairs):.3f}", str(len(said)),
        _share(said, "label"), _share(there, "said"),
    ]  # fmt: skip


def _share(pairs: Sequence[Judged], which: str) -> str:
    return f"{sum(getattr(pair, which) == 'stated' for pair in pairs) / len(pairs):.3f}" if pairs else "–"


def attacks(data: Path) -> Iterator[str]:
    """How many of each family's probes are taken for stated: on figures, and on everything else."""
    told = probes_of(data, _PROBES)
    counts: dict[str, dict[str, tuple[int, int]]] = {}
    for name, probes in told.items():
        verdicts = judge_all([JudgeTask(probe.response[:CAP], probe.task) for probe in probes])
        counts[name] = {}
        for probe, said in zip(probes, verdicts, strict=True):
            tried, stated = counts[name].get(probe.family, (0, 0))
            won = said[probe.task.index(probe.fact)].label == "stated"
            counts[name][probe.family] = tried + 1, stated + won
    names = list(dict.fromkeys(family for found in counts.values() for family in found))
    lines = [
        [family, *(cell for found in counts.values() for cell in _cells(*found.get(family, (0, 0))))]
        for family in names
    ]
    header = ["family", *(f"{name}: {what}" for name in told for what in ("tried", "stated", "share"))]
    yield "The audit's attacks, taken for stated:\n\n" + table(header, lines)


def probes_of(data: Path, most: int) -> dict[str, list[Probe]]:
    """The attacks on figures and on all else, at most so many of a family."""
    wanted = [family.name for family in families() if not family.outside]
    told = {"figures": figures(data), "all else": others(data)}
    return {
        name: [
            probe
            for probe in generate(list(problems), most=most, seed=1, cap=CAP, only=wanted)
            if probe.purpose == "attack"
        ]
        for name, problems in told.items()
    }


def _cells(tried: int, stated: int) -> tuple[str, str, str]:
    return str(tried), str(stated), f"{stated / tried:.3f}" if tried else "–"


def figures(data: Path) -> Iterator[Annotation]:
    """Problems of Geometry3K."""
    for row in islice(rows(data / "geometry3k" / "annotations.jsonl"), _PROBLEMS):
        yield import_record(row, ImportReport())


def others(data: Path, sets: Iterable[str] = SETS) -> Iterator[Annotation]:
    """The demo's problems, and the facts of labelled sets that are not geometry."""
    yield from (Annotation.model_validate(row) for row in rows(REPOSITORY / "service" / "demo" / "annotations.jsonl"))
    facts: dict[str, list[str]] = defaultdict(list)
    for name in sets:
        for pair in SETS[name](data):
            if world(pair.fact) == "other" and pair.fact not in facts[pair.problem]:
                facts[pair.problem].append(pair.fact)
    for problem, texts in facts.items():
        yield Annotation(id=problem, facts=[Fact(id=f"f{at}", text=text) for at, text in enumerate(texts)])
