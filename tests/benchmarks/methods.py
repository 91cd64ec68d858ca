"""What each method is worth with each model: AUC, three-way accuracy, missing, responses a second.

    python tests/benchmarks/methods.py --url http://127.0.0.1:8000 --model NAME --tokenizer FOLDER \
        [--ways "verdict, selected" joint] [--sets labelled templated] [--most 40] [--about other]
    python tests/benchmarks/methods.py [--markdown service/judges]

With `--url` the service's own methods ask what was not asked yet, some responses at a time, each with all its facts;
what the model says is kept in `build/methods/`, so that an interrupted run goes on where it stopped. Without, the
tables of all models are made of what is kept, and of what the service makes of it: grounding and the cascade.
`--most` asks about so many responses of a set, whole problems in a fixed random order: the same ones for every way and
model; `--about` only about facts of a figure's geometry, or only about all others.

Sets: those of `labelled.py` are sure pairs of facts and responses; `templated` are Geometry3K statements in wordings
that nobody tuned to, `unread` those in the wordings of `unread_phrasings.py`; `parser` is what a real diagram parser
read as the response to the facts that people annotated; `captions` are captions and minimal contradictions of them;
`charts` are claims and why a chart bears them out or not (`cascade.py`).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import shutil
import time
import zlib
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cascade import Case, cases
from judging import judge_all
from labelled import SEEN, UNSEEN, Pair, rows
from labelled import SETS as LABELLED
from measures import LABELS, Judged, accuracy, ece, interval, stated_auc, table
from pages import write_between
from places import REPOSITORY, arguments
from real import world
from statements import GEOMETRY, Half, problems, statements
from symbolic import SEED

from perception_reward.service.judges.base import Judge, JudgeTask, Verdict
from perception_reward.service.judges.calibration import Calibration, load_calibration
from perception_reward.service.judges.cascade.checks import decides, packaged
from perception_reward.service.judges.cascade.pooling import pooled
from perception_reward.service.judges.llm.engine import Engine
from perception_reward.service.judges.llm.evidence import ABSENT, Evidence, shown_of, ungrounded
from perception_reward.service.judges.llm.grounding import grounds
from perception_reward.service.judges.llm.judge import LLMJudge
from perception_reward.service.judges.llm.methods import make_method
from perception_reward.service.judges.llm.selection import select
from perception_reward.service.judges.openai.factory import openai_engine
from perception_reward.service.judges.symbolic.judge import SymbolicJudge
from perception_reward.service.judges.symbolic.kinds import FIGURE_KINDS, kind_of
from perception_reward.service.training.choosing import Metered
from perception_reward.service.training.configuration import CALIBRATION
from perception_reward.trainer_client.wire import Fact, Label

KEPT = REPOSITORY / "build" / "methods"
# Sets of templated statements, with the lot of wordings of each.
WORDED: dict[str, Half] = {"templated": "fresh", "unread": "unread"}
# The way that is grounded and goes into the cascade.
FITTED = "verdict, selected"
WAYS = ("symbolic", "verdict, whole", FITTED, "joint", "paper")
SETS = (*LABELLED, *WORDED, "parser", "captions", "charts")
RULES = "none (rules)"
# What unseen responses are about: real ones, and those written for it.
DOMAINS = ("geometry", "all else, real", "document", "screen", "video", "tool")
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
    parser.add_argument("--about", choices=["geometry", "other"], help="only facts of this world; all without")
    parser.add_argument("--per-kind", type=int, default=5, help="templated statements a kind and label")
    parser.add_argument("--markdown", type=Path, help="folder of models.md and choosing.md: write the tables into them")
    chosen = parser.parse_args()
    sets = {name: grouped(pairs_of(name, chosen)) for name in chosen.sets}
    if chosen.url:
        asyncio.run(ask({name: about(chosen.about, responses) for name, responses in sets.items()}, chosen))
    models = sorted(folder.name for folder in KEPT.iterdir() if folder.name != RULES) if KEPT.is_dir() else []
    told = {name: dict(told_of(name, responses, models)) for name, responses in sets.items()}
    text, domains = "\n\n".join(report(sets, told, models)), by_domain(told)
    print(f"{text}\n\n{domains}")
    if chosen.markdown:
        write_between(chosen.markdown / "models.md", "method figures", text)
        write_between(chosen.markdown / "choosing.md", "judges by domain", domains)


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


def about(wanted: str | None, responses: Sequence[list[Pair]]) -> list[list[Pair]]:
    """Each response's pairs of one world, where it has any."""
    found = [[pair for pair in pairs if wanted in (None, world(pair.fact))] for pairs in responses]
    return [pairs for pairs in found if pairs]


