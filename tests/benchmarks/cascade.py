"""From which certainty on the cascade's rules may decide alone, chosen on labelled data; and what that gives.

    python tests/benchmarks/cascade.py [--data ../shared/data] [--target 0.97] [--write] [--markdown FILE]

For every kind and label the least certainty from which on at least the target share of the rules' verdicts is right,
over all sets together; no entry where fewer than `LEAST` verdicts reach any such certainty, or where one set by itself
is clearly below the target (its Wilson interval lies wholly below it): real responses however few, others from `LEAST`
verdicts on. In the sets worded from templates labels weigh as they are mixed in real responses: a third of them are
contradicted, and most of these denied in so many words, which few responses do. `--write` puts the thresholds into the
package. The sets:

- `real`: facts and real responses labelled by reading: `labelled` (sure pairs), `further`, `fresh_seen`, `newest_seen`
- `held_out`, `fresh`: templated statements (see `statements`); not `tune`, which is right by construction
- `parser`: people's facts about Geometry3K against what a diagram parser read; kinds with a value or stated only
- `captions`: captions against themselves and their foils
- `charts`: claims against explanations of why a chart bears them out or not; what the rules call absent is left out

The figures are cross-validated: thresholds chosen on four fifths of the problems decide about the last fifth.
Only reported on are `unseen`, the pairs of `fresh_unseen` and `newest_unseen`, and `unread`, statements in the wordings
of that name. No model is asked.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from importlib.resources import files
from pathlib import Path

from folds import FOLDS, folds
from judging import judge_all
from labelled import SEEN, SETS, UNSEEN, rows
from measures import LABELS, table
from pages import write_between
from places import arguments
from statements import Half, problems, read_statements, statements
from symbolic import SEED

from perception_reward.annotations.english import sentence
from perception_reward.annotations.statements import Statement
from perception_reward.service.judges.base import JudgeTask, Verdict
from perception_reward.service.judges.cascade.checks import PACKAGED, Thresholds, decides
from perception_reward.service.judges.symbolic.judge import SymbolicJudge
from perception_reward.service.judges.symbolic.kinds import FIGURE_KINDS, KINDS, kind_of
from perception_reward.service.statistics.shares import wilson
from perception_reward.trainer_client.wire import Fact, Label

LEAST = 30
_HALVES: tuple[Half, ...] = ("held_out", "fresh", "unread")
_WORDED = frozenset({*_HALVES, "parser"})
# `general` holds no geometry, and thresholds are for geometry alone.
_REAL = {"real": tuple(name for name in SEEN if name != "general"), "unseen": UNSEEN}
_REPORTED = ("unseen", "unread")


@dataclass(frozen=True, slots=True)
class Case:
    """A fact and a response with the right label. `problem`: what cases that resemble each other share."""

    source: str
    problem: str
    fact: str
    response: str
    label: Label


@dataclass(frozen=True, slots=True)
class Judged:
    """A case with what the rules said. `fold`: by its problem. `weight`: in a worded set, its label's share in
    real responses over that in its set."""

    case: Case
    kind: str
    verdict: Verdict
    fold: int
    weight: float

    @property
    def right(self) -> bool:
        return self.verdict.label == self.case.label


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--target", type=float, default=0.97, help="least share of decided verdicts that are right")
    parser.add_argument("--write", action="store_true", help="put the thresholds into the package")
    parser.add_argument("--markdown", type=Path, help="write the tables between this file's markers")
    chosen = parser.parse_args()
    if not chosen.data.is_dir():
        raise SystemExit(f"no data sets at {chosen.data}; --data names their folder")
    judged = list(judge(cases(chosen.data)))
    used = [one for one in judged if one.case.source not in _REPORTED]
    thresholds = choose(used, chosen.target)
    sections = "\n\n".join(report(judged, used, thresholds, chosen.target))
    print(sections)
    if chosen.markdown:
        write_between(chosen.markdown, "figures", sections)
    if chosen.write:
        target = Path(str(files("perception_reward.service.judges.cascade").joinpath(PACKAGED)))
        target.write_text(as_toml(thresholds, used, chosen.target), encoding="utf-8")
        print(f"\nwritten to {target}")


# --- the data ---------------------------------------------------------------------------------------------------------


def cases(data: Path) -> Iterator[Case]:
    """All cases, those only reported on included."""
    for source, names in _REAL.items():
        for pair in (pair for name in names for pair in SETS[name](data)):
            if not pair.doubtful:
                yield Case(source, pair.problem, pair.fact, pair.response, pair.label)
    forms = list(problems(rows(data / "geometry3k" / "annotations.jsonl"), 500, SEED))
    for half in _HALVES:
        for sample in statements(half, 300, SEED, forms):
            yield Case(half, sample.fact.text, sample.fact.text, sample.response, sample.label)
    yield from parsed(data / "geometry3k")
    for row in rows(data / "captions" / "foils.jsonl"):
        # Those add words to the caption, or ask a question: they state it, or nothing.
        if "/add_" not in row["type"] and "coreference" not in row["type"]:
            yield Case("captions", row["id"], row["caption"], row["caption"], "stated")
            yield Case("captions", row["id"], row["caption"], row["foil"], "contradicted")
    for row in rows(data / "charts" / "chartcheck.jsonl"):
        if row["explanation"] and row["claim"].strip():
            label = "stated" if row["label"] else "contradicted"
            yield Case("charts", row["id"], row["claim"], row["explanation"], label)


def parsed(folder: Path) -> Iterator[Case]:
    """People's facts, and as the response all that a parser read of the same figure.

    What the parser has is stated; a number that it has otherwise, or of which it has two, is contradicted. The rest is
    left out: whether it is absent or follows from something else is not known.
    """
    gold = {row["id"]: row["logic_forms"] for row in rows(folder / "annotations.jsonl")}
    for row in rows(folder / "parser_predictions.jsonl"):
        seen = read_statements(row["logic_forms"])
        response = " ".join(sentence(statement) for statement in seen.values())
        numbers = Counter(_element(statement) for statement in seen.values() if _is_number(statement))
        for key, statement in read_statements(gold[row["id"]]).items():
            others = numbers[_element(statement)] - (key in seen) if _is_number(statement) else 0
            if others > 0 or key in seen:
                label: Label = "contradicted" if others > 0 else "stated"
                yield Case("parser", row["id"], sentence(statement), response, label)


def _is_number(statement: Statement) -> bool:
    return statement.quantity is not None and statement.quantity.is_number


def _element(statement: Statement) -> tuple[object, ...]:
    return (statement.kind, *(figure.key for figure in statement.figures))


def judge(found: Iterable[Case]) -> Iterator[Judged]:
    """Each case with the rules' verdict."""
    listed = list(found)
    verdicts = judge_all([JudgeTask(case.response, (Fact(id="f", text=case.fact),)) for case in listed])
    fold = folds((case.problem for case in listed), SEED)
    mixes = {source: Counter(case.label for case in listed if case.source == source) for source in _sources(listed)}
    real = mixes["real"]
    for case, (verdict,) in zip(listed, verdicts, strict=True):
        mix = mixes[case.source]
        weight = (real[case.label] / real.total()) / (mix[case.label] / mix.total()) if case.source in _WORDED else 1.0
        if case.source != "charts" or verdict.label != "absent":
            yield Judged(case, kind_of(case.fact), verdict, fold[case.problem], weight)


