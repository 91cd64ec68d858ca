"""How right the symbolic judge is: real responses, attacks, templated statements, captions, charts, a real parser.

    python tests/benchmarks/symbolic.py [--data ../shared/data] [--per-kind 300] [--write] [--failures 20]

`--write` makes the tables the page `results/symbolic.md`. `--failures` prints wrong verdicts on the tune half,
never on the held-out one. Without the data folder only the templated statements run, on random figures.
"""

from __future__ import annotations

import json
import random
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from judging import judge_all
from measures import LABELS, Judged, accuracy, auc, confusion, stated_auc, table
from places import REPOSITORY, arguments
from real import attacks, real
from statements import HALVES, Half, Sample, problems, read_facts, statements

from perception_reward.service.judges.base import JudgeTask, Verdict
from perception_reward.trainer_client.wire import Fact

SEED = 2026
PAGE = REPOSITORY / "tests" / "benchmarks" / "results" / "symbolic.md"
HEAD = """# The symbolic judge

Made by `python tests/benchmarks/symbolic.py --write`; what the tables mean is in
[judges](../../../service/judges/README.md). Times are those of the machine that made the page, and upper bounds where
it was shared."""
_OTHER_TEXT = (
    "Let me describe the picture first.",
    "It was taken with some distance to what matters.",
    "The colours are natural and the light is soft.",
    "That is what I can make out for certain.",
    "With this in mind I turn to the question.",
)


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--per-kind", type=int, default=300, help="templated statements a kind and half")
    parser.add_argument("--write", action="store_true", help=f"make the tables the page {PAGE.relative_to(REPOSITORY)}")
    parser.add_argument("--failures", type=int, default=0, help="print so many wrong verdicts, tune half only")
    chosen = parser.parse_args()
    sections = list(report(chosen.data, chosen.per_kind, chosen.failures))
    print("\n\n".join(sections))
    if chosen.write:
        PAGE.write_text("\n\n".join([HEAD, *sections]) + "\n", encoding="utf-8")


def report(data: Path, per_kind: int, failures: int) -> Iterator[str]:
    """The sections of the report, each a caption and a table in Markdown."""
    if not data.is_dir():
        yield from templated(data, per_kind, failures)
        yield f"No data sets at {data}: only the templated statements were measured."
        return
    yield from real(data)
    yield from attacks(data)
    yield from templated(data, per_kind, failures)
    yield captions(data / "captions" / "foils.jsonl")
    yield charts(data / "charts" / "chartcheck.jsonl")
    yield from parser_agreement(data / "geometry3k")


def templated(data: Path, per_kind: int, failures: int) -> Iterator[str]:
    """The halves of the templated statements: totals, kinds, confusion, and the time a response takes."""
    forms: list[list[str]] = []
    source = data / "geometry3k" / "annotations.jsonl"
    if source.is_file():
        forms = list(problems(_rows(source), 500, SEED))
    judged: dict[Half, list[Judged]] = {}
    for half in HALVES:
        samples = statements(half, per_kind, SEED, forms)
        judged[half] = judged_samples(samples)
        if half == "tune" and failures:
            yield _failures(samples, failures)
    yield "Templated statements, all kinds:\n\n" + table(
        ["half", "n", "accuracy", "AUC stated"],
        [
            [half, str(len(pairs)), f"{accuracy(pairs):.3f}", f"{stated_auc(pairs):.3f}"]
            for half, pairs in judged.items()
        ],
    )
    yield "Templated statements, accuracy by kind:\n\n" + table(
        ["kind", *(f"{half} {what}" for half in HALVES for what in ("n", "accuracy"))], _by_kind(judged)
    )
    for half, pairs in judged.items():
        yield f"Templated statements, {half}, right label by row:\n\n" + _confusion(pairs)
    yield _timing(per_kind, forms)


def judged_samples(samples: Sequence[Sample]) -> list[Judged]:
    verdicts = judge_all([JudgeTask(sample.response, (sample.fact,)) for sample in samples])
    return [
        Judged(str(index), sample.kind, sample.label, verdict.label, verdict.probability)
        for index, (sample, (verdict,)) in enumerate(zip(samples, verdicts, strict=True))
    ]


def _by_kind(judged: dict[Half, list[Judged]]) -> list[list[str]]:
    rows: list[list[str]] = []
    for kind in dict.fromkeys(pair.group for pair in judged["tune"]):
        row = [kind]
        for half in HALVES:
            pairs = [pair for pair in judged[half] if pair.group == kind]
            row += [str(len(pairs)), f"{accuracy(pairs):.3f}" if pairs else "–"]
        rows.append(row)
    return rows


def _failures(samples: Sequence[Sample], number: int) -> str:
    verdicts = judge_all([JudgeTask(sample.response, (sample.fact,)) for sample in samples])
    wrong = [
        f"- {sample.kind}/{sample.way}: {sample.fact.text!r} is {sample.label}, judged {verdict.label} "
        f"({verdict.probability:.2f}) in {sample.response!r}"
        for sample, (verdict,) in zip(samples, verdicts, strict=True)
        if verdict.label != sample.label
    ]
    return "\n".join(random.Random(SEED).sample(wrong, min(number, len(wrong))))


