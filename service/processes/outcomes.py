"""What may come of a payload beside its result."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class TimedOut:
    """The payload was killed at its time limit, or not run before the deadline.

    cpu: it used up its time limit by computing, so it is the payload that is too expensive, on any machine. Otherwise
    it waited, for a worker or for a busy machine, and may well be cheap. Two time-outs are equal either way.
    """

    cpu: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class Crashed:
    """The worker died of the payload (memory, signal), or the function raised.

    memory: it used up the memory that a worker has, so it is the payload that is too expensive. Two crashes with one
    detail are equal either way.
    """

    detail: str
    memory: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class Unavailable:
    """No worker lived to run the payload, nor could one be started, for the reason in `detail`."""

    detail: str


Failure: TypeAlias = TimedOut | Crashed | Unavailable
