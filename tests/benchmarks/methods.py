"""What each method is worth with each model: AUC, three-way accuracy, missing, responses a second.

    python tests/benchmarks/methods.py --url http://127.0.0.1:8000 --model NAME --tokenizer FOLDER \
        [--ways "verdict, selected" joint] [--sets labelled templated] [--most 40]
    python tests/benchmarks/methods.py [--markdown service/judges/models.md]

With `--url` the service's own methods ask what was not asked yet, some responses at a time, each with all its facts;
what the model says is kept in `build/methods/`, so that an interrupted run goes on where it stopped. Without, the
tables of all models are made of what is kept, and of what the service makes of it: grounding, calibration, the cascade.
`--most` asks about so many responses of a set, whole problems in a fixed random order: the same ones for every way and
model.

Sets: `labelled`, `further`, `fresh_seen`, `fresh_unseen`, `newest_seen` and `newest_unseen` are sure pairs of facts and
real responses (`labelled.py`); `templated` are Geometry3K statements in wordings that nobody tuned to, `unread` those
in the wordings of `unread_phrasings.py`; `parser` is what a real diagram parser read as the response to the facts that
people annotated; `captions` are captions and minimal contradictions of them; `charts` are claims and why a chart bears
them out or not (`cascade.py`).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import time
import zlib
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cascade import Case, cases
from folds import FOLDS, folds
from judging import judge_all
from labelled import SEEN, Pair, rows
from labelled import SETS as LABELLED
from measures import LABELS, Judged, accuracy, interval, stated_auc, table
from pages import write_between
from places import REPOSITORY, arguments
from statements import GEOMETRY, Half, problems, statements
from symbolic import SEED

from perception_reward.service.audit.fit import fit_calibration
from perception_reward.service.audit.probes import Observation, Probe, probe
from perception_reward.service.judges.base import Judge, JudgeInfo, JudgeTask, Verdict
from perception_reward.service.judges.cascade.checks import decides, packaged
from perception_reward.service.judges.cascade.pooling import pooled
from perception_reward.service.judges.llm.evidence import ABSENT, Evidence, shown_of, ungrounded
from perception_reward.service.judges.llm.grounding import grounds
from perception_reward.service.judges.llm.judge import LLMJudge
from perception_reward.service.judges.llm.methods import make_method
from perception_reward.service.judges.llm.selection import select
from perception_reward.service.judges.openai.factory import openai_engine
from perception_reward.service.judges.symbolic.judge import SymbolicJudge
from perception_reward.service.judges.symbolic.kinds import FIGURE_KINDS, kind_of
from perception_reward.trainer_client.wire import Fact, Label

KEPT = REPOSITORY / "build" / "methods"
# Sets of templated statements, with the lot of wordings of each.
WORDED: dict[str, Half] = {"templated": "fresh", "unread": "unread"}
WAYS = ("symbolic", "verdict, whole", "verdict, selected", "joint", "paper")
SETS = (*LABELLED, *WORDED, "parser", "captions", "charts")
RULES = "none (rules)"
# The way that is read a second time by a calibration: fitted on `labelled`, there on the other folds' problems.
FITTED = "verdict, selected"
# Label, probability of `stated`, and of `contradicted` where the judge tells it, and whether no model was asked.
Said = tuple[Label, float, float | None, bool]
# Responses judged together: enough for the engine to be busy, few enough that an interruption loses little.
AT_ONCE = 8
# Pairs of a set's kind below which a figure says nothing.
LEAST_OF_KIND = 20


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--url", help="vLLM server to ask, without /v1")
    parser.add_argument("--model", help="the served model's name; its verdicts are kept under it")
    parser.add_argument("--tokenizer", help="the model's tokenizer folder; the model's name if not given")
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=WAYS)
    parser.add_argument("--sets", nargs="+", choices=SETS, default=SETS)
    parser.add_argument("--most", type=int, default=10**6, help="responses of a set")
    parser.add_argument("--per-kind", type=int, default=5, help="templated statements a kind and label")
    parser.add_argument("--markdown", type=Path, help="write the tables between this file's markers")
    chosen = parser.parse_args()
    sets = {name: grouped(pairs_of(name, chosen)) for name in chosen.sets}
    if chosen.url:
        asyncio.run(ask(sets, chosen))
    text = "\n\n".join(report(sets))
    print(text)
    if chosen.markdown:
        write_between(chosen.markdown, "method figures", text)


def pairs_of(name: str, chosen: argparse.Namespace) -> list[Pair]:
    if name in WORDED:
        return shuffled(templated(chosen.data, chosen.per_kind, name))
    if name in LABELLED:
        return shuffled([pair for pair in LABELLED[name](chosen.data) if not pair.doubtful])
    return shuffled([pair_of(case) for case in cases(chosen.data) if case.source == name])


def pair_of(case: Case) -> Pair:
    # One response for all facts of a problem: a caption's foil is another.
    key = f"{case.source}/{case.problem}/{zlib.crc32(case.response.encode()):08x}"
    return Pair(key, case.problem, case.fact, case.label, False, case.response)


def grouped(pairs: Sequence[Pair]) -> list[list[Pair]]:
    """The pairs of each response."""
    found: dict[str, list[Pair]] = defaultdict(list)
    for pair in pairs:
        found[pair.key].append(pair)
    return list(found.values())


async def ask(sets: dict[str, list[list[Pair]]], chosen: argparse.Namespace) -> None:
    for way in chosen.ways:
        judge = make(way, chosen)
        await judge.start()
        try:
            for name, responses in sets.items():
                model = RULES if way == "symbolic" else chosen.model
                await collect(judge, responses[: chosen.most], kept(model, way, name), warm=way != "symbolic")
        finally:
            await judge.aclose()


def make(way: str, chosen: argparse.Namespace) -> Judge:
    """The judge as the service makes it, its text work in this process."""
    if way == "symbolic":
        return SymbolicJudge()
    name, _, shown = way.partition(", ")
    engine = openai_engine(f"openai:{chosen.url}#{chosen.model}")
    # What the model says by itself; `grounded` is what the service makes of it.
    evidence = Evidence(grounds=None) if shown == "selected" else None
    tokenizer = chosen.tokenizer or chosen.model
    return LLMJudge(engine, make_method(name), tokenizer=tokenizer, evidence=evidence)  # type: ignore[arg-type]


def kept(model: str, way: str, name: str) -> Path:
    # Both halves of a set are asked about into one file.
    name = name.split("_")[0]
    return KEPT / model.replace("/", "_") / way.replace(", ", "-") / f"{name}.jsonl"


async def collect(judge: Judge, responses: Sequence[list[Pair]], target: Path, *, warm: bool) -> None:
    known = answered(target)
    waiting = [pairs for pairs in responses if pairs[0].key not in known]
    if not waiting:
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    if warm:
        # What all questions share is computed before anything is timed.
        await decided(judge, [JudgeTask("AB is 1.", (Fact(id="f", text="AB has length 2."),))])
    with target.open("a", encoding="utf-8") as out:
        for at in range(0, len(waiting), AT_ONCE):
            batch = waiting[at : at + AT_ONCE]
            began = time.perf_counter()
            said = await decided(judge, [task_of(pairs) for pairs in batch])
            seconds = (time.perf_counter() - began) / len(batch)
            for pairs, verdicts in zip(batch, said, strict=True):
                row = {"key": pairs[0].key, "seconds": seconds, "facts": [pair.fact for pair in pairs]}
                out.write(json.dumps(row | {"said": verdicts}) + "\n")
            out.flush()


def answered(source: Path) -> dict[str, dict[str, Any]]:
    return {row["key"]: row for row in rows(source)} if source.is_file() else {}


def task_of(pairs: Sequence[Pair]) -> JudgeTask:
    facts = tuple(Fact(id=str(number), text=pair.fact) for number, pair in enumerate(pairs))
    return JudgeTask(pairs[0].response, facts)


async def decided(judge: Judge, tasks: Sequence[JudgeTask]) -> list[list[Said | None]]:
    """What was said of each fact, in the order of the tasks; None where it is missing."""
    deadline = asyncio.get_running_loop().time() + 3600
    found: dict[int, list[Said | None]] = {}
    async for index, outcomes in judge.judge(tasks, deadline):
        found[index] = [_said(outcome) if isinstance(outcome, Verdict) else None for outcome in outcomes]
    return [found[index] for index in range(len(tasks))]


def _said(verdict: Verdict) -> Said:
    return verdict.label, verdict.probability, verdict.contradiction, verdict.stage == "evidence"


def report(sets: dict[str, list[list[Pair]]]) -> Iterator[str]:
    """A table for each set, of what is kept."""
    models = sorted(folder.name for folder in KEPT.iterdir() if folder.name != RULES) if KEPT.is_dir() else []
    header = ["method", "model", "responses", "pairs", "missing", "AUC stated", "95 % interval", "three-way accuracy"]
    for name, responses in sets.items():
        lines: list[list[str]] = []
        for way in WAYS:
            for model in [RULES] if way == "symbolic" else models:
                if told := tellings(responses, kept(model, way, name)):
                    lines.append([way, model, *figures(told), rate(kept(model, way, name))])
                if told and way == FITTED:
                    known = tellings(sets.get("labelled", []), kept(model, way, "labelled"))
                    lines += [[row, model, *figures(made), "–"] for row, made in made_of(told, known, name)]
        if lines:
            yield f"Set `{name}`:\n\n" + table([*header, "responses/s"], lines)
    for model in models:
        if lines := [line for name in LABELLED for line in by_kind(name, sets.get(name, []), model)]:
            header = ["set", "facts", "pairs", "AUC stated", "95 % interval", "three-way accuracy"]
            yield f"The cascade with `{model}` on real responses, by what the facts are about:\n\n" + table(
                header, lines
            )
    yield "How often the rules say what (columns) where which label is right (rows):\n\n" + said_by_rules(sets)


def made_of(told: Sequence[Telling], known: Sequence[Telling], name: str) -> Iterator[tuple[str, Sequence[Telling]]]:
    """What the service makes of a model's answers, by name."""
    held = [grounded(telling) for telling in told]
    yield "… and grounded (shipped)", held
    if name == "labelled":
        yield "… and calibrated", cross_calibrated(held)
    elif known:
        yield "… and calibrated", calibrated([grounded(telling) for telling in known], held)
    yield "cascade of the rules and that (shipped)", cascaded(held)


