"""The client: responses in, results out, whatever the night brings.

    client = RewardClient("http://rewards:8420", run="geo3k-7b")
    results = await client.score([{"annotation_id": "geometry3k-17", "response": text} for text in completions])
    rewards = resolve(results, groups, client.options.on_missing)

It can be pickled, and used after a fork, from many threads and in many event loops: what it opens belongs to the
process and the loop that it was opened in, and is opened at the first call.
"""

from __future__ import annotations

import asyncio
import os
import threading
import weakref
from collections.abc import Coroutine, Sequence
from typing import TYPE_CHECKING, Any

from perception_reward.trainer_client.answers import moved
from perception_reward.trainer_client.batching import Batcher
from perception_reward.trainer_client.check import check_servers, patience
from perception_reward.trainer_client.encoding import Encoded, Item, Portion, encode, portions, request_body
from perception_reward.trainer_client.errors import InvalidItem, ServiceUnavailable
from perception_reward.trainer_client.facts import FactsWatch
from perception_reward.trainer_client.link import Link, TooLarge, Unanswered
from perception_reward.trainer_client.missing import COMPONENTS, MissingWatch, missing_result
from perception_reward.trainer_client.options import Options, Policy, resolve_options
from perception_reward.trainer_client.sync import LoopThread

if TYPE_CHECKING:
    from typing_extensions import Self

    from perception_reward.trainer_client.wire import ItemResult


class _Process:
    """What a client holds in one process. A forked child makes its own and never touches its parent's."""

    def __init__(self, options: Options) -> None:
        self.missing = MissingWatch(options.missing_limit, options.missing_window)
        self.facts = FactsWatch(options.require_facts)
        self.answered = False
        # Those of the last results, which missing ones have as well: a trainer wants the same columns of every sample.
        self.components: Sequence[str] = COMPONENTS
        self.warned: set[str] = set()
        self.lock = threading.Lock()
        self.thread: LoopThread | None = None
        self.loops: dict[asyncio.AbstractEventLoop, _Loop] = {}


class _Loop:
    """What a client holds in one event loop."""

    def __init__(self, link: Link, batcher: Batcher) -> None:
        self.link = link
        self.batcher = batcher
        # The check under way, which all who want it share.
        self.check: asyncio.Task[None] | None = None