async def ask(sets: dict[str, list[list[Pair]]], chosen: argparse.Namespace) -> None:
    keep_calibration(chosen)
    for way in chosen.ways:
        engine = openai_engine(f"openai:{chosen.url}#{chosen.model}")
        meter = Metered(engine)
        judge = make(way, chosen, meter)
        await judge.start()
        try:
            for name, responses in sets.items():
                model = RULES if way == "symbolic" else chosen.model
                await collect(judge, responses[: chosen.most], kept(model, way, name), meter)
        finally:
            await judge.aclose()
            await engine.aclose()


def make(way: str, chosen: argparse.Namespace, engine: Engine) -> Judge:
    """The judge as the service makes it, its text work in this process."""
    if way == "symbolic":
        return SymbolicJudge()
    name, _, shown = way.partition(", ")
    # What the model says by itself; `grounded` is what the service makes of it.
    evidence = Evidence(grounds=None) if shown == "selected" else None
    tokenizer = chosen.tokenizer or chosen.model
    return LLMJudge(engine, make_method(name), tokenizer=tokenizer, evidence=evidence)  # type: ignore[arg-type]


def kept(model: str, way: str, name: str) -> Path:
    # Both halves of a set are asked about into one file.
    name = name.split("_")[0]
    return folder_of(model) / way.replace(", ", "-") / f"{name}.jsonl"


def folder_of(model: str) -> Path:
    return KEPT / model.replace("/", "_")


async def collect(judge: Judge, responses: Sequence[list[Pair]], target: Path, meter: Metered) -> None:
    known = answered(target)
    waiting = [[pair for pair in pairs if (pair.key, pair.fact) not in known] for pairs in responses]
    waiting = [pairs for pairs in waiting if pairs]
    if not waiting:
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    # What all questions share is computed before anything is timed.
    await decided(judge, [JudgeTask("AB is 1.", (Fact(id="f", text="AB has length 2."),))])
    with target.open("a", encoding="utf-8") as out:
        for at in range(0, len(waiting), AT_ONCE):
            batch = waiting[at : at + AT_ONCE]
            began, read = time.perf_counter(), meter.read + meter.written
            said = await decided(judge, [task_of(pairs) for pairs in batch])
            seconds = (time.perf_counter() - began) / len(batch)
            tokens = (meter.read + meter.written - read) / len(batch)
            for pairs, verdicts in zip(batch, said, strict=True):
                row = {
                    "key": pairs[0].key,
                    "seconds": seconds,
                    "tokens": tokens,
                    "facts": [pair.fact for pair in pairs],
                }
                out.write(json.dumps(row | {"said": verdicts}) + "\n")
            out.flush()


def answered(source: Path) -> dict[tuple[str, str], Said | None]:
    """By response and fact what was said; of what was asked twice, at first."""
    found: dict[tuple[str, str], Said | None] = {}
    for row in rows(source) if source.is_file() else ():
        for fact, said in zip(row["facts"], row["said"], strict=True):
            found.setdefault((row["key"], fact), said)
    return found


def task_of(pairs: Sequence[Pair]) -> JudgeTask:
    return JudgeTask(pairs[0].response, tuple(Fact(id=str(at), text=pair.fact) for at, pair in enumerate(pairs)))


async def decided(judge: Judge, tasks: Sequence[JudgeTask]) -> list[list[Said | None]]:
    """What was said of each fact, in the order of the tasks; None where it is missing."""
    deadline = asyncio.get_running_loop().time() + 3600
    found: dict[int, list[Said | None]] = {}
    async for index, outcomes in judge.judge(tasks, deadline):
        found[index] = [said_by(outcome) if isinstance(outcome, Verdict) else None for outcome in outcomes]
    return [found[index] for index in range(len(tasks))]


def said_by(verdict: Verdict) -> Said:
    return verdict.label, verdict.probability, verdict.contradiction, verdict.stage == "evidence"


