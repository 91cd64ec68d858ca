"""Softmax regression on a few features, fitted on some problems and read on others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from folds import FOLDS, folds
from measures import LABELS
from numpy.typing import NDArray

from perception_reward.trainer_client.wire import Label

# Weight of the penalty on every coefficient: with some 150 examples little is to be had from a free fit.
RIDGE = 3.0
_STEPS = 2000
_RATE = 0.5

Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Example:
    problem: str
    features: tuple[float, ...]
    label: Label


def cross_fitted(examples: Sequence[Example], seed: int = 0) -> list[Numbers]:
    """For each example the probabilities in the order of `LABELS`, by a fit on the other folds' problems."""
    fold = folds((example.problem for example in examples), seed)
    found: dict[int, Numbers] = {}
    for number in range(FOLDS):
        inside = [at for at, example in enumerate(examples) if fold[example.problem] == number]
        rest = [example for example in examples if fold[example.problem] != number]
        found |= dict(zip(inside, fitted(rest, [examples[at] for at in inside]), strict=True))
    return [found[at] for at in range(len(examples))]


def fitted(known: Sequence[Example], asked: Sequence[Example]) -> list[Numbers]:
    """The probabilities for `asked` by a fit on `known`."""
    weights = _weights(_design(known), np.eye(len(LABELS))[[LABELS.index(example.label) for example in known]])
    return list(_softmax(_design(asked) @ weights))


def _design(examples: Sequence[Example]) -> Numbers:
    return np.array([(*example.features, 1.0) for example in examples], dtype=np.float64)


def _weights(design: Numbers, right: Numbers) -> Numbers:
    weights = np.zeros((design.shape[1], right.shape[1]))
    rate = _RATE / max(1.0, float((design**2).sum(axis=1).mean()))
    for _ in range(_STEPS):
        slope = design.T @ (_softmax(design @ weights) - right) + RIDGE * weights
        weights -= rate * slope / len(design)
    return weights


def _softmax(odds: Numbers) -> Numbers:
    powers = np.exp(odds - odds.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)
