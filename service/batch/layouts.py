"""What the fields of a rollout are called in the files of trainers and benchmarks: one table, `LAYOUTS`.

    layout = recognised([{"input": "AB?", "output": "AB = 5", "gts": "5", "score": 1.0, "step": 3}])
    layout.name                                     # 'verl'
    layout.sources["response"]                      # ('output',)

A layout names, for each field of a rollout, where it may stand; the first place that a record holds gives it. A place
is a column, or a path such as `response.body.choices.*.message`: names, positions, and `*` for each element of a list,
where each makes a rollout of its own. Fields that a layout does not name are looked for under their own names, so that
a column `annotation_id` is read wherever somebody has added one. `--map response=output` overrides a layout.
"""

from __future__ import annotations

import ast
import json
import string
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias, cast

from perception_reward.trainer_client.wire import ScoreItem

Places: TypeAlias = tuple[str, ...]
Record: TypeAlias = Mapping[str, object]

# What a result is written with, and what tells the response's beginning, besides the fields of an item.
TARGETS = (*ScoreItem.model_fields, "step", "prompt", "thought")
# The place of options that have a column each, named by their letters.
LETTERS = "A…Z"
LETTER_COLUMNS = tuple(string.ascii_uppercase)
EACH = "*"


@dataclass(frozen=True, slots=True)
class Layout:
    """needs: fields that all have to be there for a file to be recognised. sources: places by target."""

    name: str
    needs: frozenset[str]
    sources: Mapping[str, Places]

    def places(self, target: str) -> Places:
        return self.sources.get(target, (target,))

    @property
    def columns(self) -> frozenset[str]:
        """All columns that it may read."""
        places = [place for target in TARGETS for place in self.places(target)]
        letters = string.ascii_uppercase if LETTERS in places else ""
        return frozenset((*places, *(place.split(".")[0] for place in places), *letters))

    def mapped(self, named: Mapping[str, str]) -> Layout:
        """With the places of `--map`."""
        return replace(self, sources={**self.sources, **{target: (place,) for target, place in named.items()}})

    def found_in(self, records: Sequence[Record]) -> dict[str, str]:
        """By target, the place that gives it in one of the records."""
        found: dict[str, str] = {}
        for target in TARGETS:
            for place in self.places(target):
                if any(at(record, place) is not None for record in records):
                    found[target] = place
                    break
        return found

    def describe(self, records: Sequence[Record]) -> str:
        """`verl: response from output, answer from gts, prompt from input, step`."""
        found = self.found_in(records)
        named = [name if place == name else f"{name} from {place}" for name, place in found.items()]
        return f"{self.name}: {', '.join(named) or 'no field that is known'}"


def _layout(name: str, needs: str, **sources: str) -> Layout:
    return Layout(name, frozenset(needs.split()), {target: tuple(places.split()) for target, places in sources.items()})


OURS = _layout("perception-reward", "response")
# The side table of an earlier job.
MISSING = Layout(
    "missing rows",
    frozenset(("line", "reason", "item")),
    {name: (f"item.{name}",) for name in ScoreItem.model_fields},
)
# The first whose fields are all there. The reference project's evaluations write their benchmark's layout.
LAYOUTS = (
    MISSING,
    _layout(
        "OpenAI batch",
        "custom_id response",
        id="custom_id",
        response="response.body.choices.*.message response.body.output response.body.choices.*.text",
    ),
    _layout("verl", "input output score", response="output", answer="gts", prompt="input"),
    _layout("TRL", "prompt completion", response="completion", answer="answer solution ground_truth"),
    _layout("lmms-eval", "doc_id filtered_resps", id="doc_id", response="resps.*.* filtered_resps.*", answer="target"),
    _layout(
        "VLMEvalKit",
        "index prediction",
        id="index",
        response="prediction",
        thought="thinking",
        choices=f"choices {LETTERS}",
    ),
    _layout("MathVista", "pid answer_type response", id="pid"),
    _layout(
        "MathVerse",
        "sample_index problem_version",
        id="sample_index",
        group="problem_index",
        response="model_answer response",
    ),
    _layout("MATH-V", "id response options", choices="options"),
    _layout("MATH-V", "id response model_answer", choices="options"),
    _layout("We-Math", "ID option response", id="ID"),
    OURS,
)
KNOWN = frozenset(column for layout in LAYOUTS for column in layout.columns)


def recognised(records: Sequence[Record], columns: Iterable[str] = ()) -> Layout:
    """The layout of a file that begins with `records`, or whose table has `columns`; ours where it is no other."""
    there = frozenset(columns).union(*records)
    return next((layout for layout in LAYOUTS if layout.needs <= there), OURS)


def read_map(named: str) -> dict[str, str]:
    """`response=output,answer=gts` as a mapping. Raises `ValueError` that says what is wrong."""
    found: dict[str, str] = {}
    for part in named.split(","):
        target, equals, place = (piece.strip() for piece in part.partition("="))
        if not equals or not place:
            raise ValueError(f"{part.strip()!r} is not FIELD=COLUMN, such as response=output")
        if target not in TARGETS:
            raise ValueError(f"{target!r} is no field of a rollout; they are {', '.join(TARGETS)}")
        found[target] = place
    return found


def at(record: Record, place: str) -> object:
    """What a record holds at a place; None where it holds nothing. A list for a place with `*`."""
    if place in record:
        return record[place]
    if place == LETTERS:
        return _lettered(record)
    if "." not in place:
        return None
    return _along(record, place.split("."))


def _along(value: object, steps: Sequence[str]) -> object:
    for number, step in enumerate(steps):
        if step == EACH:
            each = cast("list[object]", value) if isinstance(value, list) else [value]
            found = [_along(one, steps[number + 1 :]) for one in each]
            if EACH in steps[number + 1 :] and None not in found:
                found = [one for several in cast("list[list[object]]", found) for one in several]
            return found if found and None not in found else None
        if isinstance(value, Mapping):
            value = cast("Mapping[str, object]", value).get(step)
        elif isinstance(value, list) and step.isdecimal() and int(step) < len(cast("list[object]", value)):
            value = cast("list[object]", value)[int(step)]
        else:
            return None
    return value


def _lettered(record: Record) -> dict[str, str] | None:
    options: dict[str, str] = {}
    for letter in string.ascii_uppercase:
        option = record.get(letter)
        # NaN is what a table has where there is no such option.
        if option is None or option == "" or option != option:
            break
        options[letter] = str(option)
    return options or None


def alternatives_of_text(value: object) -> object:
    """Several right answers that stand as Python shows a list of texts; anything else as it is."""
    found = options_of_text(value) if isinstance(value, str) and value.startswith(("['", '["')) else None
    texts = cast("list[object]", found) if isinstance(found, list) else []
    return texts if texts and all(isinstance(one, str) for one in texts) else value


def options_of_text(value: object) -> Any:
    """Options that a cell holds as text, in JSON or as Python shows a list; no options for an empty list."""
    if isinstance(value, str):
        for read in (json.loads, ast.literal_eval):
            try:
                value = read(value)
                break
            except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
                continue
        else:
            return None
    return cast(Any, value) if isinstance(value, list | dict) and value else None
