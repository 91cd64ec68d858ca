"""Where commands print: no text is ever read as markup, whoever wrote it. Every console is made here."""

from __future__ import annotations

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text


def screen(*, stderr: bool = False, width: int | None = None) -> Console:
    """Standard output, or standard error. width: columns; those of the terminal where it is None."""
    return Console(stderr=stderr, markup=False, emoji=False, highlight=False, width=width)


def table(*columns: str, words: int = 1, edge: bool = True) -> Table:
    """A table of figures, which stand to the right behind the first `words` columns."""
    made = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), show_edge=edge)
    for place, column in enumerate(columns):
        made.add_column(column, justify="left" if place < words else "right")
    return made


def progress(console: Console) -> Progress:
    """A bar that goes when its work is done, and does not come where nobody watches."""
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        _Rate(),
        TimeRemainingColumn(),
    )
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)


class _Rate(ProgressColumn):
    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:.0f}/s" if task.speed else "")
