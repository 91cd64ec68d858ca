"""False neighbours of true facts: what a careless look at the same diagram would say.

| of | a distractor |
|---|---|
| a length, angle, arc, … | the number that another element of the kind carries, else a number near its own |
| perpendicular lines | the right angle at another corner of the triangle; parallel, where they do not meet in a point |
| parallel lines | that they are perpendicular |
| a point on a line | that it lies on another line through one of the ends |
| equal elements | that one of them equals an element of another size |
| a label in an angle | the label of another angle |

Each contradicts a stored fact outright, so it is false whatever else the diagram shows: an expression is only replaced
by one that differs by a constant, since `AB = 2x + 1` and `AB = 7` may both hold. Facts in other words than those of
`english` are left alone.
"""

from __future__ import annotations

import random
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TypeVar

from perception_reward.annotations.collinear import Collinear
from perception_reward.annotations.english import read_sentence, sentence
from perception_reward.annotations.language.quantities import Quantity, QuantityError, read_quantity
from perception_reward.annotations.model import Annotation
from perception_reward.annotations.statements import Figure, Statement
from perception_reward.trainer_client.wire import Fact

T = TypeVar("T")

# Distractors of one annotation: enough that naming all values does not pay, few enough to judge.
MOST, MOST_OF_ONE = 4, 2
# A judge takes rounded numbers for the same, so a false one is further off than that.
LEAST_SHARE, LEAST_STEP = 0.05, 1.0
_FULL_TURN = {"arc": 360.0, "angle": 360.0}
_LARGEST = {"arc": 360.0, "angle": 180.0}
_TRIES = 8
_OURS = re.compile(r"(.+)-d\d+", re.DOTALL)


def with_distractors(annotation: Annotation, *, most: int = MOST, seed: int = 0) -> Annotation:
    """The annotation with up to `most` distractors, those that it had included.

    The same seed gives an annotation the same distractors, whatever stands beside it in the file.
    """
    added = _drawn(annotation, _Diagram(annotation.facts), most, random.Random(f"{seed}/{annotation.id}"))
    return annotation.model_copy(update={"facts": [*annotation.facts, *added]}) if added else annotation


def base_id(fact: Fact) -> str | None:
    """The id of the fact that a distractor of ours is a false neighbour of; None for any other fact."""
    match = _OURS.fullmatch(fact.id) if fact.polarity == "distractor" else None
    return match[1] if match else None


def _drawn(annotation: Annotation, diagram: _Diagram, most: int, rng: random.Random) -> list[Fact]:
    """New distractors: one of each fact first, those that a reader would more likely fall for before the others."""
    room = most - sum(fact.polarity == "distractor" for fact in annotation.facts)
    taken = {fact.id for fact in annotation.facts}
    said = {diagram.key(statement) for statement in diagram.all_said}
    bases = list(diagram.present)
    rng.shuffle(bases)
    queues = [(fact, diagram.false_neighbours(statement, rng)) for fact, statement in bases]
    added: list[Fact] = []
    for fact, neighbours in queues * MOST_OF_ONE:
        found = next((one for one in neighbours if diagram.key(one) not in said), None)
        if found is not None and len(added) < room:
            said.add(diagram.key(found))
            added.append(_fact(fact, found, taken))
    return added


def _fact(base: Fact, statement: Statement, taken: set[str]) -> Fact:
    """A distractor of `base`, with its weight and origin and an id of its own."""
    number = 1
    while (name := f"{base.id}-d{number}") in taken:
        number += 1
    taken.add(name)
    return base.model_copy(
        update={
            "id": name,
            "text": sentence(statement),
            "kind": statement.kind,
            "polarity": "distractor",
            "confidence": None,
        }
    )


