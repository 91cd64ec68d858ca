"""Cached values as bytes: 27 for a verdict, 35 with a span, 2 for a grade.

The first byte is the layout's version. Probabilities keep all 64 bits, so that a score does not depend on
whether it came from the cache. A value that does not decode is a miss: another version may have written it.
"""

from __future__ import annotations

import math
import struct
from functools import lru_cache
from typing import Final, get_args

from perception_reward.service.judges.base import Verdict
from perception_reward.trainer_client.wire import Label, Stage

VERSION: Final = 2

_LABELS: Final[tuple[Label, ...]] = get_args(Label)
_STAGES: Final[tuple[Stage, ...]] = get_args(Stage)
_TRUNCATED: Final = 0x80
_SETTLED: Final = 0x40
# Version, label with the marks above, stage, and three probabilities; NaN where there is no last one.
_VERDICT: Final = struct.Struct("<BBBddd")
_SPAN: Final = struct.Struct("<II")


def encode_verdict(verdict: Verdict) -> bytes:
    """The bytes of a verdict."""
    marks = (_TRUNCATED if verdict.truncated else 0) | (_SETTLED if verdict.settled else 0)
    contradiction = math.nan if verdict.contradiction is None else verdict.contradiction
    label, stage = _LABELS.index(verdict.label), _STAGES.index(verdict.stage)
    head = _VERDICT.pack(VERSION, label | marks, stage, verdict.probability, verdict.certainty, contradiction)
    return head if verdict.span is None else head + _SPAN.pack(*verdict.span)


# A response that is sent again has the same verdicts again, and to decode one costs more than to look it up.
@lru_cache(maxsize=1 << 14)
def decode_verdict(value: bytes) -> Verdict | None:
    """The verdict in `value`, or None where this version cannot read it."""
    head, tail = value[: _VERDICT.size], value[_VERDICT.size :]
    if len(head) != _VERDICT.size or len(tail) not in (0, _SPAN.size):
        return None
    fields: tuple[int, int, int, float, float, float] = _VERDICT.unpack(head)
    version, flags, stage, probability, certainty, contradiction = fields
    label = flags & ~(_TRUNCATED | _SETTLED)
    if version != VERSION or label >= len(_LABELS) or stage >= len(_STAGES):
        return None
    # A NaN fails these comparisons too.
    if not (0 <= probability <= 1 and 0 <= certainty <= 1 and (math.isnan(contradiction) or 0 <= contradiction <= 1)):
        return None
    span: tuple[int, int] | None = _SPAN.unpack(tail) if tail else None
    if span is not None and span[0] > span[1]:
        return None
    return Verdict(
        _LABELS[label],
        probability,
        span,
        certainty,
        None if math.isnan(contradiction) else contradiction,
        bool(flags & _TRUNCATED),
        bool(flags & _SETTLED),
        _STAGES[stage],
    )


def encode_grade(right: bool) -> bytes:
    """The bytes of an accuracy grade."""
    return bytes((VERSION, right))


def decode_grade(value: bytes) -> bool | None:
    """The grade in `value`, or None where this version cannot read it."""
    return bool(value[1]) if len(value) == 2 and value[0] == VERSION and value[1] <= 1 else None
