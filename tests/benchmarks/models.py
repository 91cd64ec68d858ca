"""Accuracy by `score` against the published marks of MathVista and MATH-V: `python tests/benchmarks/models.py`.

The benchmarks' own files are scored as they are, in the layouts that `score` recognises. An answer can be extracted
where ours finds one in the response. A disagreement is put down to what can be seen of it: the benchmark rounds to the
problem's precision; its extraction, by a model, is another answer than ours; or the same answer is held to the
reference otherwise. `--show N` prints N of the last kind.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

from places import DATA

from perception_reward.service.batch.results import ResultLine, read_results
from perception_reward.service.responses import stripped
from perception_reward.service.rewards.answer import extract_answer

SCORE = [sys.executable, "-m", "perception_reward.service.cli", "score", "--explain"]


def scored(folder: Path, *items: Path) -> list[ResultLine]:
    out = folder / "results.jsonl"
    subprocess.run([*SCORE, *map(str, items), str(out), "--force"], check=True, stderr=subprocess.DEVNULL)
    return list(read_results(out))


def math_v(folder: Path) -> Path:
    """The outputs with their problems' options, as the benchmark's own evaluation puts them together."""
    with (DATA / "math_v" / "problems.jsonl").open(encoding="utf-8") as lines:
        options = {row["id"]: row["options"] for row in map(json.loads, lines)}
    path = folder / "math_v.jsonl"
    with path.open("w", encoding="utf-8") as out:
        for source in sorted((DATA / "math_v").glob("*-cot.jsonl")):
            with source.open(encoding="utf-8") as lines:
                for row in map(json.loads, lines):
                    out.write(json.dumps({**row, "options": options[row["id"]]}) + "\n")
    return path


def cause(extra: dict[str, Any], answer: str) -> str:
    extraction = str(extra.get("extraction") or extra.get("model_answer") or "")
    if extra.get("answer_type") == "float" and extra.get("precision"):
        return "rounded to the problem's precision"
    if extraction.strip().lower() not in answer.strip().lower() and answer.strip().lower() not in extraction.lower():
        return "another answer was extracted"
    return "the same answer, held otherwise"


def report(results: list[ResultLine], show: int) -> None:
    by_model: dict[str, Counter[str]] = defaultdict(Counter)
    odd: list[str] = []
    for result in results:
        extra: dict[str, Any] = dict(result.extra)
        explained: dict[str, Any] = result.explained or {}
        answer = extract_answer(stripped(explained["response"])[0])
        counts = by_model[extra["model"]]
        agree = (result.components.accuracy == 1.0) == bool(extra["correct"])
        counts["all"] += 1
        counts["agree"] += agree
        if answer is None:
            continue
        counts["extracted"] += 1
        counts["agree, extracted"] += agree
        if not agree:
            counts[why := cause(extra, answer)] += 1
            if why.startswith("the same"):
                odd.append(f"{extra['model']}: {answer!r} for {explained['answer']!r}, marked {extra['correct']}")
    for model, counts in sorted(by_model.items()):
        right = counts["agree, extracted"] / max(1, counts["extracted"])
        reasons = ", ".join(f"{name}: {count}" for name, count in counts.items() if " " in name and "agree" not in name)
        of_all = counts["agree"] / counts["all"]
        print(f"{model:32} {of_all:6.1%} of all; {right:6.1%} of {counts['extracted']} extracted ({reasons})")
    print("\n".join(odd[:show]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--show", type=int, default=0)
    show = parser.parse_args().show
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for items in (DATA / "mathvista" / "responses.jsonl", math_v(folder)):
            report(scored(folder, items), show)


if __name__ == "__main__":
    main()