class _Diagram:
    """What an annotation's present facts say of its diagram."""

    def __init__(self, facts: Sequence[Fact]) -> None:
        read = [(fact, read_sentence(fact.text)) for fact in facts]
        self.present = [(fact, one) for fact, one in read if one is not None and fact.polarity == "present"]
        self.all_said = [one for _, one in read if one is not None]
        true = [statement for _, statement in self.present]
        self._lines = Collinear(true)
        self._valued = [statement for statement in true if statement.quantity is not None]
        self._labels = [statement for statement in true if statement.kind == "label"]
        self._values: dict[tuple[object, ...], list[Quantity]] = defaultdict(list)
        self._equals = [statement for statement in true if statement.kind.startswith("equal_")]
        for statement in self._valued:
            assert statement.quantity is not None
            self._values[self._element(statement.kind, statement.figures[0])].append(statement.quantity)
        self._corners = {corner for statement in true if (corner := _corner(statement))}
        self._named = {frozenset(pair) for statement in true for pair in _sides(statement)}

    def key(self, statement: Statement) -> tuple[object, ...]:
        """Equal for statements that say the same of this diagram."""
        return self._lines.key(statement)

    def _element(self, kind: str, figure: Figure) -> tuple[object, ...]:
        return self.key(Statement(kind, (figure,)))

    def values(self, kind: str, figure: Figure) -> list[Quantity]:
        """What the facts say an element measures, by itself or through elements that it equals."""
        seen = {self._element(kind, figure)}
        found = list(self._values[self._element(kind, figure)])
        waiting = [figure]
        while waiting:
            at = self._element(kind, waiting.pop())
            for statement in self._equals:
                ends = [self._element(kind, end) for end in statement.figures]
                if statement.kind != f"equal_{kind}" or at not in ends:
                    continue
                for end, twin in zip(ends, statement.figures, strict=True):
                    if end not in seen:
                        seen.add(end)
                        found += self._values[end]
                        waiting.append(twin)
        return found

    def false_neighbours(self, statement: Statement, rng: random.Random) -> Iterator[Statement]:
        """Statements that contradict `statement` or another fact, the likelier mistakes first."""
        if statement.quantity is not None:
            return self._other_values(statement, statement.quantity, rng)
        if statement.kind.startswith("equal_"):
            return self._unequal(statement, rng)
        turns = {
            "perpendicular": self._no_corners,
            "parallel": self._crossed,
            "on_line": self._off_line,
            "label": self._other_labels,
        }
        turn = turns.get(statement.kind)
        return iter(_shuffled(turn(statement), rng)) if turn else iter(())

    def _other_values(self, statement: Statement, quantity: Quantity, rng: random.Random) -> Iterator[Statement]:
        figure, kind = statement.figures[0], statement.kind
        known = self.values(kind, figure)
        others = [one.quantity for one in self._valued if one.kind == kind and one.quantity is not None]
        for other in (*_shuffled(others, rng), *_near(quantity, kind, rng)):
            if surely_differ(quantity, other, kind) and not any(_same(other, value) for value in known):
                yield replace(statement, quantity=other)

    def _unequal(self, statement: Statement, rng: random.Random) -> Iterator[Statement]:
        """One side of an equation beside an element that is known to be of another size."""
        kind = statement.kind.removeprefix("equal_")
        for kept in _shuffled(statement.figures, rng):
            mine = self.values(kind, kept)
            for other in _shuffled(self._valued, rng):
                theirs = self.values(kind, other.figures[0]) if other.kind == kind else []
                if any(surely_differ(one, another, kind) for one in mine for another in theirs):
                    yield replace(statement, figures=(kept, other.figures[0]))

    def _no_corners(self, statement: Statement) -> Iterator[Statement]:
        """A triangle has one right angle; lines at right angles are not parallel."""
        one, other = statement.figures
        shared = set(one.points) & set(other.points)
        if not self._lines.line(one) & self._lines.line(other):
            yield replace(statement, kind="parallel")
            return
        ends = [point for point in (*one.points, *other.points) if point not in shared]
        if len(shared) == 1 and frozenset(ends) in self._named:
            third = Figure("segment", tuple(ends))
            yield replace(statement, figures=(one, third))
            yield replace(statement, figures=(other, third))

    @staticmethod
    def _crossed(statement: Statement) -> Iterator[Statement]:
        yield replace(statement, kind="perpendicular")

    def _off_line(self, statement: Statement) -> Iterator[Statement]:
        """D on AB is not on AC where A, B and C are the corners of an angle: two lines share one point."""
        point, line = statement.figures
        for corner in self._corners:
            if set(line.points) < corner and point.points[0] not in corner:
                (third,) = corner - set(line.points)
                for end in line.points:
                    if frozenset((end, third)) in self._named:
                        yield replace(statement, figures=(point, Figure("segment", (end, third))))

    def _other_labels(self, statement: Statement) -> Iterator[Statement]:
        angle, label = statement.figures
        mine = self._element("angle", angle)
        for other in self._labels:
            if other.figures[1] != label and self._element("angle", other.figures[0]) != mine:
                yield replace(statement, figures=(angle, other.figures[1]))


