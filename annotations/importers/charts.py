"""Tables behind charts: a CSV file each, with what is counted in the first column and a series in each other one.

Entity,2019,2020,2021          The value of 2020 for India is 2.39.                       value, seen
Nigeria,43.21,43.63,44.03      Of all values of 2020, that for Nigeria is the highest.    extreme, derived
India,3.57,2.39,1.57           The values for India fall from 2019 to 2021.               trend, derived
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from typing import cast

from perception_reward.annotations.faults import Record
from perception_reward.annotations.importers.model import Draft, Importer, Problem, Refused, text
from perception_reward.annotations.importers.sources import table, whole_files
from perception_reward.annotations.language.literals import read_number

# Headers that name no series.
UNNAMED = frozenset({"value", "values", "y", ""})
MOST_VALUES = 2000
LARGEST = 10**300
_YEAR = re.compile(r"(?:1[5-9]|20|21)\d\d")
_MARKS = re.compile(r"^[$€£¥]|\s*%$")


def read(content: str) -> Record:
    """The cells of a CSV file."""
    cells = table(content)
    if len(cells) < 2 or len(cells[0]) < 2:
        raise ValueError("has no header with two columns and a row below it")
    return {"cells": cells}


def make(row: Record) -> Problem:
    """A table's values, and what they imply."""
    header, *lines = [[cell.strip() for cell in cells] for cells in cast("list[list[str]]", row["cells"])]
    problem = Problem(id=text(row, "id"), images=[f"{row['id']}.png"])
    named: dict[str, list[str]] = {}
    for line in lines:
        name = line[0]
        if len(line) != len(header):
            problem.refused.append(Refused("is a line of another length than the header", ", ".join(line)))
        elif not name or name in named:
            problem.refused.append(Refused("is a second line of the same name, or one of none", name))
        else:
            named[name] = line[1:]
    numbers = {
        (name, column): found
        for name, cells in named.items()
        for column, cell in zip(header[1:], cells, strict=True)
        if (found := _number(name, column, cell, problem)) is not None
    }
    if len(numbers) > MOST_VALUES:
        raise Refused(f"has more than {MOST_VALUES} values", len(numbers))
    problem.drafts += _values(named, header[1:], numbers)
    problem.drafts += _extremes(list(named), header[1:], numbers)
    problem.drafts += _trends(list(named), header[1:], numbers)
    return problem


def _number(name: str, column: str, cell: str, problem: Problem) -> float | None:
    plain = _MARKS.sub("", _MARKS.sub("", cell)).strip()
    number = read_number(plain.replace("−", "-")) if any(map(str.isdecimal, plain)) else None
    if number is not None and abs(number.value) < LARGEST:
        return float(number.value)
    problem.refused.append(Refused("is no number", f"{name}, {column}: {cell}"))
    return None


def _of(column: str) -> str:
    return "value" if column.casefold() in UNNAMED else f"value of {column}"


def _values(
    named: dict[str, list[str]], columns: Sequence[str], numbers: dict[tuple[str, str], float]
) -> Iterator[Draft]:
    for name, cells in named.items():
        for column, cell in zip(columns, cells, strict=True):
            if (name, column) in numbers:
                yield Draft(f"The {_of(column)} for {name} is {cell}.", "value")


def _extremes(names: Sequence[str], columns: Sequence[str], numbers: dict[tuple[str, str], float]) -> Iterator[Draft]:
    """Only of a whole series of at least three values, and only where one value alone is at the end."""
    for column in columns:
        series = {name: numbers[name, column] for name in names if (name, column) in numbers}
        if len(series) < max(3, len(names)):
            continue
        choose: Callable[..., float]
        for choose, word in ((max, "highest"), (min, "lowest")):
            end = [name for name, value in series.items() if value == choose(series.values())]
            if len(end) == 1:
                said = "values" if _of(column) == "value" else f"values of {column}"
                yield Draft(f"Of all {said}, that for {end[0]} is the {word}.", "extreme", "derived")


def _trends(names: Sequence[str], columns: Sequence[str], numbers: dict[tuple[str, str], float]) -> Iterator[Draft]:
    """Along years, in the header or in the first column, where every step goes the same way."""
    if len(columns) >= 3 and all(map(_YEAR.fullmatch, columns)):
        for name in names:
            series = [(year, numbers.get((name, year))) for year in columns]
            yield from _trend(f"The values for {name}", series)
    if len(names) >= 3 and all(map(_YEAR.fullmatch, names)):
        for column in columns:
            series = [(year, numbers.get((year, column))) for year in names]
            yield from _trend("The values" if _of(column) == "value" else f"The values of {column}", series)


def _trend(what: str, series: Sequence[tuple[str, float | None]]) -> Iterator[Draft]:
    values = [value for _, value in sorted(series) if value is not None]
    if len(values) < len(series):
        return
    steps = {(after > before) - (after < before) for before, after in itertools.pairwise(values)}
    years = sorted(year for year, _ in series)
    if steps == {1} or steps == {-1}:
        yield Draft(f"{what} {'rise' if steps == {1} else 'fall'} from {years[0]} to {years[-1]}.", "trend", "derived")


CHARTS = Importer(
    "charts",
    "a folder of CSV files, one behind each chart, as ChartQA's tables",
    ("value", "extreme", "trend"),
    whole_files(read, ".csv"),
    make,
)
