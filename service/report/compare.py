"""Two files of results of the same problems: what changed, by how much, and whether that can be chance.

    before, after = (Results([name]).slim(PROBLEM_NAMES) for name in ("before.jsonl", "after.jsonl"))
    found = compare(before, after, Rule())
    found.benchmarks[0].right[0].p_exact

Several samples of a problem become one value first: the problem is right where at least half of its samples are (or by
another `Rule.samples`), and its reward is their mean. Rows without a value and problems of one file alone are counted.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

from perception_reward.service.audit.figures import AuditReport
from perception_reward.service.report.rows import Row, measures_of, problem_name, reasons
from perception_reward.service.statistics.correction import Errors, corrected, corrected_change
from perception_reward.service.statistics.paired import Interval, Pairs, difference, holm, mcnemar
from perception_reward.service.statistics.power import POWER, problems_needed, smallest_change
from perception_reward.service.statistics.resampling import mean_change

Samples: TypeAlias = Literal["mean", "first", "any", "all"]
Kind: TypeAlias = Literal["perception", "answer"]
KINDS: tuple[Kind, ...] = ("perception", "answer")
ALL = "all"


@dataclass(frozen=True, slots=True)
class Rule:
    """When a problem counts as right.

    perception: the component from which on a response saw right; None: where the judge found no fact contradicted.
    samples: `mean`: at least half of a problem's samples are right; `first`, `any`, `all`: those are.
    """

    perception: float | None = 0.5
    samples: Samples = "mean"

    def right(self, kind: Kind, row: Row) -> bool | None:
        """Of one response; None where that is not known."""
        if kind == "answer":
            return None if (value := row.value("accuracy")) is None else value >= 0.5
        if (value := row.value("perception")) is None:
            return None
        if self.perception is None:
            return not row.contradicted
        return value >= self.perception - 1e-9

    def of(self, rights: Sequence[bool]) -> bool:
        """Of a problem with these samples, at least one."""
        if self.samples == "first":
            return rights[0]
        if self.samples == "any":
            return any(rights)
        return all(rights) if self.samples == "all" else 2 * sum(rights) >= len(rights)

    def said(self) -> str:
        """The rule in a sentence."""
        seen = "no fact is contradicted" if self.perception is None else f"perception is {self.perception:g} or more"
        several = {
            "mean": "at least half of its samples are",
            "first": "its first sample is",
            "any": "any of its samples is",
            "all": "all of its samples are",
        }[self.samples]
        return f"A response saw right where {seen}, and answers right where accuracy is 1; a problem, where {several}."


class Figures(BaseModel):
    """Frozen and finite."""

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)


class Place(Figures):
    """Where rows of a problem stand in a file."""

    file: str
    lines: list[int]


class Link(Figures):
    """A discordant problem, with the places of its rows: one for each file that has some."""

    problem: str
    before: list[Place]
    after: list[Place]


class Right(Figures):
    """A share of problems that are right, before and after, and McNemar's test of its change."""

    kind: Kind
    problems: int
    unknown: int = Field(description="Paired problems of which one side has no value; they are left out.")
    before: float
    after: float
    change: float
    low: float = Field(description="Of the change: Tango's 95 % interval.")
    high: float
    both: int
    neither: int
    gained: int
    lost: int
    p_exact: float
    p_mid: float
    p_holm: float | None = Field(default=None, description="The exact p over all benchmarks, after Holm.")
    gained_problems: list[Link]
    lost_problems: list[Link]


class Mean(Figures):
    """A mean over problems, before and after. p: of the paired permutation test."""

    measure: str
    problems: int
    unknown: int
    before: float
    after: float
    change: float
    low: float | None = Field(description="Of the change: 95 %, by resampling problems.")
    high: float | None
    p: float
    p_holm: float | None = None


class Corrected(Figures):
    """The mean share of facts that a problem's responses state, as judged, and without the judge's known errors."""

    problems: int
    sensitivity: float
    specificity: float
    before: float
    after: float
    corrected_before: tuple[float, float, float] = Field(description="Value, low, high.")
    corrected_after: tuple[float, float, float]
    corrected_change: tuple[float, float, float]


class Planned(Figures):
    """What a further comparison takes. needed: problems; None where no number of them shows the change."""

    kind: str
    gained: float
    lost: float
    power: float
    needed: int | None
    problems: int
    smallest: float | None = Field(description="The smallest change that `problems` show with this power.")


class Benchmark(Figures):
    name: str
    problems: int
    right: list[Right]
    means: list[Mean]
    corrected: Corrected | None = None
    plan: list[Planned] = []


class Side(Figures):
    files: list[str]
    rows: int
    problems: int
    missing: dict[str, int] = Field(description="Rows whose score is missing, by reason.")


