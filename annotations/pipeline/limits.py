"""How much is asked at once, how fast, and for how much: every request passes here.

What a request may cost at most is set aside before it is sent, so that a budget is never overdrawn.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

TokenCounts = tuple[int, int]


class Stopped(Exception):
    """Nothing more is asked in this run; the message says why."""


class BudgetSpent(Stopped):
    """The next request might cost more than what is left."""


@dataclass(frozen=True, slots=True)
class Limits:
    """concurrency: requests at once. rate: requests a minute. tokens: read and written, over all runs of the step.

    price: of a million tokens read, and written. cost: the most to spend, in the price's currency. None: no limit.
    """

    concurrency: int = 32
    rate: float | None = None
    tokens: int | None = None
    cost: float | None = None
    price: tuple[float, float] = (0.0, 0.0)

    def cost_of(self, tokens: TokenCounts) -> float:
        """In the price's currency."""
        return (tokens[0] * self.price[0] + tokens[1] * self.price[1]) / 1e6


class Gate:
    """Lets requests pass by the limits. spent: what was spent before."""

    def __init__(self, limits: Limits, spent: TokenCounts) -> None:
        self._limits = limits
        self._spent = spent
        self._reserved: TokenCounts = (0, 0)
        self._places = asyncio.Semaphore(limits.concurrency)
        self._changed = asyncio.Condition()
        self._next = 0.0
        self._stopped: Stopped | None = None

    def stop(self, why: Stopped) -> None:
        """Let nobody pass any more, for this reason; the first one counts."""
        self._stopped = self._stopped or why

    @property
    def stopped(self) -> Stopped | None:
        return self._stopped

    @asynccontextmanager
    async def passed(self, most: TokenCounts) -> AsyncGenerator[list[TokenCounts]]:
        """A place for a request that costs `most` at most; what it did cost is put into the list.

        Raises `BudgetSpent`, or why all was stopped.
        """
        async with self._places:
            await self._set_aside(most)
            cost: list[TokenCounts] = []
            try:
                await self._turn()
                yield cost
            finally:
                async with self._changed:
                    self._reserved = _plus(self._reserved, (-most[0], -most[1]))
                    for tokens in cost:
                        self._spent = _plus(self._spent, tokens)
                    self._changed.notify_all()

    async def _set_aside(self, most: TokenCounts) -> None:
        async with self._changed:
            while True:
                if self._stopped is not None:
                    raise self._stopped
                if self._fits(_plus(_plus(self._spent, self._reserved), most)):
                    break
                if self._reserved == (0, 0):
                    self.stop(
                        BudgetSpent(
                            f"the budget is spent: {self._told()}, and another request may cost more than is left"
                        )
                    )
                    continue
                await self._changed.wait()
            self._reserved = _plus(self._reserved, most)

    def _fits(self, tokens: TokenCounts) -> bool:
        limits = self._limits
        return (limits.tokens is None or sum(tokens) <= limits.tokens) and (
            limits.cost is None or limits.cost_of(tokens) <= limits.cost
        )

    def _told(self) -> str:
        if self._limits.cost is not None:
            return f"{self._limits.cost_of(self._spent):.4f} of {self._limits.cost:g}"
        return f"{sum(self._spent)} of {self._limits.tokens} tokens"

    async def _turn(self) -> None:
        """Requests begin a minute's share apart."""
        if self._limits.rate is not None:
            loop = asyncio.get_running_loop()
            begin = max(loop.time(), self._next)
            self._next = begin + 60.0 / self._limits.rate
            await asyncio.sleep(begin - loop.time())
        if self._stopped is not None:
            raise self._stopped


def _plus(one: TokenCounts, other: TokenCounts) -> TokenCounts:
    return one[0] + other[0], one[1] + other[1]
