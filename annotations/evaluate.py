"""A store's facts against a gold standard's: precision and recall, by kind.

    comparison = compare(read_annotations(store).values(), read_annotations(gold).values())
    comparison.counts()["length"].precision

Two facts are the same where they make the same statement, in whatever words (`stated.py`; a line by any two of its
points, an angle by any points on its sides, a point on a line by any points of it, a quantity by its value), or, where
they make none that can be read, where they have the same words. A point is its name: where two people named a corner
differently, their facts differ, and a problem whose sides share few names of points is told. What is left over on
either side can be asked of a judge: whether the other side's facts, as a text, state it. Distractors take no part.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from perception_reward.annotations.collinear import Collinear
from perception_reward.annotations.figures import Counts
from perception_reward.annotations.model import Annotation
from perception_reward.annotations.stated import statement_of
from perception_reward.annotations.statements import Statement
from perception_reward.trainer_client.wire import Fact

# One name of a point, or two, may differ because a side speaks of other things.
LEAST_POINTS = 3


@dataclass(frozen=True, slots=True)
class Problem:
    """One problem's facts on both sides, without repeats; those of either side that the other has not.

    points, gold_points: the names of points in the facts of either side, where they can be read.
    """

    id: str
    facts: tuple[Fact, ...]
    gold: tuple[Fact, ...]
    wrong: tuple[Fact, ...]
    missed: tuple[Fact, ...]
    points: frozenset[str] = frozenset()
    gold_points: frozenset[str] = frozenset()

    @property
    def named_otherwise(self) -> bool:
        """Whether less than half of the points have the other side's names, so that facts differ by them alone."""
        fewer = min(len(self.points), len(self.gold_points))
        return fewer >= LEAST_POINTS and 2 * len(self.points & self.gold_points) < fewer


@dataclass(slots=True)
class Comparison:
    """problems: those that both have. only_store, only_gold: ids that the other lacks."""

    problems: list[Problem] = field(default_factory=list[Problem])
    only_store: list[str] = field(default_factory=list[str])
    only_gold: list[str] = field(default_factory=list[str])

    @property
    def named_otherwise(self) -> list[Problem]:
        """Problems whose points have other names than in the gold standard: their figures say nothing of the facts."""
        return [problem for problem in self.problems if problem.named_otherwise]

    def counts(self, judged_right: Sequence[Fact] = (), judged_found: Sequence[Fact] = ()) -> dict[str, Counts]:
        """Counts by kind, the most frequent first. What a judge found the other side to state counts as matched."""
        store, gold = Counter[str](), Counter[str]()
        right, found = (Counter(fact.kind for fact in facts) for facts in (judged_right, judged_found))
        for one in self.problems:
            store.update(fact.kind for fact in one.facts)
            gold.update(fact.kind for fact in one.gold)
            right.update(fact.kind for fact in one.facts)
            right.subtract(fact.kind for fact in one.wrong)
            found.update(fact.kind for fact in one.gold)
            found.subtract(fact.kind for fact in one.missed)
        kinds = [kind for kind, _ in (store + gold).most_common()]
        return {
            kind: Counts(facts=store[kind], right=right[kind], gold=gold[kind], found=found[kind]) for kind in kinds
        }


def compare(store: Iterable[Annotation], gold: Iterable[Annotation]) -> Comparison:
    """Match the facts of every problem that both have. Both are held in memory."""
    ours = {annotation.id: annotation for annotation in store}
    theirs = {annotation.id: annotation for annotation in gold}
    comparison = Comparison()
    comparison.only_store = [one for one in ours if one not in theirs]
    comparison.only_gold = [one for one in theirs if one not in ours]
    comparison.problems = [_problem(annotation, theirs[one]) for one, annotation in ours.items() if one in theirs]
    return comparison


def total(kinds: Mapping[str, Counts]) -> Counts:
    """Of all kinds together."""
    names = Counts.model_fields
    return Counts(**{name: sum(getattr(counts, name) for counts in kinds.values()) for name in names})


def lines(kinds: Mapping[str, Counts]) -> Iterator[str]:
    """A table for people: a kind a line, and all of them first."""
    width = max(map(len, (*kinds, "all kinds")))
    yield f"{'':{width}} {'facts':>8} {'gold':>8} {'precision':>10} {'recall':>8}"
    for kind, counts in {"all kinds": total(kinds), **kinds}.items():
        shares = (f"{share:.3f}" if share is not None else "–" for share in (counts.precision, counts.recall))
        yield "{} {:8} {:8} {:>10} {:>8}".format(f"{kind:{width}}", counts.facts, counts.gold, *shares)


def _problem(store: Annotation, gold: Annotation) -> Problem:
    ours, theirs = _present(store), _present(gold)
    read = {text: statement_of(text) for text in {fact.text for fact in (*ours, *theirs)}}
    drawn, lines = (Collinear(one for fact in side if (one := read[fact.text])) for side in (ours, theirs))

    def key(fact: Fact) -> object:
        statement = read[fact.text]
        return lines.key(statement) if statement is not None else _plain(fact.text)

    # Of facts that say the same the first one counts.
    facts, standard = ({key(fact): fact for fact in reversed(side)} for side in (ours, theirs))
    return Problem(
        store.id,
        tuple(facts.values()),
        tuple(standard.values()),
        tuple(fact for one, fact in facts.items() if one not in standard and not _lies(read[fact.text], lines)),
        tuple(fact for one, fact in standard.items() if one not in facts and not _lies(read[fact.text], drawn)),
        *(_points(read[fact.text] for fact in side) for side in (ours, theirs)),
    )


def _lies(statement: Statement | None, lines: Collinear) -> bool:
    """Whether a point's place on a line follows from `lines`: where A, B, C and D are on one, B lies on AC and AD."""
    if statement is None or statement.kind != "on_line":
        return False
    point, line = statement.figures
    return point.points[0] in lines.line(line)


def _points(statements: Iterable[Statement | None]) -> frozenset[str]:
    figures = (figure for statement in statements if statement is not None for figure in statement.figures)
    return frozenset(point for figure in figures for point in figure.points)


def _present(annotation: Annotation) -> list[Fact]:
    return [fact for fact in annotation.facts if fact.polarity == "present"]


def _plain(text: str) -> str:
    return " ".join(text.split()).rstrip(".").casefold()
