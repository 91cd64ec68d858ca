"""A method: what is asked of the model, and how its reply is read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from perception_reward.service.judges.base import JudgeTask, Outcome, Scope
from perception_reward.trainer_client.wire import Fact


@dataclass(frozen=True, slots=True)
class Call:
    """One HTTP request: the path below the endpoint's URL, and a JSON body."""

    path: str
    body: bytes


class Method(Protocol):
    """One request per task, or per `most_facts` of it.

    `load` and `call` may take CPU time: the judge runs them in threads.
    """

    @property
    def name(self) -> str: ...

    @property
    def scope(self) -> Scope: ...

    @property
    def identity(self) -> dict[str, object]:
        """All of the method that can change a verdict, as JSON values: it becomes part of the fingerprint.

        Final after `load`: what was loaded counts too.
        """
        ...

    @property
    def most_facts(self) -> int | None:
        """How many facts one request may ask about; None where all of a task belong together."""
        ...

    def load(self) -> None:
        """Get ready, once. Raises ValueError, for people, when the model cannot be asked this way."""
        ...

    def call(self, task: JudgeTask) -> Call:
        """The request that asks about all facts of `task`."""
        ...

    def read(self, reply: object, facts: Sequence[Fact]) -> tuple[Outcome, ...]:
        """One outcome per fact, from the reply's decoded JSON, whatever it holds."""
        ...
