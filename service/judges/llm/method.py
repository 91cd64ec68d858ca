"""A method: what is asked of the model about a response and its facts, and how the reply is read. No engine here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from perception_reward.service.judges.base import JudgeTask, Outcome
from perception_reward.service.judges.llm.engine import Ask, Reply
from perception_reward.service.judges.llm.vocabulary import Vocabulary
from perception_reward.trainer_client.wire import Fact


@dataclass(frozen=True, slots=True)
class Rendered:
    """What to ask; `truncated`: the response is in it only in part, since it exceeds the method's limit."""

    ask: Ask
    truncated: bool = False


class Method(Protocol):
    """One ask per task, or per `most_facts` of it.

    `load` and `render` may take CPU time: the judge runs them in threads.
    """

    @property
    def name(self) -> str: ...

    @property
    def together(self) -> bool: ...

    @property
    def identity(self) -> dict[str, object]:
        """All of the method that can change a verdict, as JSON values: it becomes part of the fingerprint.

        Final after `load`: what was loaded counts too.
        """
        ...

    @property
    def most_facts(self) -> int | None:
        """How many facts one ask may be about; None where all of a task belong together."""
        ...

    def load(self, vocabulary: Vocabulary) -> None:
        """Get ready, once. Raises ValueError, for people, when the model cannot be asked this way."""
        ...

    def render(self, task: JudgeTask) -> Rendered:
        """The ask about all facts of `task`: a `Choice` with one suffix per fact, or one `Writing` for all."""
        ...

    def read(self, reply: Reply, facts: Sequence[Fact]) -> tuple[Outcome, ...]:
        """One outcome per fact, from the reply to such an ask."""
        ...
