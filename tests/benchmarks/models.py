"""Accuracy by `score` against the published marks of MathVista and MATH-V: `python tests/benchmarks/models.py`.

The benchmarks' own files are scored as they are, in the layouts that `score` recognises. `--write` puts the tables,
what disagreements come from, and each of them into `published_marks.md`.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pages import write_between
from places import DATA

from perception_reward.service.batch.results import ResultLine, read_results
from perception_reward.service.rewards.accuracy import grade
from perception_reward.service.rewards.answer import before_next_question, extract_answer
from perception_reward.service.scoring.responses import stripped
from perception_reward.trainer_client.reference import options_of

SCORE = [sys.executable, "-m", "perception_reward.service.cli", "score", "--explain"]
PAGE = Path(__file__).with_name("published_marks.md")

# Of what the benchmark extracted, why it is not the response's answer to its question.
NO_OPTION = "no option was extracted"
NEXT = "extracted from a next question"
NOWHERE = "extracted, but not in the response"
LETTER_FOR_LETTER = "letter for letter right, marked wrong"
# Of what both hold to the reference.
OTHER = "another place of the response was extracted"
DECIMALS = "right to two decimals"
BEHIND = "what stands behind an equals sign"
WRITTEN = "right, written otherwise"
SAME = "the same answer, held otherwise"

MEANING = {
    NO_OPTION: "MathVista takes the option whose spelling is nearest to what it extracted: to `3`, of yes and no, no",
    NEXT: "the response asks itself further questions and answers them, and MathVista's extraction is of the last",
    NOWHERE: "the extraction by a model names an option that the response names nowhere",
    LETTER_FOR_LETTER: "MATH-V's extraction is the text of the right option, with or without its label, but for "
    "spaces, dollars and commands such as `\\mathrm`, at which its comparison fails",
    OTHER: "a response that says two things, and the benchmark's extraction and ours took different ones",
    DECIMALS: "MATH-V rounds both to two decimals: 1/55 is then 1/60",
    BEHIND: "MATH-V reads what stands behind the last equals sign, we the equality, which is false",
    WRITTEN: "equal to the reference or the right option, with a unit, a label or a command that MATH-V's comparison "
    "does not read",
    SAME: "anything else",
}
BROKEN = (NO_OPTION, NEXT, NOWHERE, LETTER_FOR_LETTER)


@dataclass(frozen=True)
class Row:
    """A response in which an answer is found. ours, mark: whether it is right. cause: of the extraction's fault, or of
    a disagreement; empty where there is neither."""

    benchmark: str
    model: str
    id: str
    answer: str
    reference: str
    extraction: str
    ours: bool
    mark: bool
    cause: str = ""

    @property
    def agrees(self) -> bool:
        return self.ours == self.mark


def scored(folder: Path, items: Path) -> Sequence[ResultLine]:
    out = folder / "results.jsonl"
    subprocess.run([*SCORE, str(items), str(out), "--force"], check=True, stderr=subprocess.DEVNULL)
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


def choices_of(items: Path) -> dict[str, list[str]]:
    with items.open(encoding="utf-8") as lines:
        rows = list(map(json.loads, lines))
    return {str(row["pid" if "pid" in row else "id"]): row.get("choices") or row.get("options") or [] for row in rows}


def rows(benchmark: str, folder: Path, items: Path) -> tuple[Counter[str], list[Row]]:
    """How many responses each model has, and those in which an answer is found."""
    counts: Counter[str] = Counter()
    found: list[Row] = []
    choices = choices_of(items)
    for result in scored(folder, items):
        extra, explained = dict(result.extra), result.explained or {}
        counts[extra["model"]] += 1
        answer = extract_answer(stripped(explained["response"])[0])
        if answer is not None:
            extraction = str(extra.get("extraction") or extra.get("model_answer") or "")
            right = str(explained["answer"])
            grades = result.components["accuracy"] == 1.0, bool(extra["correct"])
            row = Row(benchmark, extra["model"], str(result.id), answer, right, extraction, *grades)
            cause = CAUSES[benchmark](row, explained["response"], choices[str(result.id)])
            found.append(replace(row, cause=cause))
    return counts, found


def mathvista_cause(row: Row, response: str, choices: list[str]) -> str:
    own = before_next_question(response)
    if choices:
        place = extracted_option(row.extraction, choices)
        if place is None:
            return NO_OPTION
        names = rf"(?<![A-Za-z0-9]){'ABCDEFGHIJKLMN'[place]}(?![A-Za-z0-9])|{re.escape(choices[place])}"
        same = grade(row.answer, (choices[place],), options_of(choices))
    else:
        names = rf"(?<!\w){re.escape(row.extraction)}(?!\w)" if row.extraction else "(?!)"
        same = grade(row.answer, (row.extraction,))
    if not same and not re.search(names, own):
        return NEXT if re.search(names, response) else NOWHERE
    return "" if row.agrees else SAME if same else OTHER


def extracted_option(extraction: str, choices: list[str]) -> int | None:
    """Which option an extraction is, by MathVista's rule: a letter in brackets, a letter, or an option's text."""
    letters = re.findall(r"\(([a-zA-Z])\)", extraction)
    name = letters[0].upper() if letters else extraction.strip()
    labels = "ABCDEFGHIJKLMN"[: len(choices)]
    if len(name) == 1 and name in labels:
        return labels.index(name)
    return choices.index(name) if name in choices else None


def math_v_cause(row: Row, response: str, choices: list[str]) -> str:
    del response
    gold = row.reference
    if choices and gold in (labels := "ABCDE"[: len(choices)]):
        texts = [bare(choices[labels.index(gold)]), bare(gold + choices[labels.index(gold)])]
    else:
        texts = [bare(gold)]
    if not row.mark and bare(row.extraction) in texts:
        return LETTER_FOR_LETTER
    if row.agrees:
        return ""
    if row.ours:
        one, other = bare(row.answer), bare(row.extraction)
        return WRITTEN if one in other or other in one else OTHER
    value = choices["ABCDE".index(gold)] if choices and gold in "ABCDE" else gold
    if (one := decimals(row.extraction)) is not None and one == decimals(value):
        return BEHIND if "=" in row.answer else DECIMALS
    return SAME


def bare(text: str) -> str:
    """Without what only sets a text: case, spaces, dollars, brackets, and commands of fonts and spaces."""
    text = re.sub(r"\\(?:text(?:bf)?|math(?:rm|bf)|quad|,|;|!)|\^\{?\\circ\}?", "", text)
    return re.sub(r"[\s${}()~\\]", "", text).lower()


def decimals(text: str) -> float | None:
    from math_verify import parse

    try:
        return round(float(parse(f"${text.strip('$')}$", parsing_timeout=None)[0]), 2)
    except (TypeError, ValueError, IndexError, AttributeError):
        return None


CAUSES = {"MathVista": mathvista_cause, "MATH-V": math_v_cause}


def table(benchmark: str, counts: Counter[str], found: list[Row]) -> Iterator[str]:
    yield f"| {benchmark} | responses | found | agree | of them held | agree |"
    yield "|---|---|---|---|---|---|"
    for model, count in sorted(counts.items()):
        own = [row for row in found if row.model == model]
        held = [row for row in own if row.cause not in BROKEN]
        yield f"| {model} | {count:,} | {len(own):,} | {share(own)} | {len(held):,} | {share(held)} |"
    yield ""


def share(found: list[Row]) -> str:
    return f"{sum(row.agrees for row in found) / len(found):.1%}" if found else "–"


def causes(found: list[Row]) -> Iterator[str]:
    yield "| cause of a disagreement | MathVista | MATH-V | we say right | what it is |"
    yield "|---|---|---|---|---|"
    for cause, meaning in MEANING.items():
        odd = [row for row in found if row.cause == cause and not row.agrees]
        by = Counter(row.benchmark for row in odd)
        if odd:
            right = sum(row.ours for row in odd)
            yield f"| {cause} | {by['MathVista'] or ''} | {by['MATH-V'] or ''} | {right} | {meaning} |"
    yield ""


def each(found: list[Row]) -> Iterator[str]:
    for cause in MEANING:
        odd = [row for row in found if row.cause == cause and not row.agrees]
        if odd:
            yield f"### {cause[0].upper()}{cause[1:]}\n"
            yield "| model, problem | found | right | extracted | mark |"
            yield "|---|---|---|---|---|"
            for row in odd:
                cells = (shown(row.answer), shown(row.reference), shown(row.extraction))
                yield f"| {row.model} {row.id} | {' | '.join(cells)} | {'right' if row.mark else 'wrong'} |"
            yield ""


def shown(text: str, most: int = 60) -> str:
    """In a cell of a table, as it stands."""
    line = " ".join(text.split())
    line = line if len(line) <= most else line[:most] + "…"
    return f"`` {line.replace('|', chr(92) + '|')} ``" if line else ""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help=f"put it into {PAGE.name}")
    write = parser.parse_args().write
    tables: list[str] = []
    every: list[Row] = []
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for name, items in (("MathVista", DATA / "mathvista" / "responses.jsonl"), ("MATH-V", math_v(folder))):
            counts, found = rows(name, folder, items)
            tables += table(name, counts, found)
            every += found
    print("\n".join((*tables, *causes(every))))
    if write:
        write_between(PAGE, "tables", "\n".join(tables).strip())
        write_between(PAGE, "causes", "\n".join(causes(every)).strip())
        write_between(PAGE, "each", "\n".join(each(every)).strip())


if __name__ == "__main__":
    main()
