"""A step at work: rows go in, their results come out in the same order, and each reply is kept before it is used.

    async for row, result in engine.results(rows, step):
        …

A row whose replies are all in the journal costs no request and no task. Others are worked on at once, up to a window,
so that memory stays flat. What ends the run early (a budget, a key that is refused, Ctrl-C) lets what is under way come
home, since it is paid for."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from perception_reward.annotations.pipeline.asks import NOT_THE_FORM, Answer, Ask, Sampling, Steps, key_of
from perception_reward.annotations.pipeline.endpoint import Endpoint, EndpointRefused, NoReply, Reply, Unreachable
from perception_reward.annotations.pipeline.images import ImageFault
from perception_reward.annotations.pipeline.journal import Journal
from perception_reward.annotations.pipeline.limits import Gate, Limits, Stopped, TokenCounts
from perception_reward.annotations.pipeline.replies import NotOfTheForm, read_reply

R = TypeVar("R")
T = TypeVar("T")

# Rows under way for each request under way; and between turns of others while all is known.
ROWS_AHEAD = 4
TURN = 200
# Times that a reply is asked for again which is not of its form.
REPAIRS = 2
# Requests in vain, one after another, that end the run.
MOST_IN_VAIN = 10
# UTF-8 bytes of a token, by which an estimate counts.
TOKEN_BYTES = 3.5


@dataclass(frozen=True, slots=True)
class Missing:
    """A row for which the endpoint had no reply for now."""

    why: str


@dataclass(slots=True)
class Tally:
    """Of this run. requests: sent and answered. known: replies that the journal had. tokens: read and written."""

    requests: int = 0
    known: int = 0
    tokens: TokenCounts = (0, 0)
    repaired: int = 0


@dataclass(slots=True)
class _Driven(Generic[T]):
    """A step's generator, at the asks that it waits for; or its result."""

    steps: Steps[T]
    asks: Sequence[Ask] = ()
    result: T | None = None
    done: bool = False

    def send(self, answers: list[Answer] | None) -> None:
        try:
            self.asks = next(self.steps) if answers is None else self.steps.send(answers)
        except StopIteration as end:
            self.result, self.done = end.value, True


@dataclass(slots=True)
class Engine:
    """One step's run. watch: told of every reply that came."""

    journal: Journal
    endpoint: Endpoint
    sampling: Sampling
    limits: Limits
    tally: Tally = field(default_factory=Tally)
    watch: Callable[[Tally], None] = lambda tally: None
    gate: Gate = field(init=False)
    _flights: dict[str, asyncio.Future[Reply]] = field(default_factory=dict[str, "asyncio.Future[Reply]"])
    _in_vain: int = 0

    def __post_init__(self) -> None:
        self.gate = Gate(self.limits, self.journal.spent)

    async def results(
        self, rows: Iterable[R], step: Callable[[R], Steps[T]]
    ) -> AsyncGenerator[tuple[R, T | Missing | None]]:
        """Each row with its result. Raises what stopped the run, once nothing is under way any more."""
        window: deque[tuple[R, _Driven[T] | asyncio.Task[T | Missing | None]]] = deque()
        most = ROWS_AHEAD * self.limits.concurrency
        try:
            for number, row in enumerate(rows):
                driven = _Driven(step(row))
                driven.send(None)
                while not driven.done and (known := self._known(driven.asks)) is not None:
                    driven.send(known)
                window.append((row, driven if driven.done else asyncio.create_task(self._row(driven))))
                if number % TURN == 0:
                    await asyncio.sleep(0)
                while window and (len(window) >= most or _is_ready(window[0][1])):
                    ready = window.popleft()
                    yield ready[0], await _result(ready[1])
                if self.gate.stopped is not None:
                    raise self.gate.stopped
            while window:
                ready = window.popleft()
                yield ready[0], await _result(ready[1])
            if self.gate.stopped is not None:
                raise self.gate.stopped
        except BaseException as error:
            self.gate.stop(error if isinstance(error, Stopped) else Stopped("stopped"))
            tasks = [task for _, task in window if isinstance(task, asyncio.Task)]
            if isinstance(error, OSError):
                for task in tasks:
                    task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            raise

    async def _row(self, driven: _Driven[T]) -> T | Missing | None:
        """The rest of a row's way, with requests."""
        try:
            while not driven.done:
                tasks = [asyncio.create_task(self._answer(ask)) for ask in driven.asks]
                found = await asyncio.gather(*tasks, return_exceptions=True)
                if (failure := next((one for one in found if isinstance(one, BaseException)), None)) is not None:
                    raise failure
                driven.send([one for one in found if isinstance(one, Answer)])
        except NoReply as error:
            return Missing(str(error))
        return driven.result

    def _known(self, asks: Sequence[Ask]) -> list[Answer] | None:
        """The answers to all of `asks`, if the journal has them."""
        found: list[Answer] = []
        for ask in asks:
            answer, _, _ = self._recalled(ask)
            if answer is None:
                return None
            found.append(answer)
        self.tally.known += len(found)
        return found

    def _recalled(self, ask: Ask) -> tuple[Answer | None, int, str]:
        """The answer that the journal has; else which attempt comes next, and what was wrong with the last one."""
        wrong = ""
        for attempt in range(REPAIRS + 1 if ask.form else 1):
            value = self.journal.get(key_of(self.sampling, ask, attempt))
            if value is None:
                return None, attempt, wrong
            answer, wrong = answer_of(_restored(value), ask)
            if not wrong:
                return answer, attempt, ""
        return Answer(why=NOT_THE_FORM, detail=wrong), REPAIRS, ""

    async def _answer(self, ask: Ask) -> Answer:
        while True:
            answer, attempt, wrong = self._recalled(ask)
            if answer is not None:
                return answer
            self.tally.repaired += attempt > 0
            text = ask.text if not wrong else f"{ask.text}\n\n{AGAIN.format(wrong=wrong)}"
            try:
                await self._joined(key_of(self.sampling, ask, attempt), ask, text)
            except ImageFault as fault:
                # It costs nothing to find out again, and the file may be mended.
                return Answer(why=fault.why, detail=fault.detail)

    async def _joined(self, key: str, ask: Ask, text: str) -> None:
        """Ask once for all who wait for the same."""
        if (flight := self._flights.get(key)) is not None:
            await asyncio.shield(flight)
            return
        flight = self._flights[key] = asyncio.get_running_loop().create_future()
        try:
            reply = await self._paid(key, ask, text)
        except BaseException as error:
            flight.set_exception(error)
            flight.exception()  # told to those who wait, if any do
            raise
        else:
            flight.set_result(reply)
        finally:
            del self._flights[key]

    async def _paid(self, key: str, ask: Ask, text: str) -> Reply:
        async with self.gate.passed(most_of(ask, text, self.sampling)) as cost:
            try:
                reply = await self.endpoint.ask(ask, text)
            except EndpointRefused as error:
                self.gate.stop(error)
                raise
            except NoReply as error:
                self._in_vain += 1
                if self._in_vain >= MOST_IN_VAIN or (isinstance(error, Unreachable) and not self.tally.requests):
                    self.gate.stop(EndpointRefused(f"{self._in_vain} requests in vain, the last one: {error}"))
                raise
            self._in_vain = 0
            cost.append(reply.tokens)
            self.journal.put(key, _stored(reply), reply.tokens)
            self.tally.requests += 1
            self.tally.tokens = (self.tally.tokens[0] + reply.tokens[0], self.tally.tokens[1] + reply.tokens[1])
            self.watch(self.tally)
            return reply