class Comparison(Figures):
    before: Side
    after: Side
    paired_by: str
    rule: str
    problems: int = Field(description="Problems of both files.")
    only_before: list[str]
    only_after: list[str]
    benchmarks: list[Benchmark]


Key: TypeAlias = tuple[str, str]
Problems: TypeAlias = Mapping[Key, Sequence[Row]]


def compare(
    before: Sequence[Row],
    after: Sequence[Row],
    rule: Rule,
    *,
    problem: str | None = None,
    by: str | None = None,
    audit: AuditReport | None = None,
    power: float | None = None,
    seed: int = 0,
) -> Comparison:
    """by: the field that names a row's benchmark. power: plan a further comparison with it.

    Raises `ValueError`, for people, for rows that cannot be paired, and `ImportError` without the extra `[report]`.
    """
    name = problem_name((before, after), problem)
    left, right = (_problems(rows, name, by) for rows in (before, after))
    shared = [key for key in left if key in right]
    if not shared:
        raise ValueError(f"no problem is in both files, by {name!r}; name what they share with --problem")
    names = list(dict.fromkeys(benchmark for benchmark, _ in shared))
    families = {one: [key for key in shared if key[0] == one] for one in names}
    if len(names) > 1:
        families = {ALL: shared, **families}
    found = [_benchmark(one or ALL, keys, left, right, rule, audit, power, seed) for one, keys in families.items()]
    return Comparison(
        before=_side(before, left),
        after=_side(after, right),
        paired_by=name,
        rule=rule.said(),
        problems=len(shared),
        only_before=[_named(key) for key in left if key not in right],
        only_after=[_named(key) for key in right if key not in left],
        benchmarks=_corrected_for_several(found) if len(names) > 1 else found,
    )


def planned(kind: str, gained: float, lost: float, problems: int, power: float = POWER) -> Planned:
    """gained, lost: shares of problems that are expected to turn right, and wrong."""
    return Planned(
        kind=kind,
        gained=gained,
        lost=lost,
        power=power,
        needed=problems_needed(gained=gained, lost=lost, power=power),
        problems=problems,
        smallest=smallest_change(changed=gained + lost, problems=problems, power=power) if problems else None,
    )


def _problems(rows: Iterable[Row], name: str, by: str | None) -> Problems:
    found: defaultdict[Key, list[Row]] = defaultdict(list)
    for row in rows:
        benchmark = "" if by is None else row.field(by)
        if benchmark is None:
            raise ValueError(f"{row.file} line {row.place}: has no {by!r}, by which benchmarks are told apart")
        found[benchmark, row.field(name) or ""].append(row)
    return found


def _side(rows: Sequence[Row], problems: Problems) -> Side:
    files = list(dict.fromkeys(row.file for row in rows))
    return Side(files=files, rows=len(rows), problems=len(problems), missing=reasons(rows))


def _named(key: Key) -> str:
    return f"{key[0]}/{key[1]}" if key[0] else key[1]


def _benchmark(
    name: str,
    keys: Sequence[Key],
    left: Problems,
    right: Problems,
    rule: Rule,
    audit: AuditReport | None,
    power: float | None,
    seed: int,
) -> Benchmark:
    rights = [found for kind in KINDS if (found := _right(kind, keys, left, right, rule)) is not None]
    plan = [
        planned(one.kind, one.gained / one.problems, one.lost / one.problems, one.problems, power)
        for one in rights
        if power is not None
    ]
    measures = measures_of(row for side in (left, right) for key in keys for row in side[key])
    means = [found for measure in measures if (found := _mean(measure, keys, left, right, seed)) is not None]
    fixed = _corrected(keys, left, right, audit, seed) if audit is not None else None
    return Benchmark(name=name, problems=len(keys), right=rights, means=means, corrected=fixed, plan=plan)


def _right(kind: Kind, keys: Sequence[Key], left: Problems, right: Problems, rule: Rule) -> Right | None:
    outcomes: dict[Key, tuple[bool, bool]] = {}
    for key in keys:
        sides = [[one for row in side[key] if (one := rule.right(kind, row)) is not None] for side in (left, right)]
        if all(sides):
            outcomes[key] = (rule.of(sides[0]), rule.of(sides[1]))
    if not outcomes:
        return None
    pairs = Pairs.of(outcomes.values())
    change, test = difference(pairs), mcnemar(pairs)
    gained, lost = (
        [_link(key, left, right) for key, found in outcomes.items() if found == which]
        for which in ((False, True), (True, False))
    )
    return Right(
        kind=kind,
        problems=pairs.problems,
        unknown=len(keys) - pairs.problems,
        before=(pairs.both + pairs.lost) / pairs.problems,
        after=(pairs.both + pairs.gained) / pairs.problems,
        change=change.value,
        low=change.low,
        high=change.high,
        both=pairs.both,
        neither=pairs.neither,
        gained=pairs.gained,
        lost=pairs.lost,
        p_exact=test.exact,
        p_mid=test.mid_p,
        gained_problems=gained,
        lost_problems=lost,
    )


