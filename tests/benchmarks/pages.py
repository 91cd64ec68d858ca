"""Figures in documents: what a benchmark prints, between markers of a page."""

from __future__ import annotations

from pathlib import Path


def write_between(target: Path, name: str, text: str) -> None:
    """Put `text` between the markers `<!-- name: begin -->` and `<!-- name: end -->`."""
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    page = target.read_text(encoding="utf-8")
    if begin not in page or end not in page:
        raise SystemExit(f"{target} lacks the markers {begin} and {end}; put them where the tables go")
    before, rest = page.split(begin, 1)
    target.write_text(f"{before}{begin}\n\n{text}\n\n{end}{rest.split(end, 1)[1]}", encoding="utf-8")
