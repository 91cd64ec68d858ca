"""`score` on many synthetic rollouts: how fast, in how much memory, and the same after three kills.

    python tests/benchmarks/rollouts.py [--rollouts 100000] [--kills 3] [--seed 1] [--keep FOLDER]

A rollout is some 3 kB of real responses in the template, with a right or a wrong answer; eight share a problem. Nothing
is judged: format, accuracy and repetition are scored. The rate is of a whole run, its start included; the memory is the
largest sum over the command and its processes, shared pages counted once (PSS). The reference's way is its arithmetic
for the same three rewards (`service/rewards/parity.py`, held to the public code by test vectors), in one process, on a
part of the file.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
from places import DATA

from perception_reward.service.rewards.parity import parity_accuracy, parity_format, parity_repetition

SCORE = [sys.executable, "-m", "perception_reward.service.cli", "score"]
REFERENCE_ROWS = 3000


def rollouts(count: int, seed: int) -> Iterator[dict[str, object]]:
    with (DATA / "mathvista" / "responses.jsonl").open(encoding="utf-8") as lines:
        texts = [text for line in lines if (text := json.loads(line)["response"])]
    chance = random.Random(seed)
    for number in range(count):
        problem = number // 8
        answer = random.Random(problem).randint(2, 400)
        said = answer if chance.random() < 0.5 else chance.randint(2, 400)
        thought = " ".join(chance.choices(texts, k=12))[: chance.randint(2000, 3600)]
        yield {
            "id": f"r-{number}",
            "group": f"p-{problem}",
            "answer": str(answer),
            "response": f"<think>{thought}</think>\n<answer>\\boxed{{{said}}}</answer>",
            "step": number // 1024,
        }


def memory(process: psutil.Process) -> int:
    total = 0
    for one in (process, *process.children(recursive=True)):
        try:
            total += one.memory_full_info().pss
        except psutil.Error:
            continue
    return total


def run(items: Path, out: Path, kill_after: float | None = None) -> tuple[float, int]:
    """Seconds and bytes of a run, or of one that is killed."""
    started = time.perf_counter()
    process = psutil.Popen([*SCORE, str(items), str(out)], stderr=subprocess.DEVNULL)
    most = 0
    while process.poll() is None:
        most = max(most, memory(process))
        if kill_after is not None and time.perf_counter() - started > kill_after:
            process.kill()
        time.sleep(0.2)
    if kill_after is None and process.returncode:
        raise SystemExit(f"score ended with status {process.returncode}")
    return time.perf_counter() - started, most


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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rollouts", type=int, default=100_000)
    parser.add_argument("--kills", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="a folder for the files; a temporary one if not given")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        measure(chosen, chosen.keep or Path(temporary))


def measure(chosen: argparse.Namespace, folder: Path) -> None:
    items, unbroken, broken = (folder / name for name in ("items.jsonl", "unbroken.jsonl", "broken.jsonl"))
    with items.open("w", encoding="utf-8") as out:
        out.writelines(json.dumps(row) + "\n" for row in rollouts(chosen.rollouts, chosen.seed))
    print(f"{chosen.rollouts} rollouts, {items.stat().st_size / 1e9:.2f} GB", flush=True)
    seconds, most = run(items, unbroken)
    ours = chosen.rollouts / seconds
    print(f"{ours:.0f} rollouts/s, {most / (1 << 20):.0f} MiB at most", flush=True)
    theirs = reference_rate(items)
    print(f"the reference's way in one process: {theirs:.0f} rollouts/s; ours is {ours / theirs:.1f} times that")
    chance = random.Random(chosen.seed)
    for _ in range(chosen.kills):
        run(items, broken, kill_after=chance.uniform(4, max(5.0, seconds / chosen.kills)))
    run(items, broken)
    same = digest(unbroken) == digest(broken)
    print(f"killed {chosen.kills} times and gone on: {'the same file' if same else 'ANOTHER FILE'}")


if __name__ == "__main__":
    main()