def report(sets: dict[str, list[list[Pair]]], told: dict[str, Told], models: Sequence[str]) -> Iterator[str]:
    """Tables of what is kept: of real responses by what the facts are about, then of all other sets."""
    for facts in ("geometry", "other"):
        for where, names in (("looked into", SEEN), ("that nobody had seen", UNSEEN)):
            found = pooled_sets([told[name] for name in names if name in told], facts)
            if lines := [[*row, *figures(part)] for row, part in found.items() if len(part) >= LEAST_OF_KIND]:
                title = f"Facts of {facts}, responses {where}"
                yield f"{title} ({', '.join(name for name in names if name in told)}):\n\n" + table(HEADER, lines)
    yield "The cascade beside its model alone, grounded, AUC / three-way accuracy:\n\n" + beside(told)
    for name in sets:
        if name not in LABELLED and told[name]:
            yield f"Set `{name}`:\n\n" + table(HEADER, [[*row, *figures(part)] for row, part in told[name].items()])
    yield "What asking costs, without the instruction that all prompts share:\n\n" + costs(sets, models)
    yield "How often the rules say what (columns) where which label is right (rows):\n\n" + said_by_rules(sets)


HEADER = (
    "method", "model", "responses", "pairs", "missing", "AUC stated", "95 % interval", "three-way", "95 % interval",
    "contradicted, taken for stated", "absent, taken for stated", "ECE",
)  # fmt: skip
ALONE, CASCADE = "… and grounded (shipped)", "cascade of the rules and that (shipped)"
# What was said of pairs, by method and model.
Told = dict[tuple[str, str], Sequence["Telling"]]


def told_of(
    name: str, responses: Sequence[list[Pair]], models: Sequence[str]
) -> Iterator[tuple[tuple[str, str], Sequence[Telling]]]:
    """All that was said of a set, and what the service makes of it."""
    for way in WAYS:
        for model in [RULES] if way == "symbolic" else models:
            if not (told := tellings(responses, kept(model, way, name))):
                continue
            yield (way, model), told
            if way == FITTED:
                held = [grounded(telling) for telling in told]
                yield (ALONE, model), held
                yield (CASCADE, model), cascaded(held, calibration_of(model))


def pooled_sets(told: Sequence[Told], facts: str) -> Told:
    """The pairs about such facts of all sets."""
    found: dict[tuple[str, str], list[Telling]] = defaultdict(list)
    for one in told:
        for row, part in one.items():
            found[row] += [telling for telling in part if world(telling.pair.fact) == facts]
    return dict(found)


def beside(told: dict[str, Told]) -> str:
    """By set and facts."""
    lines: list[list[str]] = []
    for name, rows_of_set in told.items():
        for facts in ("geometry", "other"):
            parts = pooled_sets([rows_of_set], facts)
            for (way, model), part in parts.items():
                if way == CASCADE and len(part) >= LEAST_OF_KIND:
                    both = (judged_of(one) for one in (parts[ALONE, model], part))
                    cells = (f"{stated_auc(each):.3f} / {accuracy(each):.3f}" for each in both)
                    lines.append([name, facts, model, str(len(part)), *cells])
    return table(["set", "facts", "model", "pairs", "model alone", "cascade"], lines)


def by_domain(told: dict[str, Told]) -> str:
    """What each judge costs and is worth on responses that nobody had seen, by what these are about."""
    found: dict[tuple[str, str], list[Telling]] = defaultdict(list)
    for name in UNSEEN:
        for row, part in told.get(name, {}).items():
            found[row] += part
    lines = [[*row, *spent(*row), *worth(part)] for row, part in found.items()]
    header = ["method", "model", "responses/s", "tokens a fact", *DOMAINS, "not stated, taken for stated"]
    return table(header, lines)


def spent(way: str, model: str) -> list[str]:
    asked = FITTED if way in (ALONE, CASCADE) else way
    sources = [kept(model, asked, name) for name in UNSEEN]
    return rates([row for source in sources if source.is_file() for row in rows(source)])[1:]


def worth(told: Sequence[Telling]) -> list[str]:
    """AUC / three-way accuracy by domain, and how many of what is not stated are taken for stated."""
    domains = [judged_of([one for one in told if domain(one.pair) == name]) for name in DOMAINS]
    cells = [f"{stated_auc(one):.2f} / {accuracy(one):.2f}" if len(one) >= LEAST_OF_KIND else "–" for one in domains]
    others = [one for one in judged_of(told) if one.label != "stated"]
    return [*cells, f"{sum(one.said == 'stated' for one in others)} of {len(others)}"]


