"""What each rule of the symbolic judge is worth: it is switched off, and all figures are measured anew.

    python tests/benchmarks/ablation.py [--data ../shared/data] [--only NAME …] [--write]

A row is one rule. Of the labelled real pairs it says how many verdicts are right that were wrong before, and the other
way round, and what becomes of the AUC over all sets; of the audit's attacks, how many more are taken for stated; of the
templated statements, by how many hundredths the accuracy of each lot changes. `--write` makes the table the page
`results/ablation.md`. A rule of some length whose row tells nothing has no place in the judge.
"""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

from judging import judge_all
from labelled import SETS, UNSEEN, Pair, rows
from measures import Judged, accuracy, stated_auc, table
from places import REPOSITORY, arguments
from real import CAP, judged_pairs, probes_of, world
from statements import HALVES, Half, Sample, problems, statements
from symbolic import SEED, judged_samples

from perception_reward.service.audit.probes import Probe
from perception_reward.service.judges.base import JudgeTask

PAGE = REPOSITORY / "tests" / "benchmarks" / "results" / "ablation.md"
HEAD = """# What each rule of the symbolic judge is worth

Made by `python tests/benchmarks/ablation.py --write`: each row is the judge without one rule. *Better* and *worse*
count the verdicts on labelled real pairs that are right only without it, and only with it; AUC is over all sets;
*attacks* is how many more of the audit's probes are taken for stated; the last columns are hundredths of the templated
statements' accuracy.

Rows of zeroes are words of a table that cost a line each, and rules for facts that importers write and these sets
hardly hold: tangents, numbers written into angles, numbers in words.
"""
_LANGUAGE = "perception_reward.annotations.language"
_SYMBOLIC = "perception_reward.service.judges.symbolic"
_NEVER = re.compile("(?!)")

Change = Callable[[ExitStack], None]


# --- what can be switched off -----------------------------------------------------------------------------------------


def gives(target: str, value: object) -> Change:
    """A function that returns always the same."""
    return partial(_put, target, lambda *_args, **_named: value)


def holds(target: str, value: object) -> Change:
    """A name of a module that stands for something else."""
    return partial(_put, target, value)


def _put(target: str, value: object, stack: ExitStack) -> None:
    module, _, name = target.rpartition(".")
    stack.enter_context(patch.object(_module(module), name, value))


def without(target: str, *keys: str) -> Change:
    """A mapping without some of its keys."""

    def change(stack: ExitStack) -> None:
        module, _, name = target.rpartition(".")
        whole: Mapping[Any, Any] = getattr(_module(module), name)
        assert set(keys) <= whole.keys(), (target, keys)
        stack.enter_context(patch.dict(whole))
        for key in keys:
            del whole[key]  # type: ignore[attr-defined]

    return change


def no_cues(*kinds: str) -> Change:
    """Moods without the words of these kinds."""

    def change(stack: ExitStack) -> None:
        moods = _module("moods")
        whole = moods.cues_of
        stack.enter_context(
            patch.object(moods, "cues_of", lambda text: tuple(cue for cue in whole(text) if cue[0] not in kinds))
        )

    return change


def no_predicate(name: str) -> Change:
    """What stands behind an item says no more that it is one of these."""
    phrases = _module("geometry.gaps")._PREDICATE_OF
    return without("geometry.gaps._PREDICATE_OF", *(phrase for phrase, of in phrases.items() if of == name))


def _module(name: str) -> Any:
    """A module of the language or of the judge by its name there, or a class in one."""
    for package in (_SYMBOLIC, _LANGUAGE):
        with suppress(ModuleNotFoundError):
            return importlib.import_module(f"{package}.{name}")
    outer, _, inner = name.rpartition(".")
    return getattr(_module(outer), inner)


