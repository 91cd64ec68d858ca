"""Whether two quantities are the same: exactly, as a rounded decimal says, within a tolerance, in another unit."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from perception_reward.annotations.language.literals import DOUBLE_DIGITS, MANY_DIGITS
from perception_reward.annotations.language.nodes import Node, branches
from perception_reward.annotations.language.units import DEGREE, PERCENT, TEMPERATURES, Unit, read_unit
from perception_reward.service.rewards.answers import evaluation
from perception_reward.service.rewards.answers.quantities import Quantity
from perception_reward.service.rewards.answers.structures import same_unordered


class NeedsAlgebra(Exception):
    """Rational arithmetic cannot decide."""


@dataclass(frozen=True, slots=True)
class Amounts:
    """tolerance: how far a number may be off, relative to the reference. algebra: whether values may be computed that
    are not rational; else `NeedsAlgebra` is raised where it comes to that."""

    tolerance: float = 0.0
    algebra: bool = True

    def equal(self, mine: Quantity, theirs: Quantity) -> bool:
        return self.same(mine, theirs) or self.same(theirs, mine)

    def rounds(self, mine: Quantity, theirs: Quantity) -> bool:
        """Whether the second is the first rounded, or cut off, at its last digit."""
        scale = _scale(theirs.unit, mine.unit)
        if scale is None:
            return False
        if self.equal(mine, theirs):
            return True
        if theirs.literal is None:
            return False
        step = (theirs.literal.step or Fraction(1)) * scale
        return self._within(mine.node, theirs.node, scale, abs(step) * Fraction(999, 1000))

    def same(self, mine: Quantity, theirs: Quantity) -> bool:
        scale = _scale(theirs.unit, mine.unit)
        if scale is None:
            return self._radians(mine, theirs)
        if self._same_amount(mine, theirs, scale):
            return True
        if mine.unit == PERCENT and theirs.unit is None:
            return self._same_amount(mine, theirs, Fraction(100))
        if theirs.unit == PERCENT and mine.unit is None:
            return self._same_amount(mine, theirs, Fraction(1, 100))
        return self._radians(mine, theirs)

    def _radians(self, mine: Quantity, theirs: Quantity) -> bool:
        """`30^\\circ` and `\\frac{\\pi}{6}`."""
        units = [quantity.unit for quantity in (mine, theirs)]
        if DEGREE not in units or not any(_holds_pi(quantity.node) for quantity in (mine, theirs)):
            return False
        one, other = (Node("degree", (q.node,)) if q.unit == DEGREE else q.node for q in (mine, theirs))
        return all(unit in (None, DEGREE, read_unit("rad")) for unit in units) and self.same_value(one, other)

    def _same_amount(self, mine: Quantity, theirs: Quantity, scale: Fraction) -> bool:
        """scale: what one of the reference's unit is in the answer's."""
        own, others = branches(mine.node), branches(theirs.node)
        if len(own) != len(others):
            return False
        if len(own) == 2:
            wanted = tuple(_scaled(node, scale) for node in others)
            return same_unordered(own, wanted, self.same_value)
        wanted = _scaled(theirs.node, scale)
        if self.same_value(mine.node, wanted):
            return True
        literal = theirs.literal
        if (
            literal is not None
            and literal.step is not None
            and self._within(mine.node, theirs.node, scale, abs(literal.step * scale) / 2)
        ):
            return True
        digits = mine.literal
        if digits is not None and digits.step is not None and digits.digits >= MANY_DIGITS:
            # All digits of a double: its last ones are noise.
            units = 4 if digits.digits >= DOUBLE_DIGITS else 1
            if self._within(mine.node, wanted, Fraction(1), digits.step * units * Fraction(999, 1000)):
                return True
        return bool(self.tolerance) and self._near(mine.node, wanted, Fraction(self.tolerance))

    def same_value(self, one: Node, other: Node) -> bool:
        first, second = evaluation.exact(one), evaluation.exact(other)
        if first is not None and second is not None:
            return first == second
        self.require_algebra()
        return evaluation.same_value(one, other)

    def _within(self, mine: Node, theirs: Node, scale: Fraction, most: Fraction) -> bool:
        """Whether the values differ by at most so much."""
        first, second = evaluation.exact(mine), evaluation.exact(theirs)
        if first is not None and second is not None:
            return abs(first - second * scale) <= most
        self.require_algebra()
        one, other = evaluation.real_value(mine), evaluation.real_value(_scaled(theirs, scale))
        return (
            one is not None
            and other is not None
            and bool(abs(one.real - other.real) * most.denominator <= most.numerator)
        )

    def _near(self, mine: Node, wanted: Node, share: Fraction) -> bool:
        """Whether the first is off by at most this share of the second."""
        first, second = evaluation.exact(mine), evaluation.exact(wanted)
        if first is not None and second is not None:
            return abs(first - second) <= abs(second) * share
        self.require_algebra()
        one, other = evaluation.real_value(mine), evaluation.real_value(wanted)
        if one is None or other is None:
            return False
        return bool(abs(one.real - other.real) * share.denominator <= abs(other.real) * share.numerator)

    def require_algebra(self) -> None:
        if not self.algebra:
            raise NeedsAlgebra


def _holds_pi(node: Node) -> bool:
    return node.op == "pi" or any(map(_holds_pi, node.parts))


def _scaled(node: Node, scale: Fraction) -> Node:
    return node if scale == 1 else Node("*", (node, Node("number", value=scale)))


def _scale(unit: Unit | None, into: Unit | None) -> Fraction | None:
    """What one `unit` is in `into`. 1 where a side names no unit: it may be understood. None: not comparable."""
    if unit is None or into is None or not unit.dimension or not into.dimension or {unit, into} in _ALIKE:
        return Fraction(1)
    if DEGREE in (unit, into) and any(one.dimension in TEMPERATURES for one in (unit, into)):
        return Fraction(1)
    return unit.factor / into.factor if unit.dimension == into.dimension else None


_ALIKE = [
    {read_unit(one), read_unit(other)}
    for one, other in (("£", "pound"), ("yuan", "yen"), ("C", "celsius"), ("F", "fahrenheit"))
]
"""Of one sign or name."""