def domain(pair: Pair) -> str:
    if world(pair.fact) == "geometry":
        return DOMAINS[0]
    kind = pair.key.split("/")[1]
    return kind if pair.key.startswith("written/") else DOMAINS[1]


def costs(sets: dict[str, list[list[Pair]]], models: Sequence[str]) -> str:
    lines: list[list[str]] = []
    for name in sets:
        for way in WAYS:
            for model in [RULES] if way == "symbolic" else models:
                if (source := kept(model, way, name)).is_file() and name not in UNSEEN:
                    lines.append([name.split("_")[0], way, model, *rates(list(rows(source)))])
    return table(["set", "method", "model", "facts/s", "responses/s", "tokens a fact"], lines)


def cascaded(held: Sequence[Telling], calibration: Calibration | None = None) -> list[Telling]:
    """What the cascade makes of grounded answers, by a model with such a calibration."""
    rules = [verdict for (verdict,) in judge_all([task_of([telling.pair]) for telling in held])]
    return [_cascaded(*both, calibration) for both in zip(held, rules, strict=True)]


def _cascaded(telling: Telling, rules: Verdict, calibration: Calibration | None) -> Telling:
    kind = kind_of(telling.pair.fact)
    if decides(packaged(), kind, rules):
        return replace(telling, verdict=rules)
    if (said := telling.verdict) is None:
        return telling
    if calibration is not None:
        said = calibration.reading(Fact(id="f", text=telling.pair.fact))(said)
    return replace(telling, verdict=pooled(rules, said, kind, calibrated=calibration is not None))


def calibration_of(model: str) -> Calibration | None:
    """That of a taught model."""
    return calibration_in(folder_of(model))


def calibration_in(folder: Path) -> Calibration | None:
    source = folder / CALIBRATION
    return load_calibration(source) if source.is_file() else None


def keep_calibration(chosen: argparse.Namespace) -> None:
    """What a taught model's folder has, beside what it says."""
    source, target = Path(chosen.tokenizer or chosen.model) / CALIBRATION, folder_of(chosen.model) / CALIBRATION
    target.unlink(missing_ok=True)
    if source.is_file():
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)


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
    """Of those pairs that were asked about."""
    asked = answered(source)
    every = [pair for pairs in responses for pair in pairs]
    return [Telling(pair, verdict_of(asked[at])) for pair in every if (at := (pair.key, pair.fact)) in asked]


def verdict_of(said: Said | None) -> Verdict | None:
    if said is None:
        return None
    label, probability, contradiction, unasked = said
    return Verdict(label, probability, contradiction=contradiction, stage="evidence" if unasked else "model")


def judged_of(told: Sequence[Telling]) -> list[Judged]:
    """Missing verdicts count as absent with probability 0."""
    silent = Verdict(LABELS[2], 0.0)
    return [
        Judged(one.pair.problem, one.pair.group, one.pair.label, verdict.label, verdict.probability)
        for one in told
        for verdict in [one.verdict or silent]
    ]


def figures(told: Sequence[Telling]) -> list[str]:
    judged = judged_of(told)
    counts = len({one.pair.key for one in told}), len(told), sum(one.verdict is None for one in told)
    (low, high), (least, most) = interval(judged), interval(judged, of=accuracy)
    return [
        *map(str, counts), f"{stated_auc(judged):.3f}", f"{low:.3f} to {high:.3f}", f"{accuracy(judged):.3f}",
        f"{least:.3f} to {most:.3f}", *(taken(judged, label) for label in LABELS[1:]), f"{ece(judged):.3f}",
    ]  # fmt: skip


def taken(judged: Sequence[Judged], label: Label) -> str:
    """How many of those where `label` is right are taken for stated."""
    right = [one for one in judged if one.label == label]
    return f"{sum(one.said == 'stated' for one in right)} of {len(right)}"


def rates(asked: Sequence[dict[str, Any]]) -> list[str]:
    """Facts and responses a second, and tokens a fact, of rows that `collect` has kept."""
    seconds, facts = sum(row["seconds"] for row in asked), sum(len(row["facts"]) for row in asked)
    tokens = sum(row.get("tokens", 0.0) for row in asked)
    return [f"{facts / seconds:.2f}", f"{len(asked) / seconds:.2f}", f"{tokens / facts:.0f}"] if asked else ["–"] * 3


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
