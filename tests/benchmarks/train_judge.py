"""What teaching a judge is worth: base and taught on pairs that nobody taught, and what fools them.

    python tests/benchmarks/train_judge.py --base FOLDER --out build/judge [--freeze 12] [--most 10] [--write]

It runs `perception-reward judge train`, in the environment of `make test-train`, on statements made of Geometry3K's
training problems, on the packaged pairs and on the sets of real responses in `--taught`; a run that was killed goes on.
Then base and taught are asked about the other sets of `labelled.py`, with the evidence that is shipped. No problem is
in a taught set and in an asked one, and nothing is chosen by the unseen halves. What was asked is kept beside OUT. With
`--measured`, only the tables are made; with `--write`, the page too.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from labelled import REAL, SEEN, SETS, UNSEEN, Pair
from measures import LABELS, Judged, accuracy, interval, stated_auc, table
from places import REPOSITORY, arguments
from real import CAP, others, world

from perception_reward.annotations.geometry3k import import_problems
from perception_reward.annotations.jsonl import write_jsonl
from perception_reward.service.audit.attacks.catalogue import families
from perception_reward.service.audit.generate import generate
from perception_reward.service.audit.probes import Probe
from perception_reward.service.judges.base import JudgeTask, Verdict
from perception_reward.service.judges.llm.evidence import Evidence
from perception_reward.service.judges.llm.judge import LLMJudge
from perception_reward.service.judges.llm.verdict import VerdictMethod
from perception_reward.trainer_client.wire import Fact

PAGE = REPOSITORY / "tests" / "benchmarks" / "results" / "taught.md"
HEAD = """# A judge of one's own

Made by `python tests/benchmarks/train_judge.py --write`: a model before and after `perception-reward judge train`,
asked by the method `verdict` with the evidence that is shipped, about responses to problems of which nothing was
taught. Intervals are by problem; what the tables mean is in [judges](../../../service/judges/README.md)."""

Question = tuple[str, str, Fact]
Said = dict[str, tuple[str, float] | None]


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--base", type=Path, required=True, help="folder of the model to teach")
    parser.add_argument("--out", type=Path, required=True, help="folder of the taught one")
    parser.add_argument("--taught", nargs="*", choices=SEEN, default=[name for name in REAL if name != "labelled"])
    parser.add_argument("--sets", nargs="+", choices=SETS, default=[*UNSEEN, "labelled"], help="to be asked about")
    parser.add_argument("--most", type=int, default=10, help="statements of one family")
    parser.add_argument("--probes", type=int, default=1, help="statements of one family to measure with")
    parser.add_argument("--held-out", type=float, default=0.1, help="share of the problems that is not taught")
    parser.add_argument("--freeze", type=int, default=12, help="the lowest layers that stay as they are")
    parser.add_argument("--epochs", type=float, default=2.0)
    parser.add_argument("--learning-rate", type=float, default=2e-4)
    parser.add_argument("--save-every", type=int, default=10, help="steps between checkpoints")
    parser.add_argument("--pairs", type=int, default=10**6, help="pairs of a set that are asked about")
    parser.add_argument("--attacks", type=int, default=20, help="probes of one family of attacks")
    parser.add_argument("--measured", action="store_true", help="ask nothing more")
    parser.add_argument("--write", action="store_true", help=f"make the tables the page {PAGE.name}")
    chosen = parser.parse_args()
    if both := set(chosen.taught) & set(chosen.sets):
        parser.error(f"{', '.join(sorted(both))}: what is taught measures nothing; name other --sets or --taught")
    sets = {name: [pair for pair in SETS[name](chosen.data) if not pair.doubtful] for name in chosen.sets}
    sets = {name: pairs[: chosen.pairs] for name, pairs in sets.items()}
    tricks = attacks(chosen.data, chosen.attacks)
    if not chosen.measured:
        if not (chosen.out / "README.md").exists():
            teach(chosen)
        for folder in (chosen.base, chosen.out):
            ask(folder, [*questions(sets), *questions_of(tricks)], kept(chosen.out, folder))
    said = {"base": kept(chosen.out, chosen.base), "taught": kept(chosen.out, chosen.out)}
    text = "\n\n".join([figures(sets, said), fooled(tricks, said), settings(chosen.out)])
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


def kept(out: Path, folder: Path) -> Path:
    return out.with_name(f"{out.name}.{folder.name}.said.jsonl")


def ask(folder: Path, asked: Iterable[Question], target: Path) -> None:
    """Ask what was not asked yet, one fact at a time, so that an interrupted run goes on."""
    # Here, because they need torch.
    from perception_reward.service.training.engine import PlainEngine
    from perception_reward.service.training.fitting import load

    known = said_of(target)
    waiting = [one for one in asked if one[0] not in known]
    engine = PlainEngine(load(str(folder), exact=False), str(folder))
    judge = LLMJudge(engine, VerdictMethod(), tokenizer=str(folder), evidence=Evidence())

    async def run() -> None:
        await judge.start()
        with target.open("a", encoding="utf-8") as out:
            for key, response, fact in waiting:
                deadline = asyncio.get_running_loop().time() + 3600
                async for _, (outcome,) in judge.judge([JudgeTask(response, (fact,))], deadline):
                    told = [outcome.label, outcome.probability] if isinstance(outcome, Verdict) else None
                    out.write(json.dumps([key, told]) + "\n")
                    out.flush()

    if waiting:
        asyncio.run(run())


def questions(sets: Mapping[str, Sequence[Pair]]) -> Iterator[Question]:
    for pairs in sets.values():
        yield from ((key_of(pair), pair.response, Fact(id="f", text=pair.fact)) for pair in pairs)


def attacks(data: Path, most: int) -> list[Probe]:
    """The audit's attacks, at most so many of a family, on problems of which nothing is taught."""
    held = import_problems(data / "geometry3k" / "annotations.jsonl", split="test", limit=60).annotations
    wanted = [family.name for family in families() if not family.outside]
    found = generate([*held, *others(data, UNSEEN)], most=most, seed=1, cap=CAP, only=wanted)
    return [probe for probe in found if probe.purpose == "attack"]