def switches() -> dict[str, Change]:
    """By name, all that can be switched off."""
    gaps = _module("geometry.gaps")
    return {
        "sentences: lists of options": gives("sentences._option_lines", set[int]()),
        "sentences: quoted tasks": gives("sentences.examined_of", frozenset[int]()),
        **{f"moods: {kind}": no_cues(kind)
           for kind in ("neutral", "refuted", "reported", "hypothetical", "hedged", "negated", "denial", "weak",
                        "edge")},
        "moods: questions": gives("moods.asks", False),
        **{f"gaps: {name}": without("geometry.gaps._ALLOWED", name) for name in gaps._ALLOWED},
        **{f"gaps: behind it, {name}": no_predicate(name) for name, _ in gaps._PREDICATES},
        "gaps: a square mark at": holds("geometry.gaps._SQUARE_MARK", _NEVER),
        "gaps: strange quantities": holds("geometry.gaps._STRANGE_QUANTITIES", frozenset[str]()),
        "gaps: of the figure": holds("geometry.gaps._OF_THE_FIGURE", _NEVER),
        "gaps: aside": holds("geometry.gaps._ASIDE_FILLER", frozenset[str]()),
        "gaps: divides": holds("geometry.gaps._DIVIDING", frozenset[str]()),
        "gaps: meets": holds("geometry.gaps._MEETING", frozenset[str]()),
        "gaps: places": holds("geometry.gaps._PLACING", frozenset[str]()),
        "gaps: has": holds("geometry.gaps._HAS", frozenset[str]()),
        "gaps: of": holds("geometry.gaps._OF", frozenset[str]()),
        "gaps: comparisons": holds("geometry.gaps._COMPARISONS", frozenset[str]()),
        "chains: variables": gives("geometry.chains._variable", ()),
        "chains: pairs": gives("geometry.chains._pairs", ()),
        "chains: identified": gives("geometry.chains._identified", ()),
        "items: ratios": gives("geometry.items._ratio", None),
        "items: joined": gives("geometry.items._join", None),
        "items: joined by between": gives("geometry.items._between", None),
        "items: quantities": holds("geometry.items._NOUN", _NEVER),
        "items: functions": holds("geometry.items._FUNCTION", _NEVER),
        "items: numbers in words": gives("geometry.items._spelt", None),
        "items: roles": gives("geometry.items._role_at", 0),
        "items: theorems": holds("geometry.items._THEOREM", _NEVER),
        "items: passes a role on": holds("geometry.items._PASSES_ROLE", frozenset[str]()),
        "statements: roles": gives("geometry.statements._roles", ()),
        "statements: related": gives("geometry.statements._related", ()),
        "statements: described": gives("geometry.statements._described", ()),
        "statements: letters as lines": holds("geometry.statements._line_or", lambda item, _relation: item.element),
        "facts: in passing": holds("geometry.facts._IN_PASSING", frozenset[str]()),
        "compare: taken back": holds("compare._RETRACTING", ()),
        "compare: no size": gives("compare._is_no_size", False),
        "compare: elsewhere": gives("compare._elsewhere", False),
        "compare: a shape alone": gives("compare._shape_alone", None),
        "compare: only mentioned": gives("compare._mentions", (False, False)),
        "compare: outweighing": holds("compare._outweighing", lambda firm, _best: firm),
        "evidence: synonyms": holds("evidence._synonyms", lambda named, _claims: [(named, 1.0)]),
        "evidence: of any": gives("evidence._of_any", ()),
        "evidence: corners": gives("evidence._about_corner", ()),
        "evidence: cornered": gives("claims.Claims.cornered", []),
        "evidence: another corner": gives("claims.Claims.angles_among", []),
        "evidence: opposites": gives("evidence._opposite", ()),
        **{f"evidence: {name}": without("evidence._FINDERS", name) for name in ("equal", "midpoint")},
        "terms: classes": holds("terms._EXCLUSIVE", {}),
        "terms: counts": holds("terms._COUNTS", {}),
        "terms: texts": holds("terms.QUOTES", frozenset[str]()),
        "terms: years": holds("terms._YEAR", _NEVER),
        "terms: bounds": holds("terms._BOUND", _NEVER),
        "passages: cells": gives("passages._cells", iter(())),
        "coverage: worded alike": gives("coverage._worded_alike", False),
        "coverage: in a row": gives("coverage._in_a_row", 1),
        "coverage: said twice": gives("coverage._said_twice", False),
        "coverage: a number before other words": holds("coverage._OF_OTHERS", 1.0),
        "coverage: lacking": gives("coverage.Wanted.lacks", False),
        "coverage: names are no rivals": holds("coverage.NAMING", ()),
        "roles": gives("coverage.roles_of", None),
    }  # fmt: skip


# --- what is measured -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Material:
    """All that is judged, made once. worlds: of each pair, as all rules together see it."""

    pairs: Sequence[Pair]
    worlds: Sequence[str]
    unseen: Sequence[bool]
    probes: Sequence[Probe]
    samples: Mapping[Half, Sequence[Sample]]


