"""Values in exact canonical form: `3x - 4` equals `-4+3x`, `2sqrt(3)` equals `sqrt(12)`, `(13)/(2)` equals `6.5`.

A value is a sum of terms `coefficient * sqrt(radicand) * variables`, with rational coefficients, square-free radicands
and integer powers; π counts as a variable. Two values are equal exactly when their canonical forms are. What this
form cannot hold (a quotient of sums, a root of an unknown) is no value here: `parse` returns None.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property, lru_cache
from typing import TypeAlias

from perception_reward.annotations.language.formulas import read_expression
from perception_reward.annotations.language.nodes import Node

# Bounds on what a response can make this module do. Labels in figures are far smaller.
_MAX_DIGITS = 12
_MAX_TERMS = 24
_MAX_POWER = 9
_MAX_RADICAND = 10**9

Powers: TypeAlias = "tuple[tuple[str, int], ...]"
Terms: TypeAlias = "dict[tuple[Powers, int], Fraction]"


# Frozen, and without slots: a value is compared with thousands, and what follows from it is found out once.
@dataclass(frozen=True)
class Value:
    """A number or an expression in variables, exact.

    decimals: how many decimals it was written with, where it was a plain decimal; it may then be a rounded one.
    """

    terms: tuple[tuple[tuple[Powers, int], Fraction], ...]
    decimals: int = 0

    @cached_property
    def variables(self) -> frozenset[str]:
        """The unknowns in it; π is none."""
        return frozenset(name for (powers, _), _ in self.terms for name, _ in powers if name != "π")

    @cached_property
    def number(self) -> float | None:
        """Its size, or None where it has unknowns or is out of a float's range."""
        if self.variables:
            return None
        try:
            return math.fsum(
                float(factor) * math.sqrt(radicand) * math.prod(math.pi**power for _, power in powers)
                for (powers, radicand), factor in self.terms
            )
        except OverflowError:
            return None

    def scaled(self, factor: Fraction) -> Value:
        """This value times a number, for changes of unit."""
        return Value(tuple((key, part * factor) for key, part in self.terms), self.decimals)


def same(one: Value, other: Value) -> bool:
    """Exact equality."""
    return one.terms == other.terms


def close(one: Value, other: Value) -> bool:
    """Whether one is the other rounded to the decimals it is written with (one at least)."""
    left, right = one.number, other.number
    if left is None or right is None:
        return False
    decimals = max(one.decimals, other.decimals)
    return decimals > 0 and abs(left - right) <= 0.5000001 * 10.0**-decimals


@lru_cache(maxsize=8192)
def parse(text: str) -> Value | None:
    """The value that a plain expression denotes, or None where it is not one that can be held exactly."""
    node = read_expression(text)
    value = None if node is None else value_of(node)
    plain = re.fullmatch(r"\s*-?[\d,]*\.(\d+)\s*", text)
    return replace(value, decimals=len(plain[1])) if plain and value else value


def value_of(node: Node) -> Value | None:
    """The value of an expression that was read, or None."""
    try:
        return _value(_terms(node))
    except (_Unreadable, ZeroDivisionError, OverflowError):
        return None


def less(one: Value, other: Value) -> Value | None:
    """`one - other`; None where it has more terms than can be held."""
    try:
        return _value(_add(dict(one.terms), dict(other.terms), -1))
    except _Unreadable:
        return None


def _value(terms: Terms) -> Value:
    return Value(tuple(sorted((key, factor) for key, factor in terms.items() if factor)))


class _Unreadable(Exception):
    """The expression leaves what the canonical form holds, or the bounds."""


