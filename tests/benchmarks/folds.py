"""Which part of the data a problem belongs to, where one part is read by what was learnt on the others."""

from __future__ import annotations

import random
from collections.abc import Iterable

FOLDS = 5


def folds(problems: Iterable[str], seed: int) -> dict[str, int]:
    """Each problem's fold, in [0, FOLDS): as many problems in each as possible, the same whatever their order."""
    names = sorted(set(problems))
    random.Random(seed).shuffle(names)
    return {name: at % FOLDS for at, name in enumerate(names)}