def questions_of(probes: Iterable[Probe]) -> Iterator[Question]:
    return ((probe.id, probe.response[:CAP], probe.fact) for probe in probes)


def key_of(pair: Pair) -> str:
    return f"{pair.key} {pair.fact}"


def said_of(source: Path) -> Said:
    return dict(map(json.loads, source.read_text(encoding="utf-8").splitlines())) if source.exists() else {}


def figures(sets: dict[str, list[Pair]], sources: dict[str, Path]) -> str:
    """A line for each set, world and model, of what both were asked about; the last is all that nobody had seen."""
    said = {name: said_of(source) for name, source in sources.items()}
    groups = {
        (name, kind): [pair for pair in pairs if world(pair.fact) == kind]
        for kind in ("other", "geometry")
        for name, pairs in [*sets.items(), ("all unseen", [pair for name in UNSEEN for pair in sets.get(name, ())])]
    }
    lines: list[list[str]] = []
    for (name, kind), pairs in groups.items():
        both = [pair for pair in pairs if all(key_of(pair) in one for one in said.values())]
        for model, told in said.items():
            judged = [
                Judged(pair.problem, kind, pair.label, *one)  # type: ignore[arg-type]
                for pair in both
                if (one := told[key_of(pair)]) is not None
            ]
            if judged:
                low, high = interval(judged)
                wrong = [str(taken(judged, label)) for label in LABELS[1:]]
                auc = f"{stated_auc(judged):.3f} ({low:.3f} to {high:.3f})"
                share = f"{accuracy(judged):.3f} ({' to '.join(f'{end:.3f}' for end in interval(judged, of=accuracy))})"
                lines.append([name, kind, model, str(len(judged)), auc, share, *wrong])
    header = ["set", "facts", "model", "pairs", "AUC stated", "three-way", "contradicted taken for stated"]
    return table([*header, "absent so taken"], lines)


def taken(judged: list[Judged], label: str) -> str:
    right = [one for one in judged if one.label == label]
    return f"{sum(one.said == 'stated' for one in right)} of {len(right)}"


def fooled(tricks: Sequence[Probe], sources: Mapping[str, Path]) -> str:
    """How often each family of attacks is taken for stated, of what both were asked about."""
    said = {name: said_of(source) for name, source in sources.items()}
    both = [probe for probe in tricks if all(probe.id in one for one in said.values())]
    lines: list[list[str]] = []
    for family in [*dict.fromkeys(probe.family for probe in both), "all"]:
        probes = [probe for probe in both if family in (probe.family, "all")]
        counts = [sum((told[one.id] or ("", 0))[0] == "stated" for one in probes) for told in said.values()]
        lines.append([family, str(len(probes)), *(f"{count} ({count / len(probes):.3f})" for count in counts)])
    return table(["attack", "tried", *(f"taken for stated: {name}" for name in said)], lines)


def settings(out: Path) -> str:
    """How the judge was taught, as its card says."""
    card = (out / "README.md").read_text(encoding="utf-8").partition("## Data")[2].strip()
    return "\n".join(line for line in card.splitlines() if not line.startswith("- base:"))


if __name__ == "__main__":
    main()