def _link(key: Key, left: Problems, right: Problems) -> Link:
    return Link(problem=_named(key), before=_places(left[key]), after=_places(right[key]))


def _places(rows: Sequence[Row]) -> list[Place]:
    lines: defaultdict[str, list[int]] = defaultdict(list)
    for row in rows:
        lines[row.file].append(row.place)
    return [Place(file=file, lines=found) for file, found in lines.items()]


def _mean(measure: str, keys: Sequence[Key], left: Problems, right: Problems, seed: int) -> Mean | None:
    pairs = [
        (fmean(sides[0]), fmean(sides[1]))
        for key in keys
        if all(sides := [[v for row in side[key] if (v := row.value(measure)) is not None] for side in (left, right)])
    ]
    if not pairs:
        return None
    before, after = [one for one, _ in pairs], [other for _, other in pairs]
    change = mean_change(before, after, seed=seed)
    return Mean(
        measure=measure,
        problems=len(pairs),
        unknown=len(keys) - len(pairs),
        before=fmean(before),
        after=fmean(after),
        change=change.value,
        low=change.low,
        high=change.high,
        p=change.p,
    )


def errors_of(audit: AuditReport) -> Errors:
    """The judge's rates of `stated`. Raises `ValueError` for an audit without any."""
    quality = audit.quality
    stated = next((one for one in quality.classes if one.label == "stated"), None) if quality else None
    if stated is None or stated.recall.value is None or stated.specificity.value is None:
        raise ValueError("the audit has no recall and specificity of `stated`: run it with --labelled or annotations")
    return Errors(stated.recall.value, stated.recall.total, stated.specificity.value, stated.specificity.total)


def _corrected(keys: Sequence[Key], left: Problems, right: Problems, audit: AuditReport, seed: int) -> Corrected | None:
    errors = errors_of(audit)
    pairs = [(one, other) for key in keys if None not in (one := _stated(left[key]), other := _stated(right[key]))]
    before, after = (
        ([side for side in sides if side is not None] for sides in zip(*pairs, strict=True)) if pairs else ([], [])
    )
    if len(pairs) < 2:
        return None
    change = mean_change(before, after, seed=seed)
    fixed = corrected_change(Interval(change.value, change.low or 0.0, change.high or 0.0), errors)
    return Corrected(
        problems=len(pairs),
        sensitivity=errors.sensitivity,
        specificity=errors.specificity,
        before=fmean(before),
        after=fmean(after),
        corrected_before=_figures(corrected(fmean(before), _size(before), errors)),
        corrected_after=_figures(corrected(fmean(after), _size(after), errors)),
        corrected_change=_figures(fixed),
    )


def _stated(rows: Sequence[Row]) -> float | None:
    judged = sum(row.judged for row in rows)
    return sum(row.stated for row in rows) / judged if judged else None


def _size(shares: Sequence[float]) -> float:
    """How many independent verdicts would have the variance that these problems' mean has."""
    mean = fmean(shares)
    variance = sum((share - mean) ** 2 for share in shares) / (len(shares) - 1) / len(shares)
    return mean * (1 - mean) / variance if variance > 0 and 0 < mean < 1 else float(len(shares))


def _figures(interval: Interval) -> tuple[float, float, float]:
    return (interval.value, interval.low, interval.high)


def _corrected_for_several(found: Sequence[Benchmark]) -> list[Benchmark]:
    """Holm over the benchmarks, for each measure; what is of all of them together is no member of the family."""
    whole, *each = found
    right_p = {kind: _holm({b.name: r.p_exact for b in each for r in b.right if r.kind == kind}) for kind in KINDS}
    measures = {m.measure for b in each for m in b.means}
    mean_p = {one: _holm({b.name: m.p for b in each for m in b.means if m.measure == one}) for one in measures}
    return [
        whole,
        *(
            one.model_copy(
                update={
                    "right": [r.model_copy(update={"p_holm": right_p[r.kind][one.name]}) for r in one.right],
                    "means": [m.model_copy(update={"p_holm": mean_p[m.measure][one.name]}) for m in one.means],
                }
            )
            for one in each
        ),
    ]


def _holm(found: Mapping[str, float]) -> dict[str, float]:
    return dict(zip(found, holm(list(found.values())), strict=True))