def by_kind(name: str, responses: Sequence[list[Pair]], model: str) -> Iterator[list[str]]:
    """Figures of the cascade for facts of a figure's geometry and for all others, of sets with enough of them."""
    cascade = cascaded([grounded(telling) for telling in tellings(responses, kept(model, FITTED, name))])
    for kinds, figure in (("geometry", True), ("other", False)):
        part = [one for one in cascade if (kind_of(one.pair.fact) in FIGURE_KINDS) == figure]
        if len(part) >= LEAST_OF_KIND:
            yield [name, kinds, *figures(part)[1:2], *figures(part)[3:]]


def cascaded(held: Sequence[Telling]) -> list[Telling]:
    """What the cascade makes of grounded answers."""
    rules = [verdict for (verdict,) in judge_all([task_of([telling.pair]) for telling in held])]
    return [_cascaded(*both) for both in zip(held, rules, strict=True)]


def _cascaded(telling: Telling, rules: Verdict) -> Telling:
    kind = kind_of(telling.pair.fact)
    if decides(packaged(), kind, rules):
        return replace(telling, verdict=rules)
    return replace(telling, verdict=pooled(rules, telling.verdict, kind)) if telling.verdict else telling


def grounded(telling: Telling) -> Telling:
    """As the service's evidence does it."""
    (shown,) = shown_of(select, grounds, task_of([telling.pair]))
    if not shown.text:
        return replace(telling, verdict=ABSENT)
    return (
        telling if shown.grounded or telling.verdict is None else replace(telling, verdict=ungrounded(telling.verdict))
    )