def _timing(per_kind: int, forms: list[list[str]]) -> str:
    samples = statements("tune", min(per_kind, 60), SEED + 1, forms)
    joined = [
        JudgeTask("\n".join(s.response for s in samples[at : at + 5]), tuple(
            Fact(id=str(n), text=s.fact.text, kind=s.fact.kind) for n, s in enumerate(samples[at : at + 5])
        ))
        for at in range(0, len(samples) - 4, 5)
    ]  # fmt: skip
    began = time.perf_counter()
    judge_all(joined)
    each = (time.perf_counter() - began) / len(joined)
    size = sum(len(task.response) for task in joined) / len(joined)
    return f"Time for a response of {size:.0f} characters with 5 facts: {1000 * each:.2f} ms."


def captions(source: Path) -> str:
    """Captions against minimal foils, inside a few sentences of other text: text alone, and a hard test."""
    rows = list(_rows(source))
    rng = random.Random(SEED)
    tasks = [
        JudgeTask(_among(row[side], rng), (Fact(id="f", text=row["caption"], kind="caption"),))
        for row in rows
        for side in ("caption", "foil")
    ]
    verdicts = [verdict for (verdict,) in judge_all(tasks)]
    found: dict[str, tuple[list[Verdict], list[Verdict]]] = defaultdict(lambda: ([], []))
    for index, row in enumerate(rows):
        found[row["type"]][0].append(verdicts[2 * index])
        found[row["type"]][1].append(verdicts[2 * index + 1])
    lines = [
        [
            name, str(len(true)), f"{auc([v.probability for v in true], [v.probability for v in foils]):.3f}",
            *(f"{sum(v.label == label for v in side) / len(side):.2f}"
              for side, label in ((true, "stated"), (foils, "stated"), (foils, "contradicted"))),
        ]
        for name, (true, foils) in found.items()
    ]  # fmt: skip
    header = ["foil type", "n", "AUC", "caption stated", "foil stated", "foil contradicted"]
    return "Captions (verbatim) and their foils:\n\n" + table(header, lines)


def _among(text: str, rng: random.Random) -> str:
    sentences = rng.sample(_OTHER_TEXT, 3)
    text = text.strip()
    sentences.insert(rng.randrange(4), text if text.endswith((".", "?", "!")) else text + ".")
    return " ".join(sentences)


def charts(source: Path) -> str:
    """Chart claims as facts, the annotators' explanations as responses."""
    rows = [row for row in _rows(source) if row["explanation"] and row["claim"].strip()]
    verdicts = judge_all(
        [JudgeTask(row["explanation"], (Fact(id="f", text=row["claim"], kind="chart"),)) for row in rows]
    )
    pairs = [
        Judged(row["id"], "chart", "stated" if row["label"] else "contradicted", verdict.label, verdict.probability)
        for row, (verdict,) in zip(rows, verdicts, strict=True)
    ]
    return "Chart claims and explanations (ChartCheck):\n\n" + table(
        ["n", "AUC supported", "supported: stated", "refuted: contradicted", "refuted: stated"],
        [[
            str(len(pairs)), f"{stated_auc(pairs):.3f}", _share(pairs, "stated", "stated"),
            _share(pairs, "contradicted", "contradicted"), _share(pairs, "contradicted", "stated"),
        ]],
    )  # fmt: skip


def _share(pairs: Sequence[Judged], label: str, said: str) -> str:
    chosen = [pair for pair in pairs if pair.label == label]
    return f"{sum(pair.said == said for pair in chosen) / len(chosen):.2f}"


def parser_agreement(folder: Path) -> Iterator[str]:
    """Facts from people's annotations, responses worded from what a diagram parser read of the same figures."""
    gold = {row["id"]: row["logic_forms"] for row in _rows(folder / "annotations.jsonl")}
    tasks: list[JudgeTask] = []
    truths: list[list[tuple[str, bool]]] = []
    for row in _rows(folder / "parser_predictions.jsonl"):
        wanted, seen = read_facts(gold[row["id"]]), read_facts(row["logic_forms"])
        if not wanted or not seen:
            continue
        facts = tuple(Fact(id=str(n), text=text, kind=str(key[0])) for n, (key, text) in enumerate(wanted.items()))
        tasks.append(JudgeTask(" ".join(seen.values()), facts))
        truths.append([(str(key[0]), key in seen) for key in wanted])
    cells: dict[str, list[tuple[bool, bool]]] = defaultdict(list)
    for verdicts, truth in zip(judge_all(tasks), truths, strict=True):
        for verdict, (kind, there) in zip(verdicts, truth, strict=True):
            cells[kind].append((there, verdict.label == "stated"))
    cells["all"] = [cell for group in list(cells.values()) for cell in group]
    lines = [
        [
            kind, str(len(group)), f"{sum(there == said for there, said in group) / len(group):.3f}",
            str(sum(there and not said for there, said in group)),
            str(sum(said and not there for there, said in group)),
        ]
        for kind, group in sorted(cells.items(), key=lambda item: -len(item[1]))
    ]  # fmt: skip
    yield "A real parser's output as the response, `stated` against membership:\n\n" + table(
        ["kind", "facts", "agreement", "there, not stated", "stated, not there"], lines
    )


def _confusion(pairs: Sequence[Judged]) -> str:
    return table(["", *(f"judged {label}" for label in LABELS)], confusion(pairs))


def _rows(source: Path) -> Iterator[dict[str, Any]]:
    with source.open(encoding="utf-8") as lines:
        yield from map(json.loads, lines)


if __name__ == "__main__":
    main()
