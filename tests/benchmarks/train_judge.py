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
from pathlib import Path

from labelled import SEEN, SETS, UNSEEN, Pair
from measures import LABELS, Judged, accuracy, interval, stated_auc, table
from places import REPOSITORY, arguments
from real import world

from perception_reward.annotations.geometry3k import import_problems
from perception_reward.annotations.jsonl import write_jsonl
from perception_reward.service.audit.figures import AuditReport
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

Said = dict[str, tuple[str, float] | None]


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--base", type=Path, required=True, help="folder of the model to teach")
    parser.add_argument("--out", type=Path, required=True, help="folder of the taught one")
    parser.add_argument("--taught", nargs="*", choices=SEEN, default=[name for name in SEEN if name != "labelled"])
    parser.add_argument("--sets", nargs="+", choices=SETS, default=[*UNSEEN, "labelled"], help="to be asked about")
    parser.add_argument("--most", type=int, default=10, help="statements of one family")
    parser.add_argument("--probes", type=int, default=1, help="statements of one family to measure with")
    parser.add_argument("--held-out", type=float, default=0.1, help="share of the problems that is not taught")
    parser.add_argument("--freeze", type=int, default=12, help="the lowest layers that stay as they are")
    parser.add_argument("--epochs", type=float, default=2.0)
    parser.add_argument("--learning-rate", type=float, default=2e-4)
    parser.add_argument("--save-every", type=int, default=10, help="steps between checkpoints")
    parser.add_argument("--pairs", type=int, default=10**6, help="pairs of a set that are asked about")
    parser.add_argument("--measured", action="store_true", help="ask nothing more")
    parser.add_argument("--write", action="store_true", help=f"make the tables the page {PAGE.name}")
    chosen = parser.parse_args()
    if both := set(chosen.taught) & set(chosen.sets):
        parser.error(f"{', '.join(sorted(both))}: what is taught measures nothing; name other --sets or --taught")
    sets = {name: [pair for pair in SETS[name](chosen.data) if not pair.doubtful] for name in chosen.sets}
    sets = {name: pairs[: chosen.pairs] for name, pairs in sets.items()}
    if not chosen.measured:
        if not (chosen.out / "README.md").exists():
            teach(chosen)
        for folder in (chosen.base, chosen.out):
            ask(folder, sets, kept(chosen.out, folder))
    said = {"base": kept(chosen.out, chosen.base), "taught": kept(chosen.out, chosen.out)}
    text = "\n\n".join([figures(sets, said), attacks(chosen.out), settings(chosen.out)])
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


def ask(folder: Path, sets: dict[str, list[Pair]], target: Path) -> None:
    """Ask what was not asked yet, a pair at a time, so that an interrupted run goes on."""
    # Here, because they need torch.
    from perception_reward.service.training.engine import PlainEngine
    from perception_reward.service.training.fitting import load

    known = said_of(target)
    waiting = [pair for pairs in sets.values() for pair in pairs if key_of(pair) not in known]
    engine = PlainEngine(load(str(folder), exact=False), str(folder))
    judge = LLMJudge(engine, VerdictMethod(), tokenizer=str(folder), evidence=Evidence())

    async def asked() -> None:
        await judge.start()
        with target.open("a", encoding="utf-8") as out:
            for pair in waiting:
                task = JudgeTask(pair.response, (Fact(id="f", text=pair.fact),))
                deadline = asyncio.get_running_loop().time() + 3600
                async for _, (outcome,) in judge.judge([task], deadline):
                    told = [outcome.label, outcome.probability] if isinstance(outcome, Verdict) else None
                    out.write(json.dumps([key_of(pair), told]) + "\n")
                    out.flush()

    if waiting:
        asyncio.run(asked())


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
        for name, pairs in [*sets.items(), ("both unseen", [pair for name in UNSEEN for pair in sets.get(name, ())])]
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


def attacks(out: Path) -> str:
    """How often each family of attacks fools base and taught."""
    reports = [
        AuditReport.model_validate_json((out / "audit" / name).read_bytes()) for name in ("base.json", "report.json")
    ]
    base, taught = ({one.family: one.success for one in report.attacks} for report in reports)
    lines = [
        [family, str(share.total), f"{base[family].hits}", f"{share.hits}"]
        for family, share in taught.items()
        if family in base
    ]
    return table(["attack", "tried", "base fooled", "taught fooled"], lines)


def settings(out: Path) -> str:
    """How the judge was taught, as its card says."""
    card = (out / "README.md").read_text(encoding="utf-8").partition("## Data")[2].strip()
    return "\n".join(line for line in card.splitlines() if not line.startswith("- base:"))


if __name__ == "__main__":
    main()