def _terms(node: Node) -> Terms:
    match node.op:
        case "number":
            if len(node.written) > _MAX_DIGITS:
                raise _Unreadable
            return _constant(node.value)
        case "symbol" | "e" | "i":
            name = node.name or node.op
            if not name.islower() or not name.isalpha():  # AB is a segment
                raise _Unreadable
            return {(((name, 1),), 1): Fraction(1)}
        case "pi":
            return {((("π", 1),), 1): Fraction(1)}
        case "neg":
            return _add({}, _terms(node.parts[0]), -1)
        case "sqrt":
            return _root(_terms(node.parts[0]))
        case "+" | "-" | "*" | "/" | "^":
            one, other = map(_terms, node.parts)
            return _OPERATIONS[node.op](one, other)
        case _:
            raise _Unreadable


def _constant(number: Fraction) -> Terms:
    return {((), 1): number}


def _add(one: Terms, other: Terms, sign: int) -> Terms:
    total = dict(one)
    for key, factor in other.items():
        total[key] = total.get(key, Fraction(0)) + sign * factor
    if len(total) > _MAX_TERMS:
        raise _Unreadable
    return total


def _multiply(one: Terms, other: Terms) -> Terms:
    if len(one) * len(other) > _MAX_TERMS:
        raise _Unreadable
    total: Terms = {}
    for (powers, radicand), factor in one.items():
        for (others, second), times in other.items():
            square, rest = _square_part(radicand * second)
            key = (_merge(powers, others), rest)
            total[key] = total.get(key, Fraction(0)) + factor * times * square
    for factor in total.values():
        if factor.numerator.bit_length() + factor.denominator.bit_length() > 256:
            raise _Unreadable
    return total


def _merge(one: Powers, other: Powers) -> Powers:
    powers = dict(one)
    for name, power in other:
        powers[name] = powers.get(name, 0) + power
    return tuple(sorted((name, power) for name, power in powers.items() if power))


def _inverse(terms: Terms) -> Terms:
    terms = {key: factor for key, factor in terms.items() if factor}
    if len(terms) != 1:
        raise _Unreadable
    (((powers, radicand), factor),) = terms.items()
    return {(tuple((name, -power) for name, power in powers), radicand): 1 / (factor * radicand)}


def _raise(base: Terms, power: Terms) -> Terms:
    exponent = power.get(((), 1), Fraction(0)) if len(power) == 1 else None
    if exponent == Fraction(1, 2):
        return _root(base)
    if exponent is None or exponent.denominator != 1 or abs(exponent) > _MAX_POWER:
        raise _Unreadable
    result = _constant(Fraction(1))
    for _ in range(abs(int(exponent))):
        result = _multiply(result, base)
    return _inverse(result) if exponent < 0 else result


def _root(terms: Terms) -> Terms:
    if len(terms) != 1 or ((), 1) not in terms:
        raise _Unreadable
    number = terms[((), 1)]
    if number < 0 or number.numerator * number.denominator > _MAX_RADICAND:
        raise _Unreadable
    square, rest = _square_part(number.numerator * number.denominator)
    return {((), rest): Fraction(square, number.denominator)}


@lru_cache(maxsize=4096)
def _square_part(number: int) -> tuple[int, int]:
    """(a, b) with number = a² * b and b square-free as far as prime factors below 1000 go."""
    if number > _MAX_RADICAND:
        raise _Unreadable
    if number < 2:
        return (1, number) if number else (0, 1)
    whole = math.isqrt(number)
    if whole * whole == number:
        return whole, 1
    square, rest, prime = 1, number, 2
    while prime * prime <= rest and prime < 1000:
        while rest % (prime * prime) == 0:
            rest //= prime * prime
            square *= prime
        prime += 1
    whole = math.isqrt(rest)
    return (square * whole, 1) if whole * whole == rest else (square, rest)


_OPERATIONS: dict[str, Callable[[Terms, Terms], Terms]] = {
    "+": lambda one, other: _add(one, other, 1),
    "-": lambda one, other: _add(one, other, -1),
    "*": _multiply,
    "/": lambda one, other: _multiply(one, _inverse(other)),
    "^": _raise,
}
