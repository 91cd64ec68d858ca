"""`perception-reward watch`: what a run's rewards come to, while it runs."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Annotated

import aiohttp
import typer
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from perception_reward.annotations.faults import printable
from perception_reward.service.cli.compare import RightRule, perception_rule
from perception_reward.service.cli.options import fail
from perception_reward.service.cli.screen import screen, table
from perception_reward.service.metrics import samples
from perception_reward.service.report.compare import Rule
from perception_reward.service.report.live import Figures, Growing, History, NotResults, of_metrics

BARS = "▁▂▃▄▅▆▇█"
# Seconds for an answer, and the longest between tries of a service that does not answer.
PATIENCE, LONGEST_WAIT = 10.0, 30.0
ENVIRONMENT = "PERCEPTION_REWARD_API_KEY"

Look = Callable[[], Awaitable[Figures]]


class Refused(Exception):
    """Asking again is of no use."""


class Waiting(Exception):
    """There is nothing yet; it is asked again."""


def watch(
    source: Annotated[
        str,
        typer.Argument(
            metavar="SOURCE",
            help="The URL of a service, or results that are being written: RESULTS or its .part, packed or not, or a "
            "folder or glob of them, such as a service's rollout log.",
        ),
    ],
    run: Annotated[
        str | None, typer.Option(help="Of a service: the run's label, as the trainer sends it. (default: all runs)")
    ] = None,
    api_key: Annotated[
        str | None, typer.Option(envvar=ENVIRONMENT, help="The service's key, or that of its metrics.")
    ] = None,
    every: Annotated[float, typer.Option(min=0.1, help="Seconds between looks.")] = 2.0,
    window: Annotated[float, typer.Option(min=1, help="What counts as lately, in seconds.")] = 600.0,
    perception_right: RightRule = "0.5",
    once: Annotated[bool, typer.Option("--once", help="Look once, and exit.")] = False,
) -> None:
    """Watch what a run's rewards come to: means by component, now and lately, missing scores and their reasons.

    Of results also seeing against answering. Ctrl-C ends it. A service that does not answer is told and asked again.
    """
    rule = Rule(perception_rule(perception_right))
    console = screen()
    title = f"{source}  {run or 'all runs'}" if _is_url(source) else source
    try:
        asyncio.run(_watch(source, run, api_key, rule, _View(console, title, window), every, once))
    except KeyboardInterrupt:
        return
    except (Refused, NotResults) as error:
        fail(str(error), status=2)


class _View:
    """What is on the screen. Where there is no terminal, each change of the figures is printed."""

    def __init__(self, console: Console, title: str, window: float) -> None:
        self._console, self._title, self._window = console, title, window
        self.history = History(window)
        self.note = "nothing yet"
        self.live = Live(console=console, auto_refresh=False, transient=False) if console.is_terminal else None
        self._printed: Figures | str | None = None

    def seen(self, figures: Figures) -> None:
        self.history.add(time.monotonic(), figures)
        self.note = "started again since" if self.history.restarts else ""
        self.show()

    def troubled(self, note: str) -> None:
        self.note = note
        self.show()

    def show(self) -> None:
        if self.live is not None:
            self.live.update(self._whole(), refresh=True)
        elif (now := self.note or self.history.now) != self._printed:
            self._printed = now
            self._console.print(self._whole(), soft_wrap=True)

    def _whole(self) -> RenderableType:
        now, lately, history = self.history.now, self.history.lately(), self.history
        head = Text(printable(self._title), "bold")
        if self.note:
            head.append(f"\n{self.note}", "yellow")
        if not now.items:
            return head
        means = table("", "mean", "lately", "items", "course", edge=False)
        means.columns[4].justify = "left"
        for measure, count in sorted(now.counts.items(), key=lambda one: one[0] == "score"):
            if count:
                bars = _course(history.course(measure))
                means.add_row(measure, _mean(now, measure), _mean(lately, measure), f"{count:.0f}", bars)
        parts: list[RenderableType] = [head, Text(self._counts(now, lately), "dim"), means]
        if now.quadrants:
            parts.append(_quadrants(now, lately))
        return Group(*parts)

    def _counts(self, now: Figures, lately: Figures) -> str:
        missing = ", ".join(f"{count:.0f} {printable(why)}" for why, count in now.missing.items() if count)
        rate = f", {self.history.rate():.1f} a second" if lately.items else ""
        return f"{now.items:.0f} items{rate}; missing: {missing or 'none'}; lately: the last {self._window:g} s"


async def _watch(
    source: str, run: str | None, api_key: str | None, rule: Rule, view: _View, every: float, once: bool
) -> None:
    if not _is_url(source):
        file = Growing(source, rule)
        await _looked(lambda: _of_file(file), view, every, once)
        return
    headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
    async with aiohttp.ClientSession(headers=headers, timeout=aiohttp.ClientTimeout(total=PATIENCE)) as session:
        await _looked(lambda: _of_service(session, source.rstrip("/") + "/metrics", run), view, every, once)


async def _looked(look: Look, view: _View, every: float, once: bool) -> None:
    """Look again and again; of what does not answer, less and less often."""
    wait = every
    if view.live is not None:
        view.live.start()
    try:
        while True:
            try:
                view.seen(await look())
                wait = every
            except Waiting as trouble:
                if once:
                    raise Refused(str(trouble)) from None
                wait = min(LONGEST_WAIT, max(wait * 1.5, 1.0))
                view.troubled(f"{trouble}; looking again in {wait:.0f} s")
            if once:
                return
            await asyncio.sleep(wait)
    finally:
        if view.live is not None:
            view.live.stop()


async def _of_service(session: aiohttp.ClientSession, url: str, run: str | None) -> Figures:
    try:
        async with session.get(url) as answer:
            text = await answer.text(errors="replace")
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise Waiting(f"{url} does not answer ({str(error) or type(error).__name__})") from None
    if answer.status in (401, 403):
        raise Refused(f"{url} refuses the key ({answer.status}); give it by --api-key or {ENVIRONMENT}")
    if answer.status >= 500 or answer.status == 429:
        raise Waiting(f"{url} answers {answer.status}")
    try:
        figures, runs = of_metrics(samples(text), run)
    except ValueError:
        figures, runs = Figures(), set[str]()
    if answer.status != 200 or "perception_reward_" not in text:
        raise Refused(f"{url} shows no metrics of this service (status {answer.status}); name its address alone")
    if run is not None and run not in runs:
        known = ", ".join(sorted(map(printable, runs))) or "none"
        raise Waiting(f"no item of the run {printable(run)!r} yet; runs: {known}")
    return figures


async def _of_file(file: Growing) -> Figures:
    try:
        return file.read()
    except FileNotFoundError:
        raise Waiting(f"{file.name} is not there yet") from None
    except OSError as error:
        raise Refused(f"{file.name}: {error.strerror}") from None


def _is_url(source: str) -> bool:
    return source.startswith(("http://", "https://"))


def _mean(figures: Figures, measure: str) -> str:
    mean = figures.mean(measure)
    return "–" if mean is None else f"{mean:.3f}"


def _course(means: list[float]) -> str:
    if len(means) < 2:
        return ""
    low, wide = min(means), max(means) - min(means)
    return "".join(BARS[round((len(BARS) - 1) * (mean - low) / wide) if wide else 0] for mean in means)


def _quadrants(now: Figures, lately: Figures) -> Table:
    made = table("answer", "seeing", "share", "lately", words=2, edge=False)
    for where in ((True, True), (True, False), (False, True), (False, False)):
        shares = [
            f"{one.quadrants.get(where, 0) / total:.1%}" if (total := sum(one.quadrants.values())) else "–"
            for one in (now, lately)
        ]
        made.add_row(*("right" if right else "wrong" for right in where), *shares)
    return made
