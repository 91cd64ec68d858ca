"""The pictures of a report that documents show: `make report-pictures`; wants chromium, playwright and Geometry3K.

A stand-in policy states some facts of each problem and misreads others, in one run more of them than in the other; its
rollouts are scored by `score`, reported by `report`, and the page is photographed. The same each time.
"""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from places import REPOSITORY, arguments

COMMAND = [sys.executable, "-m", "perception_reward.service.cli"]
PICTURES = REPOSITORY / "service" / "report" / "pictures"
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or "chromium"
PROBLEMS, SAMPLES, MOST_FACTS = 96, 8, 8
# The share of facts that are stated, by run; and that are misread.
SKILLS = {"base": 0.45, "tuned": 0.65}
MISREAD = 0.3
SHOTS: dict[str, tuple[str, dict[str, Any]]] = {
    "light": ("pairs", {"color_scheme": "light", "viewport": {"width": 1280, "height": 860}}),
    "dark": ("seeing", {"color_scheme": "dark", "viewport": {"width": 1280, "height": 860}}),
    "phone": ("seeing", {"color_scheme": "light", "viewport": {"width": 390, "height": 780}, "device_scale_factor": 2}),
}


def problems(store: Path) -> list[dict[str, Any]]:
    with store.open(encoding="utf-8") as lines:
        rows = [row for row in map(json.loads, lines) if row.get("answer") is not None]
    return [row for row in rows if sum(fact.get("origin", "seen") == "seen" for fact in row.get("facts", ())) > 2]


def rollouts(found: list[dict[str, Any]], skill: float) -> Iterator[dict[str, Any]]:
    draw = random.Random(7)
    for number, problem in enumerate(found[:PROBLEMS]):
        for sample in range(SAMPLES):
            facts = [fact["text"] for fact in problem["facts"][:MOST_FACTS]]
            lots = [(text, draw.random()) for text in facts]
            stated = [text for text, lot in lots if lot < skill]
            misread = [bent(text, draw) for text, lot in lots if skill <= lot < skill + MISREAD]
            right = draw.random() < 0.15 + 0.6 * len(stated) / len(facts)
            seen = " ".join(text.rstrip(".") + "." for text in (*stated, *filter(None, misread)))
            answer = problem["answer"] if right else "99"
            yield {
                "id": f"{problem['id']}-{sample}",
                "annotation_id": problem["id"],
                "step": 10 * (number // 12),
                "response": f"<think>\nIn the figure: {seen} From this $x$ follows.\n</think>\n"
                f"<answer>\\boxed{{{answer}}}</answer>",
            }


def bent(text: str, draw: random.Random) -> str:
    """With another number; empty where it has none."""
    match = re.search(r"\d+", text)
    return f"{text[: match.start()]}{int(match[0]) + draw.choice((2, 5, 11))}{text[match.end() :]}" if match else ""


def photographed(page: Path) -> None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for name, (section, options) in SHOTS.items():
            context = browser.new_context(**options)
            tab = context.new_page()
            tab.goto(page.as_uri())
            tab.wait_for_selector("#table tbody tr", state="attached")
            tab.evaluate("section => document.getElementById(section).scrollIntoView()", section)
            tab.screenshot(path=PICTURES / f"{name}.png")
            context.close()
        browser.close()


def main() -> None:
    data = arguments(__doc__).parse_args().data
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        source = data.resolve() / "geometry3k" / "annotations.jsonl"
        run(folder, "annotations", "import", "propositions", source, "problems.jsonl")
        found = problems(folder / "problems.jsonl")
        for label, skill in SKILLS.items():
            lines = (json.dumps(one) + "\n" for one in rollouts(found, skill))
            (folder / f"{label}.jsonl").write_text("".join(lines), encoding="utf-8")
            out = f"{label}.results.jsonl"
            run(folder, "score", f"{label}.jsonl", out, "--annotations", "problems.jsonl", "--explain")
        results = [f"{label}={label}.results.jsonl" for label in SKILLS]
        run(folder, "report", *results, "-o", "report.html", "--annotations", "problems.jsonl")
        photographed(folder / "report.html")


def run(folder: Path, *arguments: object) -> None:
    """A command, in the folder: its names of files stand in the page."""
    subprocess.run([*COMMAND, *map(str, arguments)], cwd=folder, check=True, capture_output=True)


if __name__ == "__main__":
    main()
