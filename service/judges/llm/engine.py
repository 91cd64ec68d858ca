"""An engine: the model itself, in this process or behind HTTP. It knows tokens, and nothing of facts or verdicts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from perception_reward.service.judges.base import Health
from perception_reward.service.judges.llm.ask import Choice, LogProbs, Writing, Written


class Engine(Protocol):
    """Belongs to one event loop at a time.

    What it cannot answer it raises as `JudgeFailure`, whose reason becomes the verdict's; never anything else.
    Cancelling a call takes its work back.
    """

    @property
    def name(self) -> str:
        """`openai` or `vllm`: what the fingerprint and `/v1/judge` call it."""
        ...

    @property
    def model(self) -> str: ...

    @property
    def identity(self) -> Mapping[str, object]:
        """What can change an answer besides the model, such as how it is quantised, as JSON values."""
        ...

    @property
    def capacity(self) -> int:
        """Asks that may be under way at once; more wait their turn."""
        ...

    async def choose(self, choice: Choice, affinity: str, deadline: float) -> tuple[LogProbs, ...]:
        """One answer per suffix, in order. Asks with the same `affinity` share a prefix: keep them together.

        deadline: event-loop time; what has no answer then is `JudgeFailure("judge_timeout")`.
        """
        ...

    async def write(self, writing: Writing, affinity: str, deadline: float) -> Written: ...

    async def health(self) -> Health: ...

    async def start(self) -> None:
        """Ready to be asked when this returns, where the engine runs in this process. ValueError for a model
        that cannot be served; the message says what to do."""
        ...

    async def aclose(self) -> None: ...
