"""From which certainty on the rules decide alone, by what sort of statement a fact is and what they say of it.

`thresholds.toml` is chosen on labelled data by `tests/benchmarks/cascade.py`, which says there on what and when.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Final, TypeAlias, get_args

import tomllib

from perception_reward.service.judges.base import Verdict
from perception_reward.service.judges.symbolic.kinds import KINDS
from perception_reward.trainer_client.wire import Label

PACKAGED: Final = "thresholds.toml"

# By kind and label, the least certainty that decides. What is not there is never decided by the rules.
Thresholds: TypeAlias = Mapping[str, Mapping[Label, float]]


def decides(thresholds: Thresholds, kind: str, verdict: Verdict) -> bool:
    """Whether a verdict of the rules about a fact of `kind` stands without asking a model.

    A settled one always does: a response that lists every value is not to be saved by a model that sees the right one.
    """
    least = thresholds.get(kind, {}).get(verdict.label)
    return verdict.settled or (least is not None and verdict.certainty >= least)


@cache
def packaged() -> Thresholds:
    """The thresholds that come with the package."""
    return read(resources.files(__package__ or "").joinpath(PACKAGED).read_text(encoding="utf-8"))


def read(text: str) -> Thresholds:
    """Thresholds from TOML, a table of labels for each kind. ValueError says which entry is wrong."""
    tables = tomllib.loads(text).get("kinds", {})
    labels: tuple[Label, ...] = get_args(Label)
    found: dict[str, Mapping[Label, float]] = {}
    for kind, table in tables.items():
        if kind not in KINDS:
            raise ValueError(f"thresholds for {kind!r}, which is no kind; there are {', '.join(sorted(KINDS))}")
        for label, least in table.items():
            if label not in labels or not isinstance(least, int | float) or not 0 <= least <= 1:
                raise ValueError(f"kinds.{kind}: {label} = {least!r}; write a label and a certainty in [0, 1]")
        found[kind] = MappingProxyType({label: float(table[label]) for label in labels if label in table})
    return MappingProxyType(found)