def _corner(statement: Statement) -> frozenset[str]:
    """The three points of a corner that is no straight line; none where the statement is about no such corner."""
    if statement.kind == "angle" and statement.figures[0].sort == "angle" and statement.quantity is not None:
        size = statement.quantity.number
        return frozenset(statement.figures[0].points) if size is not None and 0 < size < 180 else frozenset()
    if statement.kind == "perpendicular":
        points = frozenset(point for figure in statement.figures for point in figure.points)
        return points if len(points) == 3 else frozenset()
    return frozenset()


def _sides(statement: Statement) -> Iterator[tuple[str, str]]:
    """The pairs of points between which the statement says that a line is drawn."""
    for figure in statement.figures:
        if figure.sort in ("segment", "angle"):
            yield from zip(figure.points, figure.points[1:], strict=False)


def surely_differ(one: Quantity, other: Quantity, kind: str) -> bool:
    """Whether two quantities of a kind can never be one, whatever their letters stand for, nor by rounding.

    Of an arc or angle the rest of the full turn has the same name, and so is no other value.
    """
    left, right = one.number, other.number
    if left is not None and right is not None:
        turn = _FULL_TURN.get(kind)
        if turn is not None and abs(left + right - turn) < LEAST_STEP:
            return False
        return abs(left - right) > LEAST_SHARE * max(abs(left), abs(right))
    if left is not None or right is not None or _letters(one) != _letters(other):
        return False
    gap = one.constant_gap(other)
    return gap is not None and abs(gap) >= LEAST_STEP


def _same(one: Quantity, other: Quantity) -> bool:
    return one.key == other.key


def _letters(quantity: Quantity) -> set[str]:
    return set(re.findall("[A-Za-z]", str(quantity)))


def _near(quantity: Quantity, kind: str, rng: random.Random) -> Iterator[Quantity]:
    """Quantities that differ in one number, by a little."""
    text = str(quantity)
    # Exponents and what stands under a root or a fraction are no amounts to misread by a little.
    places = list(re.finditer(r"(?<![\d.√/(])\d+(?![\d.]|/)", text))
    for _ in range(_TRIES if places else 0):
        match = rng.choice(places)
        step = rng.choice((-3, -2, -1, 1, 2, 3)) * (10 if int(match[0]) >= 40 else 1)
        changed = int(match[0]) + step
        if changed < 1:
            continue
        try:
            found = read_quantity(f"{text[: match.start()]}{changed}{text[match.end() :]}")
        except QuantityError:
            continue
        size = found.number
        if size is None or 0 < size < _LARGEST.get(kind, float("inf")):
            yield found


def _shuffled(values: Iterable[T], rng: random.Random) -> list[T]:
    listed = list(values)
    rng.shuffle(listed)
    return listed
