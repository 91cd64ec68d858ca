"""What teaching a judge is worth: base and taught on pairs that nobody taught, and what fools them.

    python tests/benchmarks/train_judge.py --base FOLDER --out build/judge [--freeze 8] [--most 10] [--write]

It runs `perception-reward judge train`, in the environment of `make test-train`, on statements made of Geometry3K's
training problems, on the packaged pairs, and on the sets of real responses in `--taught`, none by default; a run that
was killed goes on. Then base and taught are asked about other sets of `labelled.py`, with the evidence that is shipped:
here, or with `--urls BASE TAUGHT` by vLLM servers of both, each under its folder's name. No problem is in a taught set
and in an asked one, and nothing is chosen by the unseen halves. What was asked is kept beside OUT. With `--measured`,
only the tables are made; with `--write`, the page too.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from labelled import SEEN, SETS, UNSEEN, Pair
from measures import accuracy, ece, interval, stated_auc, table
from methods import (
    LEAST_OF_KIND,
    Said,
    Telling,
    calibration_in,
    cascaded,
    judged_of,
    said_by,
    taken,
    task_of,
    verdict_of,
)
from places import REPOSITORY, arguments
from real import CAP, others, world

from perception_reward.annotations.geometry3k import import_problems
from perception_reward.annotations.jsonl import write_jsonl
from perception_reward.service.audit.attacks.catalogue import families
from perception_reward.service.audit.generate import generate
from perception_reward.service.judges.base import Verdict
from perception_reward.service.judges.llm.engine import Engine
from perception_reward.service.judges.llm.evidence import Evidence
from perception_reward.service.judges.llm.judge import LLMJudge
from perception_reward.service.judges.llm.verdict import VerdictMethod
from perception_reward.service.judges.openai.factory import openai_engine

PAGE = REPOSITORY / "tests" / "benchmarks" / "results" / "taught.md"
HEAD = """# A judge of one's own

