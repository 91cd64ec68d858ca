"""Shares of counted things, with Wilson's interval, also where several of them belong to one problem.

`library` brings what only comparing and planning need, scipy and statsmodels of the extra `[report]`.

>>> wilson(0.5, 10)
(0.23659309051256405, 0.763406909487436)
"""

from __future__ import annotations

import importlib
import math
from collections.abc import Sequence
from statistics import NormalDist
from typing import Any, Final

CONFIDENCE: Final = 0.95
# Standard deviations to either side of a normal mean that hold so much of it.
Z: Final = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)


def wilson(share: float, size: float) -> tuple[float, float]:
    """Wilson's interval (1927) of a share in [0, 1] seen in `size` (> 0, not necessarily whole) trials."""
    scale = 1 + Z * Z / size
    middle = (share + Z * Z / (2 * size)) / scale
    half = Z / scale * math.sqrt(share * (1 - share) / size + Z * Z / (4 * size * size))
    # Exact at the ends, where rounding would leave 1e-17.
    return (0.0 if share == 0 else max(0.0, middle - half)), (1.0 if share == 1 else min(1.0, middle + half))


def design_effect(hits: Sequence[bool], units: Sequence[object]) -> float:
    """By how much observations that belong to units are worth less than independent ones; at least 1.

    It is the variance of the share between units over that of independent observations (Saha, Miller and Wang 2016
    compare intervals on what it leaves). A share of 0 or 1 has no variance to tell it from, and counts as independent.
    """
    total, share = len(hits), sum(hits) / len(hits)
    residuals: dict[object, float] = {}
    for hit, unit in zip(hits, units, strict=True):
        residuals[unit] = residuals.get(unit, 0.0) + hit - share
    count = len(residuals)
    independent = share * (1 - share) / total
    if count < 2 or independent == 0:
        return 1.0
    between = count / (count - 1) * math.fsum(value * value for value in residuals.values()) / total**2
    return max(1.0, between / independent)


def library(name: str) -> Any:
    """The module, loaded when it is first needed. Raises `ImportError`, in a line that says what to install."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise ImportError(
            f"statistics need scipy and statsmodels (no module {error.name}): pip install 'perception-reward[report]'"
        ) from error