def without_asking(steps: Steps[T]) -> T:
    """The result of a step that asks nothing."""
    try:
        next(steps)
    except StopIteration as end:
        return end.value
    raise AssertionError("this step asks a model, and there is none")


AGAIN = "An earlier reply could not be used: {wrong}. Reply with the JSON object alone, as described."


def answer_of(reply: Reply, ask: Ask) -> tuple[Answer, str]:
    """The answer in a reply; and what is wrong with it, where it may be asked for again."""
    if reply.why:
        return Answer(why=reply.why, detail=reply.detail), ""
    if ask.form is None:
        return Answer(text=reply.text, cut=reply.cut), ""
    try:
        return Answer(text=reply.text, value=read_reply(reply.text, ask.form, cut=reply.cut), cut=reply.cut), ""
    except NotOfTheForm as error:
        return Answer(), str(error)


def _stored(reply: Reply) -> dict[str, Any]:
    more = {"why": reply.why, "detail": reply.detail, "cut": reply.cut}
    return {"text": reply.text, **{name: value for name, value in more.items() if value}}


def _restored(value: Mapping[str, Any]) -> Reply:
    return Reply(value["text"], why=value.get("why", ""), detail=value.get("detail", ""), cut=value.get("cut", False))


def tokens_of(ask: Ask, text: str) -> int:
    """About how many tokens a request has."""
    return round(len(text.encode("utf-8", "replace")) / TOKEN_BYTES) + 8 + sum(one.tokens() for one in ask.images)


def most_of(ask: Ask, text: str, sampling: Sampling) -> TokenCounts:
    """About the most that a request may cost."""
    return tokens_of(ask, text), sampling.max_tokens


def _is_ready(work: _Driven[T] | asyncio.Task[T | Missing | None]) -> bool:
    return work.done() if isinstance(work, asyncio.Task) else True


async def _result(work: _Driven[T] | asyncio.Task[T | Missing | None]) -> T | Missing | None:
    return await work if isinstance(work, asyncio.Task) else work.result


@dataclass(slots=True)
class Estimate:
    """What a run would ask. known: requests whose replies the journal has. tokens: read, written as usual, and at
    most."""

    rows: int = 0
    requests: int = 0
    known: int = 0
    read: int = 0
    written: int = 0
    most: int = 0

    def lines(self, limits: Limits) -> list[str]:
        """For people."""
        told = [
            f"{self.rows} rows: {self.requests} requests to send, {self.known} replies are there already",
            f"about {self.read:,} tokens to read and {self.written:,} to write (at most {self.most:,}), at a token for "
            f"{TOKEN_BYTES} bytes",
        ]
        if any(limits.price):
            told.append(
                f"about {limits.cost_of((self.read, self.written)):.2f}, at most "
                f"{limits.cost_of((self.read, self.most)):.2f}, in the currency of the price"
            )
        return told


def estimate(rows: Iterable[R], step: Callable[[R], Steps[T]], sampling: Sampling, journal: Journal | None) -> Estimate:
    """What `rows` would cost, without asking anybody: replies that are not there yet are supposed."""
    found = Estimate()
    for row in rows:
        found.rows += 1
        driven = _Driven(step(row))
        driven.send(None)
        while not driven.done:
            driven.send([_supposed(ask, sampling, journal, found) for ask in driven.asks])
    return found


def _supposed(ask: Ask, sampling: Sampling, journal: Journal | None, found: Estimate) -> Answer:
    if journal is not None and (value := journal.get(key_of(sampling, ask))) is not None:
        found.known += 1
        return answer_of(_restored(value), ask)[0]
    found.requests += 1
    found.read += tokens_of(ask, ask.text)
    found.written += min(ask.expected, sampling.max_tokens)
    found.most += sampling.max_tokens
    return answer_of(Reply(ask.supposed), ask)[0]