Made by `python tests/benchmarks/train_judge.py --write`: a model before and after `perception-reward judge train`,
asked by the method `verdict` with the evidence that is shipped, about responses to problems of which nothing was
taught, each alone, uncalibrated, and behind the rules: the base as any model, the taught one with its calibration, as
its `judge.toml` has it. Intervals are by problem; [judges](../../../service/judges/README.md) explains the tables."""

# By judge and pair what is said of it.
Told = dict[str, dict[str, Telling]]


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--base", type=Path, required=True, help="folder of the model to teach")
    parser.add_argument("--out", type=Path, required=True, help="folder of the taught one")
    parser.add_argument("--taught", nargs="*", choices=SEEN, default=[], help="taught besides")
    parser.add_argument("--sets", nargs="+", choices=SETS, default=[*UNSEEN, "labelled"], help="to be asked about")
    parser.add_argument("--most", type=int, default=10, help="statements of one family")
    parser.add_argument("--probes", type=int, default=1, help="statements of one family to measure with")
    parser.add_argument("--held-out", type=float, default=0.1, help="share of the problems that is not taught")
    parser.add_argument("--freeze", type=int, default=8, help="the lowest layers that stay as they are")
    parser.add_argument("--epochs", type=float, default=2.0)
    parser.add_argument("--learning-rate", type=float, default=2e-4)
    parser.add_argument("--save-every", type=int, default=10, help="steps between checkpoints")
    parser.add_argument("--pairs", type=int, default=10**6, help="pairs of a set that are asked about")
    parser.add_argument("--attacks", type=int, default=20, help="probes of one family of attacks")
    parser.add_argument("--urls", nargs=2, metavar=("BASE", "TAUGHT"), help="vLLM servers to ask, without /v1")
    parser.add_argument("--measured", action="store_true", help="ask nothing more")
    parser.add_argument("--write", action="store_true", help=f"make the tables the page {PAGE.name}")
    chosen = parser.parse_args()
    if both := set(chosen.taught) & set(chosen.sets):
        parser.error(f"{', '.join(sorted(both))}: what is taught measures nothing; name other --sets or --taught")
    sets = {name: [pair for pair in SETS[name](chosen.data) if not pair.doubtful] for name in chosen.sets}
    sets = {name: pairs[: chosen.pairs] for name, pairs in sets.items()}
    tricks = attacks(chosen.data, chosen.attacks)
    asked = [pair for pairs in (*sets.values(), *tricks.values()) for pair in pairs]
    if not chosen.measured:
        if not (chosen.out / "README.md").exists():
            teach(chosen)
        for folder, url in zip((chosen.base, chosen.out), chosen.urls or (None, None), strict=True):
            ask(folder, url, asked, kept(chosen.out, folder))
    told = told_of(chosen, asked)
    text = "\n\n".join([figures(sets, told), fooled(tricks, told), settings(chosen.out)])
    print(text)
    if chosen.write:
        PAGE.write_text(f"{HEAD}\n\n{text}\n", encoding="utf-8")


def teach(chosen: argparse.Namespace) -> None:
    """Run the command itself."""
    source = chosen.out.with_name(f"{chosen.out.name}.annotations.jsonl")
    if not source.exists():
        found = import_problems(chosen.data / "geometry3k" / "annotations.jsonl", split="train")
        write_jsonl(source, found.annotations)
    command = [sys.executable, "-m", "perception_reward.service.cli", "judge", "train"]
    command += [str(chosen.base), str(chosen.out), "--annotations", str(source)]
    if chosen.taught:
        command += ["--labelled", str(write_labelled(chosen))]
    for name in ("most", "probes", "held_out", "freeze", "epochs", "learning_rate", "save_every"):
        command += [f"--{name.replace('_', '-')}", str(getattr(chosen, name))]
    subprocess.run(command, check=True)


def write_labelled(chosen: argparse.Namespace) -> Path:
    """The sets that are taught, as a file of labelled responses."""
    target = chosen.out.with_name(f"{chosen.out.name}.labelled.jsonl")
    pairs = [pair for name in chosen.taught for pair in SETS[name](chosen.data) if not pair.doubtful]
    rows = [{"response": one.response, "fact": one.fact, "label": one.label, "problem": one.problem} for one in pairs]
    target.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return target


def ask(folder: Path, url: str | None, pairs: Iterable[Pair], target: Path) -> None:
    """Ask what was not asked yet, one fact at a time, so that an interrupted run goes on."""
    known = said_of(target)
    waiting = [pair for pair in pairs if key_of(pair) not in known]
    if waiting:
        asyncio.run(_ask(engine(folder, url), folder, waiting, target))


def engine(folder: Path, url: str | None) -> Engine:
    if url is not None:
        return openai_engine(f"openai:{url}#{folder.name}")
    # Here, because they need torch.
    from perception_reward.service.training.engine import PlainEngine
    from perception_reward.service.training.fitting import load

    return PlainEngine(load(str(folder), exact=False), str(folder))


async def _ask(engine: Engine, folder: Path, pairs: Sequence[Pair], target: Path) -> None:
    judge = LLMJudge(engine, VerdictMethod(), tokenizer=str(folder), evidence=Evidence())
    await judge.start()
    deadline = asyncio.get_running_loop().time() + 36000
    try:
        with target.open("a", encoding="utf-8") as out:
            async for at, (said,) in judge.judge([task_of([pair]) for pair in pairs], deadline):
                # What is missing is asked again by the next run.
                if isinstance(said, Verdict):
                    out.write(json.dumps([key_of(pairs[at]), said_by(said)]) + "\n")
                    out.flush()
    finally:
        await judge.aclose()
        await engine.aclose()


def attacks(data: Path, most: int) -> dict[str, list[Pair]]:
    """The audit's attacks by family, at most so many of each, on problems of which nothing is taught."""
    held = import_problems(data / "geometry3k" / "annotations.jsonl", split="test", limit=60).annotations
    wanted = [family.name for family in families() if not family.outside]
    found = generate([*held, *others(data, UNSEEN)], most=most, seed=1, cap=CAP, only=wanted)
    pairs: dict[str, list[Pair]] = defaultdict(list)
    for probe in found:
        if probe.purpose == "attack":
            response = probe.response[:CAP]
            pairs[probe.family].append(
                Pair(probe.id, probe.problem or probe.id, probe.fact.text, "absent", False, response)
            )
    return dict(pairs)


