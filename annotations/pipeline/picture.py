"""Counts as a picture: bars with their names and numbers, an SVG that is readable on light and dark pages."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

WIDTH, ROW, NAME, BAR = 760, 24, 330, 340
_STYLE = (
    "text{font:13px system-ui,sans-serif;fill:#222}.h{font-weight:600}rect{fill:#4a7ab5}"
    "@media(prefers-color-scheme:dark){text{fill:#ddd}rect{fill:#7aa6d8}}"
)


def bars(parts: Sequence[tuple[str, Sequence[tuple[str, int]]]], title: str) -> str:
    """Each part is a heading with its (name, count)s. Lengths are to the scale of the part's largest count."""
    lines: list[str] = []
    at = ROW
    for heading, counts in parts:
        lines.append(f'<text class="h" x="8" y="{at}">{escape(heading)}</text>')
        at += ROW
        most = max((count for _, count in counts), default=0) or 1
        for name, count in counts:
            length = round(BAR * count / most, 1)
            lines.append(
                f'<text x="{NAME - 8}" y="{at}" text-anchor="end">{escape(name)}</text>'
                f'<rect x="{NAME}" y="{at - 13}" width="{length}" height="16" rx="2"/>'
                f'<text x="{NAME + length + 6}" y="{at}">{count:,}</text>'
            )
            at += ROW
        at += ROW // 2
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {at}" width="{WIDTH}" height="{at}" role="img">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style>{''.join(lines)}</svg>\n"
    )
