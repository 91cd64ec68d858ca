"""Values in exact canonical form: `3x - 4` equals `-4+3x`, `2sqrt(3)` equals `sqrt(12)`, `(13)/(2)` equals `6.5`.

A value is a sum of terms `coefficient * sqrt(radicand) * variables`, with rational coefficients, square-free radicands
and integer powers; π counts as a variable. Two values are equal exactly when their canonical forms are. What this
form cannot hold (a quotient of sums, a root of an unknown) is no value here: `parse` returns None.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, lru_cache
from typing import TypeAlias

# Bounds on what a response can make this module do. Labels in figures are far smaller.
_MAX_TEXT = 120
_MAX_DEPTH = 12
_MAX_DIGITS = 12
_MAX_TERMS = 24
_MAX_POWER = 6
_MAX_RADICAND = 10**9

Powers: TypeAlias = "tuple[tuple[str, int], ...]"
Terms: TypeAlias = "dict[tuple[Powers, int], Fraction]"

_TOKEN = re.compile(r"\s*(\d[\d,]*(?:\.\d+)?|\.\d+|sqrt|[a-zπθαβγφ]|[-+*/^()])")


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
    tokens = _tokens(text)
    if not tokens:
        return None
    reader = _Reader(tokens)
    try:
        terms = reader.sum(0)
    except (_Unreadable, ZeroDivisionError, OverflowError):
        return None
    if reader.position != len(tokens):
        return None
    plain = re.fullmatch(r"\s*-?[\d,]*\.(\d+)\s*", text)
    kept = {key: factor for key, factor in terms.items() if factor}
    return Value(tuple(sorted(kept.items())), len(plain.group(1)) if plain else 0)


def _tokens(text: str) -> list[str]:
    if len(text) > _MAX_TEXT:
        return []
    tokens: list[str] = []
    position, text = 0, text.rstrip()
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None or len(match.group(1)) > _MAX_DIGITS:
            return []
        tokens.append(match.group(1))
        position = match.end()
    return tokens


class _Unreadable(Exception):
    """The expression leaves what the canonical form holds, or the bounds."""


class _Reader:
    """A recursive-descent reader; the depth of recursion is bounded by `_MAX_DEPTH`."""

    def __init__(self, tokens: list[str]) -> None:
        self.tokens = tokens
        self.position = 0

    def peek(self) -> str:
        return self.tokens[self.position] if self.position < len(self.tokens) else ""

    def take(self) -> str:
        token = self.peek()
        self.position += 1
        return token

    def sum(self, depth: int) -> Terms:
        if depth > _MAX_DEPTH:
            raise _Unreadable
        total = self.product(depth)
        while self.peek() in ("+", "-"):
            sign = -1 if self.take() == "-" else 1
            total = _add(total, self.product(depth), sign)
        return total

    def product(self, depth: int) -> Terms:
        result = self.power(depth)
        while True:
            token = self.peek()
            if token == "*":
                self.take()
                result = _multiply(result, self.power(depth))
            elif token == "/":
                self.take()
                result = _multiply(result, _inverse(self.power(depth)))
            elif token and token not in "+-^)":
                result = _multiply(result, self.power(depth))
            else:
                return result

    def power(self, depth: int) -> Terms:
        negative = False
        while self.peek() in ("-", "+"):
            negative ^= self.take() == "-"
        base = self.atom(depth)
        if self.peek() == "^":
            self.take()
            base = _raise(base, self.exponent(depth))
        return _multiply(base, _constant(Fraction(-1))) if negative else base

    def exponent(self, depth: int) -> Terms:
        negative = self.peek() == "-"
        if negative:
            self.take()
        power = self.atom(depth)
        return _multiply(power, _constant(Fraction(-1))) if negative else power

    def atom(self, depth: int) -> Terms:
        token = self.take()
        if token == "(":
            inside = self.sum(depth + 1)
            if self.take() != ")":
                raise _Unreadable
            return inside
        if token == "sqrt":
            return _root(self.atom(depth))
        if token and (token[0].isdigit() or token[0] == "."):
            return _constant(Fraction(token.replace(",", "")))
        if len(token) == 1 and token.isalpha():
            return {(((token, 1),), 1): Fraction(1)}
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
