"""An engine: the model itself, in this process or behind HTTP. It knows tokens, and nothing of facts or verdicts.

What a method asks of it comes as token ids, and so does the answer. Text becomes ids in the method, never in an engine:
nothing that a response contains can become a control token.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from perception_reward.service.judges.base import Health
from perception_reward.trainer_client.wire import Reason

Tokens: TypeAlias = tuple[int, ...]

# By token id, the natural logarithm of its probability as the next token, over the whole vocabulary.
LogProbs: TypeAlias = Mapping[int, float]


@dataclass(frozen=True, slots=True)
class Choice:
    """Which of the tokens `answers` comes next after `shared + suffix`, for each suffix.

    `shared` holds the response; an engine computes it once and keeps it for all suffixes.
    The reply is one `LogProbs` per suffix, in order, which holds every one of `answers`.
    """

    shared: Tokens
    suffixes: tuple[Tokens, ...]
    answers: Tokens


@dataclass(frozen=True, slots=True)
class Writing:
    """Up to `most` tokens written after `prompt`, greedily.

    pattern: regular expression which the whole of the text must match, where the form is forced.
    answers: the tokens whose log-probabilities are wanted at each written token; none asks for no log-probabilities.
    """

    prompt: Tokens
    most: int
    pattern: str | None = None
    answers: Tokens = ()


@dataclass(frozen=True, slots=True)
class Written:
    """The text, without the token that ended it.

    tokens: the written ids; logprobs: one `LogProbs` per written id that holds the asked `answers` (those that the
    engine could give). Both are empty where no log-probabilities were asked for.
    """

    text: str
    tokens: Tokens = ()
    logprobs: tuple[LogProbs, ...] = ()


Ask: TypeAlias = Choice | Writing
Reply: TypeAlias = tuple[LogProbs, ...] | Written


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


class JudgeFailure(Exception):
    """The endpoints gave no usable answer for one task. `reason` is what the task's `Missing` says."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(reason, detail)
        self.reason: Reason = reason
        self.detail = detail


class JudgeObserver(Protocol):
    """Called on the event loop, so it must not block."""

    def request(self, endpoint: str, seconds: float, ok: bool) -> None:
        """One attempt at `endpoint` (host:port) has ended, with an answer or without."""
        ...

    def retry(self, reason: str) -> None:
        """A request is sent again, because of `transport`, a `silent` or a `busy` server, an HTTP status, or
        because its endpoint went down while it waited there (`moved`)."""
        ...

    def unusable(self, endpoint: str, fault: str) -> None:
        """A reply of `endpoint` was not taken, or not believed in full, because of its `size`, its `encoding`, a body
        that came too `slow`, or its `content`. What it was about is missing."""
        ...

    def inflight(self, n: int) -> None:
        """`n` requests are now at the endpoints."""
        ...


class Unobserved:
    """An observer that takes no notice."""

    def request(self, endpoint: str, seconds: float, ok: bool) -> None: ...

    def retry(self, reason: str) -> None: ...

    def unusable(self, endpoint: str, fault: str) -> None: ...

    def inflight(self, n: int) -> None: ...