def said_by_rules(sets: dict[str, list[list[Pair]]]) -> str:
    """The counts behind the pooling, on all sets that were looked into."""
    pairs = [pair for name in SEEN for pairs in sets.get(name, []) for pair in pairs]
    rules = [verdict for (verdict,) in judge_all([task_of([pair]) for pair in pairs])]
    counts = Counter(
        (kind_of(pair.fact) in FIGURE_KINDS, pair.label, verdict.label)
        for pair, verdict in zip(pairs, rules, strict=True)
    )
    lines = [
        ["figure" if figure else "other", label, *(str(counts[figure, label, said]) for said in LABELS)]
        for figure in (True, False)
        for label in LABELS
    ]
    return table(["kinds", "right", *LABELS], lines)


@dataclass(frozen=True, slots=True)
class Telling:
    """A pair with what the judge said of it; None where that is missing."""

    pair: Pair
    verdict: Verdict | None


def tellings(responses: Sequence[list[Pair]], source: Path) -> list[Telling]:
    """Of those responses that were asked about."""
    asked = answered(source)
    found: list[Telling] = []
    for pairs in responses:
        if (row := asked.get(pairs[0].key)) is not None:
            said = dict(zip(row["facts"], row["said"], strict=True))
            found += [Telling(pair, _verdict(said[pair.fact])) for pair in pairs]
    return found


