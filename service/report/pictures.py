"""Pictures of figures, as SVG that takes its colours from the page; each has a title, a description and its numbers.

picture = lines("Perception by step", {"run": [(0, 0.1), (10, 0.3)]}, x="step")
picture.svg, picture.columns, picture.rows
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from itertools import count

WIDTH, HEIGHT = 420, 230
LEFT, RIGHT, TOP, BOTTOM = 44, 12, 14, 38
BINS = 20
_ids = count()


@dataclass(frozen=True, slots=True)
class Picture:
    """svg: safe to put into a page. columns, rows: its numbers as a table."""

    title: str
    svg: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]


def histogram(title: str, series: Mapping[str, Sequence[float]], *, low: float, high: float) -> Picture:
    """Shares of values in `BINS` bins of [low, high], those of several series side by side."""
    width = (high - low) / BINS
    shares = {name: _binned(values, low, width) for name, values in series.items()}
    most = max((share for found in shares.values() for share in found), default=0.0) or 1.0
    frame = _Frame(low, high, 0.0, most)
    bars: list[str] = []
    for place, (name, found) in enumerate(shares.items()):
        for at, share in enumerate(found):
            if share:
                slot = (frame.x(low + (at + 1) * width) - frame.x(low + at * width)) / len(shares)
                left, top = frame.x(low + at * width) + place * slot, frame.y(share)
                label = f"{escape(name)}: {share:.1%} from {low + at * width:.2f} to {low + (at + 1) * width:.2f}"
                bars.append(
                    f'<rect class="c{place % 6}" x="{left + 0.5:.1f}" y="{top:.1f}" width="{max(slot - 1, 0.8):.1f}" '
                    f'height="{frame.bottom - top:.1f}"><title>{label}</title></rect>'
                )
    rows = [
        [f"{low + at * width:.2f} to {low + (at + 1) * width:.2f}", *(f"{found[at]:.1%}" for found in shares.values())]
        for at in range(BINS)
        if any(found[at] for found in shares.values())
    ]
    told = f"Histogram of {title} for {', '.join(series)}: shares of rollouts."
    return Picture(title, frame.drawn(title, told, bars, "", percent=True), [title, *series], rows)


def lines(
    title: str,
    series: Mapping[str, Sequence[tuple[float, float]]],
    *,
    x: str,
    percent: bool = False,
    mark: float | None = None,
) -> Picture:
    """Lines through points; `mark` is an x of note, drawn as a line across."""
    points = [point for found in series.values() for point in found]
    xs, ys = [point[0] for point in points], [point[1] for point in points]
    low, high = min(ys), max(ys)
    margin = (high - low) * 0.08 or 0.05
    bottom = 0.0 if 0 <= low < 0.5 * high else low - margin
    frame = _Frame(min(xs), max(xs), bottom, high + margin)
    drawn: list[str] = []
    if mark is not None:
        drawn.append(
            f'<line class="mark" x1="{frame.x(mark):.1f}" x2="{frame.x(mark):.1f}" y1="{TOP}" y2="{frame.bottom}"/>'
        )
    for place, (name, found) in enumerate(series.items()):
        path = " ".join(f"{frame.x(px):.1f},{frame.y(py):.1f}" for px, py in found)
        drawn.append(f'<polyline class="l{place % 6}" points="{path}"/>')
        if len(found) <= 60:
            drawn += [
                f'<circle class="c{place % 6}" cx="{frame.x(px):.1f}" cy="{frame.y(py):.1f}" r="2.4">'
                f"<title>{escape(name)}: {_shown(py, percent)} at {px:g}</title></circle>"
                for px, py in found
            ]
    by_x = {name: dict(found) for name, found in series.items()}
    rows = [
        [f"{px:g}", *(_shown(found[px], percent) if px in found else "–" for found in by_x.values())]
        for px in sorted(set(xs))
    ]
    told = f"Lines of {title} by {x} for {', '.join(series)}."
    return Picture(title, frame.drawn(title, told, drawn, x, percent=percent), [x, *series], rows)


def intervals(title: str, found: Sequence[tuple[str, float, float, float]], columns: Sequence[str]) -> Picture:
    """Shares with their intervals, one below the other: (name, value, low, high)."""
    height = 26 * len(found) + 44
    parts: list[str] = []
    for tick in (0.0, 0.25, 0.5, 0.75, 1.0):
        at = 190 + 300 * tick
        parts.append(f'<line class="grid" x1="{at}" x2="{at}" y1="8" y2="{height - 28}"/>')
        parts.append(f'<text x="{at}" y="{height - 10}" text-anchor="middle">{tick:.0%}</text>')
    for place, (name, value, low, high) in enumerate(found):
        y = 24 + 26 * place
        short = name if len(name) <= 28 else name[:27] + "…"
        said = f"{escape(name)}: {value:.1%} ({low:.1%} to {high:.1%})"
        parts.append(f'<text x="180" y="{y + 4}" text-anchor="end">{escape(short)}</text>')
        parts.append(f'<line class="l0" x1="{190 + 300 * low:.1f}" x2="{190 + 300 * high:.1f}" y1="{y}" y2="{y}"/>')
        parts.append(f'<circle class="c0" cx="{190 + 300 * value:.1f}" cy="{y}" r="4.5"><title>{said}</title></circle>')
    rows = [[name, f"{value:.1%}", f"{low:.1%} to {high:.1%}"] for name, value, low, high in found]
    told = f"{title}, with 95 % intervals."
    return Picture(title, _svg(title, told, parts, 510, height), columns, rows)


def stacks(title: str, found: Mapping[str, Mapping[str, float]]) -> Picture:
    """A bar for each name, of shares that add up to 1; negative ones hang to the left."""
    names = list(next(iter(found.values())))
    least = min(0.0, *(sum(min(0.0, v) for v in shares.values()) for shares in found.values()))
    most = max(1.0, *(sum(max(0.0, v) for v in shares.values()) for shares in found.values()))
    height = 52 * len(found) + 10
    parts: list[str] = []

    def at(value: float) -> float:
        return 6 + 488 * (value - least) / (most - least)

    for row, (label, shares) in enumerate(found.items()):
        y, right, left = 20 + 52 * row, 0.0, 0.0
        parts.append(f'<text x="6" y="{y - 5}">{escape(label)}</text>')
        for place, (name, share) in enumerate(shares.items()):
            start, end = (right, right + share) if share >= 0 else (left + share, left)
            right, left = (right + share, left) if share >= 0 else (right, left + share)
            width = at(end) - at(start)
            parts.append(
                f'<rect class="k{place % 6}" x="{at(start):.1f}" y="{y}" width="{width:.1f}" height="24">'
                f"<title>{escape(label)}: {name} {share:.1%}</title></rect>"
            )
            if width > 90:
                parts.append(
                    f'<text class="on" x="{at(start) + width / 2:.1f}" y="{y + 16}" text-anchor="middle">'
                    f"{name} {share:.0%}</text>"
                )
    rows = [[label, *(f"{share:.1%}" for share in shares.values())] for label, shares in found.items()]
    return Picture(title, _svg(title, f"{title}: shares by component.", parts, 500, height), ["", *names], rows)


class _Frame:
    """Axes of a picture: where values lie in it."""

    def __init__(self, low: float, high: float, bottom: float, top: float) -> None:
        self._low, self._wide = low, (high - low) or 1.0
        self._least, self._tall = bottom, (top - bottom) or 1.0
        self.bottom = HEIGHT - BOTTOM

    def x(self, value: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * (value - self._low) / self._wide

    def y(self, value: float) -> float:
        return self.bottom - (self.bottom - TOP) * (value - self._least) / self._tall

    def drawn(self, title: str, told: str, parts: Sequence[str], x: str, *, percent: bool) -> str:
        grid: list[str] = []
        for value in _ticks(self._least, self._least + self._tall):
            y = self.y(value)
            grid.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
            grid.append(f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{_shown(value, percent)}</text>')
        for value in _ticks(self._low, self._low + self._wide):
            grid.append(f'<text x="{self.x(value):.1f}" y="{self.bottom + 16}" text-anchor="middle">{value:g}</text>')
        if x:
            grid.append(
                f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 5}" text-anchor="middle">{escape(x)}</text>'
            )
        return _svg(title, told, [*grid, *parts], WIDTH, HEIGHT)


def _svg(title: str, told: str, parts: Sequence[str], width: int, height: int) -> str:
    name = f"picture-{next(_ids)}"
    return (
        f'<svg viewBox="0 0 {width} {height}" role="img" aria-labelledby="{name}-t {name}-d">'
        f'<title id="{name}-t">{escape(title)}</title><desc id="{name}-d">{escape(told)}</desc>{"".join(parts)}</svg>'
    )


def _binned(values: Sequence[float], low: float, width: float) -> list[float]:
    counts = [0] * BINS
    for value in values:
        counts[min(BINS - 1, max(0, int((value - low) / width + 1e-9)))] += 1
    return [one / len(values) if values else 0.0 for one in counts]


def _ticks(low: float, high: float) -> list[float]:
    """Some four round numbers in [low, high]."""
    rough = (high - low) / 4
    step = 10 ** math.floor(math.log10(rough))
    step *= next(factor for factor in (1, 2, 5, 10) if factor * step >= rough * 0.999)
    first = math.ceil(low / step - 1e-9)
    return [round(place * step, 10) for place in range(first, math.floor(high / step + 1e-9) + 1)]


def _shown(value: float, percent: bool) -> str:
    return f"{value:.3g}" if not percent else f"{value:.0%}" if value == round(value, 2) else f"{value:.1%}"