class RewardClient:
    """Asks the service for scores. Every argument that is None comes from its `PERCEPTION_REWARD_*` variable
    (`base_url`: `PERCEPTION_REWARD_URL`), else from the defaults of `Options`.

    base_url: one server, or several, separated by commas or as a sequence: they share the load, and one that fails
        is left alone for a while. Default `http://127.0.0.1:8420`. A password in it is taken for the API key.
    api_key: sent as a bearer token, never shown.
    profile, run: the profile of the scores (None: the service's default), and the label of this run in the
        service's metrics and logs.
    prefix: what the prompts' template has already written of every response, such as `<think>`, where it does and
        nobody says so item by item. An adapter that sees prompts as templated says so itself.
    explain: whether each fact's result says why, as its `trace`. Default False.
    on_missing: `native`, `group_mean`, `raise` or `zero`; what adapters hand to `resolve`. Under `raise`, a call that
        no server answers raises `ServiceUnavailable` as well.
    timeout: seconds for one call, all tries included. Default 120.
    batch_wait, batch_size: seconds that `score_one` waits for others, and how many leave together. 0.004 and 256.
    request_items, requests_at_once: how `score` divides a long list. 512 and 8.
    connections: most connections of one event loop. Default 1000.
    compress_above: bytes above which a body is sent compressed, unless to this machine itself. Default 65536.
    ca_file, verify: certificates to trust besides the system's; False trusts any.
    missing_limit, missing_window: `TooManyMissing` when more than this share of that many scores, or of one call's
        where those are more, is missing in this process. 0.2 and 200; a limit of 1 never stops.
    check, start_wait: False makes `check` do nothing, as adapters call it by themselves; seconds that it waits for a
        service that is starting. True and 3.
    require_facts: whether an adapter stops a run whose rows name no facts. Default True.

    Raises `OptionError` for what cannot be used.
    """

    def __init__(
        self,
        base_url: str | Sequence[str] | None = None,
        api_key: str | None = None,
        *,
        profile: str | None = None,
        run: str | None = None,
        prefix: str | None = None,
        explain: bool | None = None,
        on_missing: Policy | None = None,
        timeout: float | None = None,
        batch_wait: float | None = None,
        batch_size: int | None = None,
        request_items: int | None = None,
        requests_at_once: int | None = None,
        connections: int | None = None,
        compress_above: int | None = None,
        ca_file: str | None = None,
        verify: bool | None = None,
        missing_limit: float | None = None,
        missing_window: int | None = None,
        check: bool | None = None,
        start_wait: float | None = None,
        require_facts: bool | None = None,
    ) -> None:
        self._set_up(
            resolve_options(
                base_url,
                api_key,
                profile=profile,
                run=run,
                prefix=prefix,
                explain=explain,
                on_missing=on_missing,
                timeout=timeout,
                batch_wait=batch_wait,
                batch_size=batch_size,
                request_items=request_items,
                requests_at_once=requests_at_once,
                connections=connections,
                compress_above=compress_above,
                ca_file=ca_file,
                verify=verify,
                missing_limit=missing_limit,
                missing_window=missing_window,
                check=check,
                start_wait=start_wait,
                require_facts=require_facts,
            )
        )

    def _set_up(self, options: Options) -> None:
        self.options = options
        self._processes: dict[int, _Process] = {}
        self._checked = not options.check

    def __getstate__(self) -> tuple[Options, bool]:
        return self.options, self._checked

    def __setstate__(self, state: tuple[Options, bool]) -> None:
        options, checked = state
        self._set_up(options)
        self._checked = checked

    def __repr__(self) -> str:
        return f"RewardClient({self.options!r})"

    async def check(self) -> None:
        """Ask the service whether it can be used as the options say; for the moment before the first rollout.

        Within 5 s, or `start_wait` where that is more. Asked once: what has passed is not asked again, nor by what this
        client is pickled or forked to. Raises `Unauthorized`, `OptionError` (address, TLS, profile) or
        `ServiceUnavailable`; the message says what to change.
        """
        if self._checked:
            return
        loop = self._loop()
        if loop.check is None:
            loop.check = asyncio.ensure_future(self._check(loop))
        await asyncio.shield(loop.check)

    async def _check(self, loop: _Loop) -> None:
        try:
            await check_servers(loop.link.transport, self.options)
            self._checked = True
        finally:
            loop.check = None

    def check_sync(self) -> None:
        """`check` for callers that cannot await: in any thread, also while an event loop runs in it. It leaves nothing
        open: trainers fork after this."""
        if self._checked:
            return
        thread = LoopThread()
        try:
            thread.run(self.check())
        finally:
            thread.stop()

    async def score(self, items: Sequence[Item], *, step: int | None = None) -> list[ItemResult]:
        """The results of `items`, in their order.

        items: `ScoreItem`s, or JSON objects with its fields, which are checked by the service alone.
        step: the training step, for profiles with a schedule and for the service's logs.

        What no server answers within the time is missing (`service_unavailable`, or `overloaded`). Raises
        `RequestRefused` (`InvalidItem` names the item), `ServiceUnavailable` where nothing has ever answered in this
        process, and `TooManyMissing`.
        """
        loop = self._loop()
        deadline = asyncio.get_running_loop().time() + self.options.timeout
        found: dict[int, list[ItemResult]] = {}
        waiting = portions(items, self.options.request_items)

        async def take() -> None:
            for portion in waiting:
                found[portion.offset] = await self._answered(loop.link, portion, step, deadline)

        await _together([take() for _ in range(min(self.options.requests_at_once, len(items)))])
        results = [result for offset in sorted(found) for result in found[offset]]
        self._record(items, results)
        return results

    async def score_one(self, item: Item, *, step: int | None = None) -> ItemResult:
        """The result of one item, asked for together with others that arrive within a few milliseconds.

        Fails like `score`; an item that is refused fails alone.
        """
        deadline = asyncio.get_running_loop().time() + self.options.timeout
        result = await self._loop().batcher.score(encode(item), step, deadline)
        self._record([item], [result])
        return result

    def _record(self, items: Sequence[Item], results: Sequence[ItemResult]) -> None:
        process = self._process()
        process.facts.results(items, results)
        process.missing.record(results)

    @property
    def facts(self) -> FactsWatch:
        """Of this process: where adapters show the rows that they were handed."""
        return self._process().facts

    @property
    def components(self) -> Sequence[str]:
        """Names of the components of the last results; before the first, those of the packaged profiles."""
        return self._process().components

    def score_sync(self, items: Sequence[Item], *, step: int | None = None) -> list[ItemResult]:
        """`score` for callers that cannot await: from any thread, also while an event loop runs in it (which then
        waits, with all that goes on in it)."""
        return self._thread().run(self.score(items, step=step))

    def score_one_sync(self, item: Item, *, step: int | None = None) -> ItemResult:
        """`score_one` for callers that cannot await: calls that arrive from many threads leave together."""
        return self._thread().run(self.score_one(item, step=step))

    async def aclose(self) -> None:
        """Close what is open in this event loop. A later call opens it again; a loop that ends closes it as well."""
        found = self._process().loops.pop(asyncio.get_running_loop(), None)
        if found is not None:
            await found.link.aclose()

    def close(self) -> None:
        """Close what `score_sync` has opened, and end its thread. A later call starts another."""
        process = self._process()
        with process.lock:
            thread, process.thread = process.thread, None
        if thread is not None:
            thread.stop()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _process(self) -> _Process:
        # `setdefault` and not a lock, which could have been held by another thread when this process was forked.
        return self._processes.get(os.getpid()) or self._processes.setdefault(os.getpid(), _Process(self.options))

    def _loop(self) -> _Loop:
        loops = self._process().loops
        running = asyncio.get_running_loop()
        if running not in loops:
            for ended in [loop for loop in tuple(loops) if loop.is_closed()]:
                loops.pop(ended, None)
            loops[running] = self._open()
        return loops[running]

    def _open(self) -> _Loop:
        link, client = Link(self.options, self._process().warned), weakref.ref(self)

        async def send(items: list[Encoded], step: int | None, deadline: float) -> list[ItemResult]:
            this = client()
            assert this is not None, "who waits for a result holds the client"
            return await this._answered(link, Portion(0, items), step, deadline)

        return _Loop(link, Batcher(send, self.options.batch_wait, self.options.batch_size))

    def _thread(self) -> LoopThread:
        process = self._process()
        with process.lock:
            if process.thread is None:
                process.thread = LoopThread()
                # It keeps what is open in this process, but not this client: a collector that takes both at once would
                # take from the loop, before it ends, what is still to be closed there.
                weakref.finalize(self, _stop, process)
            return process.thread

    async def _answered(self, link: Link, portion: Portion, step: int | None, deadline: float) -> list[ItemResult]:
        """The results of one request, missing where no server answered."""
        (offset, items), process = portion, self._process()
        body = request_body(items, self.options, step)
        try:
            found = await link.ask(body, len(items), deadline, lambda: process.answered or self._checked)
        except InvalidItem as error:
            raise moved(error, offset) from None
        except TooLarge:
            half = len(items) // 2
            first = await self._answered(link, Portion(offset, items[:half]), step, deadline)
            return first + await self._answered(link, Portion(offset + half, items[half:]), step, deadline)
        if isinstance(found, Unanswered):
            return self._unanswered(found, items, process)
        process.answered = True
        process.components = tuple(found[0].components) if found else process.components
        return found

    def _unanswered(self, failure: Unanswered, items: list[Encoded], process: _Process) -> list[ItemResult]:
        if failure.reason == "overloaded":
            process.answered = True
        if self.options.on_missing == "raise" or not process.answered:
            known = process.answered or self._checked
            raise ServiceUnavailable(_tell(self.options, failure, known))
        return [missing_result(item.id, failure.reason, process.components) for item in items]


def _stop(process: _Process) -> None:
    if process.thread is not None:
        process.thread.stop()


def _tell(options: Options, failure: Unanswered, known: bool) -> str:
    seconds = options.timeout if known else min(options.timeout, patience(options))
    return (
        f"no answer from {', '.join(options.urls)} within {seconds:g} s; the last try: {failure.detail}. Check "
        "that the service runs (`perception-reward serve`; GET /livez), that its address is the one in base_url "
        "(PERCEPTION_REWARD_URL), and that this machine can reach it."
    )


async def _together(coroutines: Sequence[Coroutine[Any, Any, None]]) -> None:
    """Run them side by side; the first error cancels the others."""
    tasks = [asyncio.ensure_future(coroutine) for coroutine in coroutines]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