def _verdict(said: Said | None) -> Verdict | None:
    if said is None:
        return None
    label, probability, contradiction, unasked = said
    return Verdict(label, probability, contradiction=contradiction, stage="evidence" if unasked else "model")


def cross_calibrated(told: Sequence[Telling]) -> list[Telling]:
    """Each read by the calibration fitted on the other folds' problems."""
    fold = folds((telling.pair.problem for telling in told), SEED)
    found: list[Telling] = []
    for number in range(FOLDS):
        rest = [telling for telling in told if fold[telling.pair.problem] != number]
        found += calibrated(rest, [telling for telling in told if fold[telling.pair.problem] == number])
    return found


def calibrated(known: Sequence[Telling], told: Sequence[Telling]) -> list[Telling]:
    """`told` read by what `perception-reward audit --fit` fits on `known`."""
    seen = [Observation(_probe(telling.pair), telling.verdict) for telling in known if telling.verdict]
    fitted = fit_calibration(seen, JudgeInfo("openai", "", "verdict", ""), seed=SEED).calibration
    return [replace(one, verdict=fitted.every(one.verdict) if one.verdict else None) for one in told]


def _probe(pair: Pair) -> Probe:
    fact = Fact(id="f", text=pair.fact)
    return probe("labelled", "human", fact, pair.response, pair.label, problem=pair.problem)


def figures(told: Sequence[Telling]) -> list[str]:
    """Missing verdicts count as absent with probability 0, and are counted."""
    silent = Verdict(LABELS[2], 0.0)
    judged = [
        Judged(one.pair.problem, one.pair.group, one.pair.label, verdict.label, verdict.probability)
        for one in told
        for verdict in [one.verdict or silent]
    ]
    counts = len({one.pair.key for one in told}), len(told), sum(one.verdict is None for one in told)
    low, high = interval(judged)
    return [*map(str, counts), f"{stated_auc(judged):.3f}", f"{low:.3f} to {high:.3f}", f"{accuracy(judged):.3f}"]


def rate(source: Path) -> str:
    seconds = [row["seconds"] for row in rows(source)]
    return f"{len(seconds) / sum(seconds):.2f}"


# --- what is asked about ----------------------------------------------------------------------------------------------


def shuffled(pairs: Sequence[Pair]) -> list[Pair]:
    """Whole problems in a fixed random order, so that the first so many are a fair sample."""
    names = sorted({pair.problem for pair in pairs})
    random.Random(SEED).shuffle(names)
    return sorted(pairs, key=lambda pair: names.index(pair.problem))


def templated(data: Path, per_kind: int, name: str = "templated") -> list[Pair]:
    """Geometry3K statements in the wordings of `WORDED[name]`, so many of each kind and label."""
    forms = list(problems(rows(data / "geometry3k" / "annotations.jsonl"), 500, SEED))
    count: Counter[tuple[str, Label]] = Counter()
    found: list[Pair] = []
    for number, sample in enumerate(statements(WORDED[name], 300, SEED, forms)):
        count[sample.kind, sample.label] += 1
        if sample.kind in GEOMETRY and count[sample.kind, sample.label] <= per_kind:
            key = f"{name}/{sample.kind}/{number}"
            found.append(Pair(key, key, sample.fact.text, sample.label, False, sample.response))
    return found


if __name__ == "__main__":
    main()
