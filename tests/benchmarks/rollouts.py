"""`score` on many synthetic rollouts: how fast, in how much memory, and the same after kills.

    python tests/benchmarks/rollouts.py [--rollouts 100000] [--kills 3] [--judged] [--seed 1] [--keep FOLDER]
    python tests/benchmarks/rollouts.py --beside PYTHON [--turns 5]
    python tests/benchmarks/rollouts.py --ray

A rollout is some 3 kB of real responses in the template, with a right or a wrong answer; eight share a problem. Format,
accuracy and repetition are scored; with `--judged` also perception, by rules, of the facts of Geometry3K, half of which
are in the responses. The rate is of a whole run, its start included; the memory is the largest sum over the command and
its processes, shared pages counted once (PSS). The reference's way is its arithmetic for the same three rewards
(`service/rewards/parity.py`, held to the public code by test vectors), in one process, on a part of the file.

`--beside` lets another installation's `score` take turns with this one: what counts is the ratio of each pair. `--ray`
compares `--engine ray` with two actors to `--engine local`, and kills one of the two in the middle of a run.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
from places import DATA

from perception_reward.annotations.geometry3k import import_problems
from perception_reward.annotations.jsonl import write_jsonl
from perception_reward.service.batch.results import read_results
from perception_reward.service.rewards.parity import parity_accuracy, parity_format, parity_repetition

CLI = ("-m", "perception_reward.service.cli", "score")
REFERENCE_ROWS = 3000
# Of a Parquet file for Ray, which reads files side by side.
FILE_ROWS = 5000
MIB = 1 << 20
# Seconds of computing after which an actor of Ray has started and scores.
BEGUN = 2.5
Facts = Mapping[str, Sequence[str]]


def rollouts(count: int, seed: int, facts: Facts | None = None) -> Iterator[dict[str, object]]:
    """facts: texts by annotation, which the rollouts then name."""
    with (DATA / "mathvista" / "responses.jsonl").open(encoding="utf-8") as lines:
        texts = [text for line in lines if (text := json.loads(line)["response"])]
    chance, names = random.Random(seed), sorted(facts or ())
    for number in range(count):
        problem = number // 8
        answer = random.Random(problem).randint(2, 400)
        said = answer if chance.random() < 0.5 else chance.randint(2, 400)
        thought = " ".join(chance.choices(texts, k=12))[: chance.randint(2000, 3600)]
        named: dict[str, object] = {}
        if facts:
            named["annotation_id"] = name = names[problem % len(names)]
            thought = " ".join((*(text for text in facts[name] if chance.random() < 0.5), thought))
        yield {
            "id": f"r-{number}",
            "group": f"p-{problem}",
            "answer": str(answer),
            "response": f"<think>{thought}</think>\n<answer>\\boxed{{{said}}}</answer>",
            "step": number // 1024,
            **named,
        }


@dataclass
class Ran:
    """seconds: by the clock. most: bytes of memory, over all processes."""

    seconds: float = 0.0
    most: int = 0


@dataclass
class Scoring:
    """`score` as it is run: by whose Python, on what, with which options."""

    items: Path
    options: Sequence[str] = ()
    python: str = sys.executable
    meanwhile: Callable[[psutil.Popen], None] = field(default=lambda process: None)

    def run(self, out: Path, *, kill_after: float | None = None) -> Ran:
        ran, started = Ran(), time.perf_counter()
        command = [self.python, *CLI, str(self.items), str(out), *self.options]
        told = out.with_name(f"{out.name}.told")
        with told.open("wb") as errors:
            process = psutil.Popen(command, stdout=subprocess.DEVNULL, stderr=errors)
        while process.poll() is None:
            ran.most = max(ran.most, memory(process))
            self.meanwhile(process)
            if kill_after is not None and time.perf_counter() - started > kill_after:
                process.kill()
            time.sleep(0.2)
        ran.seconds = time.perf_counter() - started
        if kill_after is None and process.returncode:
            raise SystemExit(f"score ended with status {process.returncode}: {told.read_text()[-500:]}")
        return ran


def memory(process: psutil.Process) -> int:
    total = 0
    for one in (process, *process.children(recursive=True)):
        try:
            total += one.memory_full_info().pss
        except psutil.Error:
            continue
    return total


def reference_rate(items: Path) -> float:
    with items.open(encoding="utf-8") as lines:
        rows = [json.loads(line) for line, _ in zip(lines, range(REFERENCE_ROWS), strict=False)]
    parity_accuracy(rows[0]["response"], rows[0]["answer"])
    started = time.perf_counter()
    for row in rows:
        parity_format(row["response"])
        parity_accuracy(row["response"], row["answer"])
        parity_repetition(row["response"])
    return len(rows) / (time.perf_counter() - started)


def digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def measure(chosen: argparse.Namespace, scoring: Scoring, folder: Path) -> None:
    unbroken, broken = folder / "unbroken.jsonl", folder / "broken.jsonl"
    ran = scoring.run(unbroken)
    ours = chosen.rollouts / ran.seconds
    print(
        f"{ours:.0f} rollouts/s ({ours / psutil.cpu_count():.0f} a core), {ran.most / MIB:.0f} MiB at most", flush=True
    )
    if not chosen.judged:
        theirs = reference_rate(scoring.items)
        print(f"the reference's way in one process: {theirs:.0f} rollouts/s; ours is {ours / theirs:.1f} times that")
    chance, most = random.Random(chosen.seed), 0
    for _ in range(chosen.kills):
        most = max(most, scoring.run(broken, kill_after=chance.uniform(4, max(5.0, ran.seconds / chosen.kills))).most)
        kept = broken.with_name(f"{broken.name}.part")
        share = kept.stat().st_size / unbroken.stat().st_size if kept.exists() else 0.0
        print(f"killed with {share:.0%} written", flush=True)
    most = max(most, scoring.run(broken).most)
    same = digest(unbroken) == digest(broken)
    print(f"gone on: {'the same file' if same else 'ANOTHER FILE'}, {most / MIB:.0f} MiB at most", flush=True)


def take_turns(chosen: argparse.Namespace, scoring: Scoring, folder: Path) -> None:
    other = Scoring(scoring.items, scoring.options, python=chosen.beside)
    pairs: list[tuple[float, float]] = []
    for turn in range(chosen.turns):
        (a, b) = (one.run(folder / f"{turn}-{name}.jsonl").seconds for name, one in (("a", scoring), ("b", other)))
        pairs.append((a, b))
        print(f"{a:.1f} s, the other {b:.1f} s: {b / a:.2f} times as fast", flush=True)
    ours, theirs = (statistics.median(seconds) for seconds in zip(*pairs, strict=True))
    ratio = statistics.median(b / a for a, b in pairs)
    print(f"medians: {ours:.1f} s, the other {theirs:.1f} s; {ratio:.2f} times as fast")


def beside_ray(chosen: argparse.Namespace, scoring: Scoring, folder: Path) -> None:
    tables = folder / "items"
    tables.mkdir()
    in_tables(scoring.items, tables)
    local = Scoring(tables, scoring.options)
    ran = local.run(folder / "local.jsonl")
    print(f"local: {chosen.rollouts / ran.seconds:.0f} rollouts/s, {ran.most / MIB:.0f} MiB at most", flush=True)
    wanted = {result.id: result for result in read_results(folder / "local.jsonl")}
    with_ray = (*scoring.options, "--engine", "ray", "--ray-actors", "2")
    killer = Killer()
    for name, meanwhile in (("ray", lambda process: None), ("ray, one of two actors killed", killer.look)):
        out = folder / name.replace(" ", "-")
        ray = Scoring(tables, with_ray, meanwhile=meanwhile).run(out)
        found = list(read_results(out))
        same = len(found) == len(wanted) and {result.id: result for result in found} == wanted
        print(
            f"{name}: {chosen.rollouts / ray.seconds:.0f} rollouts/s, {ray.seconds / ran.seconds:.1f} times as long; "
            f"{'the same results' if same else 'OTHER RESULTS'}",
            flush=True,
        )
    if not killer.done:
        print("the last job was over before an actor was killed: take more rollouts")


class Killer:
    """Kills the first actor that has scored for a while."""

    def __init__(self) -> None:
        self.done = False

    def look(self, process: psutil.Process) -> None:
        if self.done:
            return
        for one in process.children(recursive=True):
            try:
                if "MapWorker" in " ".join((one.name(), *one.cmdline())) and one.cpu_times().user > BEGUN:
                    one.send_signal(signal.SIGKILL)
                    self.done = True
                    return
            except psutil.Error:
                continue


def in_tables(items: Path, folder: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows: list[Any] = []
    with items.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            rows.append(json.loads(line))
            if number % FILE_ROWS == 0:
                pq.write_table(pa.Table.from_pylist(rows), folder / f"{number}.parquet")
                rows = []
    if rows:
        pq.write_table(pa.Table.from_pylist(rows), folder / "last.parquet")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rollouts", type=int, default=100_000)
    parser.add_argument("--kills", type=int, default=3)
    parser.add_argument("--judged", action="store_true", help="perception too, by rules")
    parser.add_argument("--beside", metavar="PYTHON", help="of another installation, to take turns with")
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--ray", action="store_true", help="in an environment with Ray Data")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="a folder for the files; a temporary one if not given")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = chosen.keep or Path(temporary)
        items, options = written(chosen, folder)
        print(
            f"{chosen.rollouts} rollouts, {items.stat().st_size / 1e9:.2f} GB, {psutil.cpu_count()} cores", flush=True
        )
        way = beside_ray if chosen.ray else take_turns if chosen.beside else measure
        way(chosen, Scoring(items, options), folder)


def written(chosen: argparse.Namespace, folder: Path) -> tuple[Path, list[str]]:
    """The file of rollouts, and the options that they want."""
    items, options, facts = folder / "items.jsonl", list[str](), None
    if chosen.judged:
        file, annotations = folder / "annotations.jsonl", import_problems(DATA / "geometry3k" / "annotations.jsonl")
        write_jsonl(file, annotations.annotations)
        options = ["--annotations", str(file)]
        facts = {one.id: [fact.text for fact in one.facts] for one in annotations.annotations if one.facts}
    with items.open("w", encoding="utf-8") as out:
        out.writelines(json.dumps(row) + "\n" for row in rollouts(chosen.rollouts, chosen.seed, facts))
    return items, options


if __name__ == "__main__":
    main()
