r"""What a formula is worth: exactly where it is rational, else to 60 digits at chosen points.

    exact(read_formula("4 \cdot 3!"))                                                # Fraction(24)
    same_value(read_formula("x^2+2x+1"), read_formula("(x+1)^2"))                    # True
    same_value(read_formula("e^{-45}"), read_formula("e^{-40}"))                     # False, however small both are

Two formulas with unknowns are equal if they are so wherever both are real among points that nobody can guess an
exception for. Every operation is bounded before it is done, so that a formula costs milliseconds at most and cannot
hang: what is too large to write down (`9^{9^9}`, `10^9!`) has no value here.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from functools import lru_cache
from hashlib import blake2b
from importlib import import_module
from typing import Any, TypeAlias

from perception_reward.annotations.language.nodes import Node, symbols_of
from perception_reward.service.rewards.answers.operations import (
    AGREEING,
    EXACT,
    MOST_BITS,
    NAMED,
    OPERATIONS,
    PLAIN,
    NoValue,
    Value,
    finite,
    is_real,
)

PRECISION = 60
"""Decimal digits. More than any cancellation in a written answer costs."""

POINTS = 8
ENOUGH_POINTS = 3

Values: TypeAlias = Mapping[str, Value]


def exact(node: Node) -> Fraction | None:
    """The value where it is rational by plain arithmetic; None where it takes more, or there is none."""
    if node.op == "number":
        return node.value
    rule = PLAIN.get(node.op) or EXACT.get(node.op)
    if rule is None:
        return None
    parts: list[Fraction] = []
    for part in node.parts:
        value = exact(part)
        if value is None:
            return None
        parts.append(value)
    try:
        found = rule(*parts)
    except (ArithmeticError, ValueError, TypeError):
        return None
    if found is None or max(abs(found.numerator), found.denominator).bit_length() > MOST_BITS:
        return None
    return found


def same_value(one: Node, other: Node) -> bool:
    """Whether both are worth the same, whatever their unknowns stand for. False where either has no value."""
    first, second = exact(one), exact(other)
    if first is not None and second is not None:
        return first == second
    names = symbols_of(one) | symbols_of(other)
    if names:
        return _same_everywhere(one, other, names)
    try:
        mine, theirs = value_of(one), value_of(other)
    except NoValue:
        return False
    if first == 0 or second == 0:
        return _is_zero(one) and _is_zero(other)
    return _close(mine, theirs)


def ratio_of(one: Node, other: Node) -> Value | None:
    """What `one` is in terms of `other`, where that is the same for all points: -2 for `6-2x` and `x-3`. Else None."""
    names = symbols_of(one) | symbols_of(other)
    found: Value | None = None
    seen = 0
    for point in _points(names):
        try:
            mine, theirs = value_of(one, point), value_of(other, point)
        except NoValue:
            continue
        if not theirs or not mine:
            return None
        ratio = mine / theirs
        if found is not None and not _close(ratio, found):
            return None
        found, seen = ratio, seen + 1
    return found if seen >= ENOUGH_POINTS else None


def real_value(node: Node) -> Value | None:
    """Its real value as an mpmath number; None where it has unknowns, no value, or none that is real."""
    try:
        value = value_of(node)
    except NoValue:
        return None
    return value if is_real(value) else None


def value_of(node: Node, values: Values | None = None, precision: int = PRECISION) -> Value:
    """Its value where the unknowns have the given ones. Raises `NoValue`."""
    context = _context(precision)
    try:
        value = _evaluated(node, values or {}, context)
    except NoValue:
        raise
    except (ArithmeticError, ValueError, TypeError, RecursionError, MemoryError) as error:
        raise NoValue from error
    if not context.isfinite(value):
        raise NoValue
    return value


@lru_cache(maxsize=4)
def _context(precision: int) -> Any:
    """An own one, so that nobody else's precision is changed."""
    context = import_module("mpmath").MPContext()
    context.dps = precision
    return context


def _same_everywhere(one: Node, other: Node, names: frozenset[str]) -> bool:
    imaginary = _holds_imaginary(one) or _holds_imaginary(other)
    seen = 0
    for point in _points(names):
        try:
            mine, theirs = value_of(one, point), value_of(other, point)
        except NoValue:
            continue
        if not imaginary and not (is_real(mine) and is_real(theirs)):
            continue
        if not _close(mine, theirs) and not (_tiny(mine) and _tiny(theirs)):
            return False
        seen += 1
    return seen >= ENOUGH_POINTS


@lru_cache(maxsize=256)
def _points(names: frozenset[str]) -> tuple[Values, ...]:
    """Half of them positive, half of mixed signs. The same each time, so that a grade is."""
    context = _context(PRECISION)
    points: list[Values] = []
    for place in range(POINTS):
        point: dict[str, Value] = {}
        for name in names:
            number = int.from_bytes(blake2b(f"{place}:{name}".encode(), digest_size=6).digest(), "big")
            value = (context.mpf(number) / 2**48) * 3 + context.mpf(1) / 7
            point[name] = -value if place % 2 and number & 1 else value
        points.append(point)
    return tuple(points)


def _close(one: Value, other: Value) -> bool:
    return bool(abs(one - other) <= max(abs(one), abs(other)) * _context(PRECISION).mpf(10) ** -AGREEING)


def _tiny(value: Value) -> bool:
    return bool(abs(value) < _context(PRECISION).mpf(10) ** -(PRECISION - 8))


def _is_zero(node: Node) -> bool:
    """Whether it is smaller the more exactly one looks: `\\sqrt{8}-2\\sqrt{2}` is 0, `2^{-400}` is not."""
    coarse, fine = value_of(node), value_of(node, None, 2 * PRECISION)
    return not fine or bool(abs(fine) < abs(coarse) * _context(PRECISION).mpf(10) ** -(PRECISION // 2))


def _holds_imaginary(node: Node) -> bool:
    return node.op == "i" or any(map(_holds_imaginary, node.parts))


def _evaluated(node: Node, values: Values, context: Any) -> Value:
    if node.op == "number":
        return context.mpf(node.value.numerator) / node.value.denominator
    if node.op == "symbol":
        if node.name not in values:
            raise NoValue
        return values[node.name]
    constant = {"pi": context.pi, "e": context.e, "i": context.j}.get(node.op)
    if constant is not None:
        return +constant
    parts = [_evaluated(part, values, context) for part in node.parts]
    if node.op in PLAIN:
        return PLAIN[node.op](*parts)
    if node.op in OPERATIONS:
        return OPERATIONS[node.op](context, *parts)
    if node.op in NAMED:
        return finite(getattr(context, NAMED[node.op])(*parts), context)
    raise NoValue