@dataclass(frozen=True, slots=True)
class Figures:
    """The verdicts on real pairs, how many attacks are taken for stated, and by lot the templated accuracy."""

    real: Sequence[Judged]
    attacks: int
    templated: Mapping[Half, float]


def material(data: Path, per_kind: int, probes: int) -> Material:
    forms = list(problems(rows(data / "geometry3k" / "annotations.jsonl"), 500, SEED))
    named = [(name, pair) for name, load in SETS.items() for pair in load(data) if not pair.doubtful]
    return Material(
        [pair for _, pair in named],
        [world(pair.fact) for _, pair in named],
        [name in UNSEEN for name, _ in named],
        [probe for each in probes_of(data, probes).values() for probe in each],
        {half: statements(half, per_kind, SEED, forms) for half in HALVES},
    )


def measured(of: Material) -> Figures:
    verdicts = judge_all([JudgeTask(probe.response[:CAP], probe.task) for probe in of.probes])
    return Figures(
        judged_pairs(of.pairs),
        sum(
            said[probe.task.index(probe.fact)].label == "stated"
            for probe, said in zip(of.probes, verdicts, strict=True)
        ),
        {half: accuracy(judged_samples(samples)) for half, samples in of.samples.items()},
    )


@contextmanager
def off(change: Change) -> Iterator[None]:
    """The judge without a rule; what it remembers of texts is forgotten before and after."""
    with ExitStack() as stack:
        stack.callback(forget)
        change(stack)
        forget()
        yield


def forget() -> None:
    for name, module in list(sys.modules.items()):
        if name.startswith((_LANGUAGE, _SYMBOLIC)):
            for held in list(vars(module).values()):
                clear = getattr(held, "cache_clear", None)
                if callable(clear):
                    clear()


# --- what it says -----------------------------------------------------------------------------------------------------

HEADER = [
    *("without", "geometry: better", "worse", "AUC", "other: better", "worse", "AUC", "unseen: better", "worse"),
    *("attacks", *HALVES),
]


def row(name: str, of: Material, with_it: Figures, without_it: Figures) -> list[str]:
    cells = [name]
    for where in ("geometry", "other"):
        chosen = [at for at, place in enumerate(of.worlds) if place == where]
        before, after = ([figures.real[at] for at in chosen] for figures in (with_it, without_it))
        cells += [*_turned(before, after), f"{stated_auc(after) - stated_auc(before):+.3f}"]
    held = [at for at, unseen in enumerate(of.unseen) if unseen]
    cells += _turned([with_it.real[at] for at in held], [without_it.real[at] for at in held])
    cells.append(f"{without_it.attacks - with_it.attacks:+d}")
    return cells + [f"{100 * (without_it.templated[half] - with_it.templated[half]):+.1f}" for half in HALVES]


def _turned(before: Sequence[Judged], after: Sequence[Judged]) -> tuple[str, str]:
    """How many verdicts became right, and how many wrong."""
    turns = [(one.said == one.label, other.said == other.label) for one, other in zip(before, after, strict=True)]
    return str(turns.count((False, True))), str(turns.count((True, False)))


def is_idle(cells: Sequence[str]) -> bool:
    """Whether a row says that its rule moves no figure of real pairs and of attacks."""
    return all(cell in ("0", "+0", "+0.000", "-0.000") for cell in cells[1:10])


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--per-kind", type=int, default=60, help="templated statements a kind and lot")
    parser.add_argument("--probes", type=int, default=100, help="attacks a family")
    parser.add_argument("--only", nargs="*", default=(), help="rules whose name begins so")
    parser.add_argument("--write", action="store_true", help=f"make the table the page {PAGE.relative_to(REPOSITORY)}")
    chosen = parser.parse_args()
    if not chosen.data.is_dir():
        raise SystemExit(f"no data sets at {chosen.data}; --data names their folder")
    of = material(chosen.data, chosen.per_kind, chosen.probes)
    base = measured(of)
    lines: list[list[str]] = []
    for name, change in switches().items():
        if not chosen.only or name.startswith(tuple(chosen.only)):
            with off(change):
                lines.append(row(name, of, base, measured(of)))
            print(" | ".join(lines[-1]), "(idle)" if is_idle(lines[-1]) else "", flush=True)
    if chosen.write:
        PAGE.write_text(f"{HEAD}\n{table(HEADER, lines)}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
