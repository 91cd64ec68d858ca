"""What each operation of a formula does to values: exactly, or to many digits; each bounded before it is done."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from fractions import Fraction
from typing import Any, TypeAlias

AGREEING = 35
"""Digits in which two values must agree to be one."""

MOST_BITS = 4096
"""Of an exact numerator or denominator."""

LARGEST_MAGNITUDE = 100_000
"""Decimal digits before or behind the point of a value."""

LARGEST_FACTORIAL = 20_000

Value: TypeAlias = Any  # mpmath has no types


class NoValue(ArithmeticError):
    """Undefined, infinite, or beyond what is evaluated."""


def is_real(value: Value) -> bool:
    return not value.imag or bool(abs(value.imag) <= abs(value) * 10.0**-AGREEING)


def finite(value: Value, context: Any) -> Value:
    if not context.isfinite(value):
        raise NoValue
    return value


def _magnitude(value: Value, context: Any) -> float:
    """Decimal digits before the point, or, negative, zeros behind it."""
    return float(context.mag(value)) * 0.30103 if value else -math.inf


def _power(context: Any, base: Value, exponent: Value) -> Value:
    if not base:
        if exponent.real <= 0:
            raise NoValue
        return base
    if _magnitude(exponent, context) > 9:
        raise NoValue
    if abs(float(context.mag(base)) * 0.30103) * max(1.0, abs(float(exponent.real))) > LARGEST_MAGNITUDE:
        raise NoValue
    if context.isint(exponent):
        return base ** int(exponent.real)
    return context.power(base, exponent)


def _none() -> Value:
    raise NoValue


def _root(context: Any, radicand: Value, index: Value) -> Value:
    if context.isint(index) and int(index.real) % 2 and is_real(radicand) and radicand.real < 0:
        return -context.root(-radicand.real, int(index.real)) if 0 < index.real < 1000 else _none()
    return _power(context, radicand, 1 / index)


def _factorial(context: Any, number: Value) -> Value:
    if not is_real(number) or not -1 < number.real <= LARGEST_FACTORIAL:
        raise NoValue
    return context.factorial(number)


def _binomial(context: Any, top: Value, bottom: Value) -> Value:
    if max(abs(top), abs(bottom)) > LARGEST_FACTORIAL:
        raise NoValue
    return context.binomial(top, bottom)


def _logarithm(context: Any, number: Value, base: Value | None = None) -> Value:
    if not number or (base is not None and base in (0, 1)):
        raise NoValue
    return context.log(number) / context.log(10 if base is None else base)


def _exponential(context: Any, exponent: Value) -> Value:
    return _power(context, +context.e, exponent)


def _trigonometric(name: str) -> Callable[..., Value]:
    def compute(context: Any, angle: Value) -> Value:
        if _magnitude(angle, context) > 12:
            raise NoValue
        return finite(getattr(context, name)(angle), context)

    return compute


def _whole(name: str) -> Callable[..., Value]:
    def compute(context: Any, *numbers: Value) -> Value:
        if not all(is_real(number) and abs(number) < 1e40 for number in numbers):
            raise NoValue
        if name in ("floor", "ceil"):
            return getattr(context, name)(numbers[0].real)
        if name in ("gcd", "lcm"):
            if not all(context.isint(number) for number in numbers):
                raise NoValue
            return context.mpf(getattr(math, name)(*(int(number.real) for number in numbers)))
        return (max if name == "max" else min)(number.real for number in numbers)

    return compute


def _quotient(_: Any, one: Value, other: Value) -> Value:
    if not other:
        raise NoValue
    return one / other


def _natural_logarithm(context: Any, number: Value) -> Value:
    if not number:
        raise NoValue
    return context.log(number)


def _square_root(context: Any, number: Value) -> Value:
    return context.sqrt(number)


def _degrees(context: Any, number: Value) -> Value:
    return number * context.pi / 180


def _hundredth(number: Any) -> Any:
    return number / 100


PLAIN: dict[str, Callable[..., Any]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "neg": operator.neg, "abs": operator.abs, "%": _hundredth,
}  # fmt: skip
"""For exact and for real values alike."""

OPERATIONS: dict[str, Callable[..., Value]] = {
    "/": _quotient,
    "degree": _degrees,
    "^": _power,
    "sqrt": _square_root,
    "root": _root,
    "!": _factorial,
    "binom": _binomial,
    "log": _logarithm,
    "lg": _logarithm,
    "ln": _natural_logarithm,
    "exp": _exponential,
    **{name: _trigonometric(name) for name in ("sin", "cos", "tan", "cot", "sec", "csc", "sinh", "cosh", "tanh")},
    **{name: _whole(name) for name in ("floor", "ceil", "max", "min", "gcd", "lcm")},
}
"""Of a context of mpmath and values in it."""

NAMED = {"arcsin": "asin", "arccos": "acos", "arctan": "atan"}
"""What mpmath calls the rest."""


def _exact_quotient(one: Fraction, other: Fraction) -> Fraction:
    return one / other


def _exact_power(base: Fraction, exponent: Fraction) -> Fraction | None:
    if exponent.denominator != 1 or (base == 0 and exponent <= 0):
        return None
    size = max(abs(base.numerator), base.denominator).bit_length()
    return base ** int(exponent) if size * abs(exponent.numerator) <= MOST_BITS else None


def _exact_root(number: Fraction, index: Fraction = Fraction(2)) -> Fraction | None:
    if index != 2 or number < 0:
        return None
    top, bottom = math.isqrt(number.numerator), math.isqrt(number.denominator)
    return Fraction(top, bottom) if top * top == number.numerator and bottom * bottom == number.denominator else None


def _exact_floor(number: Fraction) -> Fraction:
    return Fraction(math.floor(number))


def _exact_ceiling(number: Fraction) -> Fraction:
    return Fraction(math.ceil(number))


def _exact_factorial(number: Fraction) -> Fraction | None:
    return Fraction(math.factorial(int(number))) if number.denominator == 1 and 0 <= number <= 200 else None


EXACT: dict[str, Callable[..., Fraction | None]] = {
    "/": _exact_quotient, "^": _exact_power, "sqrt": _exact_root, "root": _exact_root, "!": _exact_factorial,
    "floor": _exact_floor, "ceil": _exact_ceiling, "max": max, "min": min,
}  # fmt: skip
"""Of fractions. None where the value is none, or too large to be written down."""