def kept(out: Path, folder: Path) -> Path:
    return out.with_name(f"{out.name}.{folder.name}.verdicts.jsonl")


def key_of(pair: Pair) -> str:
    return f"{pair.key} {pair.fact}"


def said_of(source: Path) -> dict[str, Said]:
    return dict(map(json.loads, source.read_text(encoding="utf-8").splitlines())) if source.exists() else {}


def told_of(chosen: argparse.Namespace, pairs: Sequence[Pair]) -> Told:
    """By judge and pair what is said of all that both models were asked about."""
    said = {folder: said_of(kept(chosen.out, folder)) for folder in (chosen.base, chosen.out)}
    found: Told = {}
    for name, folder in (("base", chosen.base), ("taught", chosen.out)):
        both = [pair for pair in pairs if all(key_of(pair) in one for one in said.values())]
        alone = [Telling(pair, verdict_of(said[folder][key_of(pair)])) for pair in both]
        for judge, tellings in ((name, alone), (f"{name}, behind the rules", cascaded(alone, calibration_in(folder)))):
            found[judge] = {key_of(one.pair): one for one in tellings}
    return found


def figures(sets: dict[str, list[Pair]], told: Told) -> str:
    """A line for each set, world and judge; "all unseen" is all that nobody had seen."""
    groups = {
        (name, kind): [pair for pair in pairs if world(pair.fact) == kind]
        for kind in ("other", "geometry")
        for name, pairs in [*sets.items(), ("all unseen", [pair for name in UNSEEN for pair in sets.get(name, ())])]
    }
    lines: list[list[str]] = []
    for (name, kind), pairs in groups.items():
        for judge, tellings in told.items():
            judged = judged_of([tellings[key_of(pair)] for pair in pairs if key_of(pair) in tellings])
            if len(judged) >= LEAST_OF_KIND:
                low, high = interval(judged)
                wrong = [taken(judged, label) for label in ("contradicted", "absent")]
                auc = f"{stated_auc(judged):.3f} ({low:.3f} to {high:.3f})"
                share = f"{accuracy(judged):.3f} ({' to '.join(f'{end:.3f}' for end in interval(judged, of=accuracy))})"
                lines.append([name, kind, judge, str(len(judged)), auc, share, *wrong, f"{ece(judged):.3f}"])
    header = ["set", "facts", "judge", "pairs", "AUC stated", "three-way", "contradicted taken for stated"]
    return table([*header, "absent so taken", "ECE"], lines)


def fooled(tricks: Mapping[str, Sequence[Pair]], told: Told) -> str:
    """How often each family of attacks is taken for stated."""
    lines: list[list[str]] = []
    for family, pairs in [*tricks.items(), ("all", [pair for each in tricks.values() for pair in each])]:
        judged = [judged_of([one[key] for pair in pairs if (key := key_of(pair)) in one]) for one in told.values()]
        counts = [sum(verdict.said == "stated" for verdict in each) for each in judged]
        shares = (f"{count} ({count / max(1, len(judged[0])):.3f})" for count in counts)
        lines.append([family, str(len(judged[0])), *shares])
    return table(["attack", "tried", *(f"taken for stated: {judge}" for judge in told)], lines)


def settings(out: Path) -> str:
    """How the judge was taught, as its card says."""
    card = (out / "README.md").read_text(encoding="utf-8").partition("## Data")[2].strip()
    return "\n".join(line for line in card.splitlines() if not line.startswith("- base:"))


if __name__ == "__main__":
    main()