# --- the rule ---------------------------------------------------------------------------------------------------------


def choose(judged: Iterable[Judged], target: float) -> Thresholds:
    """For each kind and label the least certainty that reaches the target, where there is one."""
    cells: dict[tuple[str, Label], list[Judged]] = defaultdict(list)
    for one in judged:
        cells[one.kind, one.verdict.label].append(one)
    found: dict[str, dict[Label, float]] = defaultdict(dict)
    for kind in sorted(KINDS):
        if kind not in FIGURE_KINDS:
            # Of these the rules know no more than words and numbers: right in the made sets, in real ones too seldom.
            continue
        for label in LABELS:
            least = _least(cells[kind, label], target)
            if least is not None:
                found[kind][label] = least
    return dict(found)


def _least(cell: Sequence[Judged], target: float) -> float | None:
    best = None
    for least in sorted({_rounded(one.verdict.certainty) for one in cell}, reverse=True):
        above = [one for one in cell if one.verdict.certainty >= least]
        if len(above) >= LEAST and _share(above) >= target and not _fails_somewhere(above, target):
            best = least
    return best


def _rounded(certainty: float) -> float:
    """Down to four digits, so that a certainty always reaches its own threshold."""
    return int(certainty * 1e4) / 1e4


def _fails_somewhere(above: Sequence[Judged], target: float) -> bool:
    by_source: dict[str, list[Judged]] = defaultdict(list)
    for one in above:
        by_source[one.case.source].append(one)
    return any(
        wilson(_share(part), len(part))[1] < target
        for source, part in by_source.items()
        if source == "real" or len(part) >= LEAST
    )


def _share(judged: Sequence[Judged]) -> float:
    return sum(one.weight for one in judged if one.right) / sum(one.weight for one in judged)


def crossed(judged: Sequence[Judged], target: float) -> list[Judged]:
    """The verdicts that thresholds chosen without their fold's problems would let stand."""
    standing: list[Judged] = []
    for fold in range(FOLDS):
        thresholds = choose([one for one in judged if one.fold != fold], target)
        standing += [one for one in judged if one.fold == fold and decides(thresholds, one.kind, one.verdict)]
    return standing


# --- the report -------------------------------------------------------------------------------------------------------


def report(judged: Sequence[Judged], used: Sequence[Judged], thresholds: Thresholds, target: float) -> Iterator[str]:
    standing = crossed(used, target)
    yield (
        f"Thresholds for {target:.0%}; in brackets the share right of those decided, its 95 % Wilson interval:\n\n"
        + (_threshold_table(used, thresholds))
    )
    groups = {
        source: [one for one in used if one.case.source == source] for source in _sources(one.case for one in used)
    }
    lines = [
        _line(source, group, [one for one in standing if one.case.source == source]) for source, group in groups.items()
    ]
    for source in _REPORTED:
        group = [one for one in judged if one.case.source == source]
        decided = [one for one in group if decides(thresholds, one.kind, one.verdict)]
        lines.append(_line(f"{source} (none used)", group, decided))
    header = ["set", "pairs", "decided", "decided right", "95 % interval", "all right, rules alone"]
    yield "By set, cross-validated by problem:\n\n" + table(header, lines)
    kinds = Counter(one.kind for one in used)
    yield "By kind, cross-validated by problem:\n\n" + table(
        ["kind", *header[1:]],
        [
            _line(kind, [one for one in used if one.kind == kind], [one for one in standing if one.kind == kind])
            for kind, _ in kinds.most_common()
        ],
    )


def _threshold_table(used: Sequence[Judged], thresholds: Thresholds) -> str:
    lines: list[list[str]] = []
    for kind in sorted({one.kind for one in used}):
        line = [kind]
        for label in LABELS:
            least = thresholds.get(kind, {}).get(label)
            cell = [one for one in used if (one.kind, one.verdict.label) == (kind, label)]
            above = [one for one in cell if least is not None and one.verdict.certainty >= least]
            line.append(f"{least} ({_interval(above)}; {len(above)} of {len(cell)})" if above else "–")
        lines.append(line)
    return table(["kind", *LABELS], lines)


def _line(name: str, group: Sequence[Judged], decided: Sequence[Judged]) -> list[str]:
    share = f"{len(decided) / len(group):.2f}"
    right = f"{_share(decided):.3f}" if decided else "–"
    return [name, str(len(group)), share, right, _interval(decided), f"{_share(group):.3f}"]


def _interval(judged: Sequence[Judged]) -> str:
    if not judged:
        return "–"
    low, high = wilson(_share(judged), len(judged))
    return f"{low:.3f} to {high:.3f}"


def _sources(found: Iterable[Case]) -> list[str]:
    return list(dict.fromkeys(case.source for case in found))


def as_toml(thresholds: Thresholds, used: Sequence[Judged], target: float) -> str:
    """The packaged file, with where its numbers come from."""
    sets = Counter(one.case.source for one in used)
    lines = [
        "# From which certainty on the symbolic judge decides alone. Written by `make bench-cascade WRITE=--write`;",
        "# choose anew when its rules have changed. A label without an entry is always the model's to decide.",
        "",
        "[provenance]",
        f"date = {date.today().isoformat()}",
        f'rules = "{SymbolicJudge().info.fingerprint}"',
        f"target = {target}",
        f"least_verdicts = {LEAST}",
        "pairs = { " + ", ".join(f"{source} = {count}" for source, count in sets.items()) + " }",
    ]
    for kind, least in sorted(thresholds.items()):
        lines += ["", f"[kinds.{kind}]", *(f"{label} = {value}" for label, value in least.items())]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
