"""Reference answers and options as they travel: text, numbers, alternatives, lists and mappings.

texts_of(["4", "four"])                    # ("4", "four"): either is right
texts_of(0.25)                             # ("0.25",)
options_of(["30", "45"])                   # (("A", "30"), ("B", "45"))
options_of(["A. 30", "B. 45"])             # the same: their own labels are read
options_of({"1": "30", "2": "45"})         # (("1", "30"), ("2", "45"))
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from string import ascii_uppercase
from typing import Annotated, Any, TypeAlias, cast

from pydantic import Discriminator, Field, StrictFloat, StrictInt, Tag

MOST_ALTERNATIVES = 64
MOST_CHOICES = 26
FLOAT_DIGITS = 15
"""Of a float as a reference: what is behind is noise of its binary form."""

_TEXT, _NUMBER, _LIST, _MAPPING = "(string)", "(number)", "(list)", "(mapping)"


def _single_form(value: object) -> str | None:
    if isinstance(value, str):
        return _TEXT
    return _NUMBER if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def _answer_form(value: object) -> str | None:
    return _LIST if isinstance(value, list) else _single_form(value)


def _choices_form(value: object) -> str | None:
    if isinstance(value, Mapping):
        return _MAPPING
    return _LIST if isinstance(value, list) else None


_Number: TypeAlias = StrictInt | StrictFloat
Single: TypeAlias = Annotated[
    Annotated[str, Tag(_TEXT)] | Annotated[_Number, Tag(_NUMBER)],
    Discriminator(
        _single_form, custom_error_type="answer_form", custom_error_message="Input should be a string or a number"
    ),
]
# A list is read up to its first fault: telling a million of them would take seconds, and mend nothing sooner.
Answer: TypeAlias = Annotated[
    Annotated[str, Tag(_TEXT)]
    | Annotated[_Number, Tag(_NUMBER)]
    | Annotated[list[Single], Field(min_length=1, max_length=MOST_ALTERNATIVES, fail_fast=True), Tag(_LIST)],
    Discriminator(
        _answer_form,
        custom_error_type="answer_form",
        custom_error_message="Input should be a string, a number or a list of alternatives",
    ),
]
Choices: TypeAlias = Annotated[
    Annotated[list[Single], Field(max_length=MOST_CHOICES, fail_fast=True), Tag(_LIST)]
    | Annotated[dict[str, Single], Field(max_length=MOST_CHOICES), Tag(_MAPPING)],
    Discriminator(
        _choices_form,
        custom_error_type="choices_form",
        custom_error_message="Input should be a list of options or a mapping of their labels",
    ),
]
Tolerance: TypeAlias = Annotated[float, Field(ge=0.0, lt=1.0)]


def texts_of(answer: str | float | Sequence[str | float]) -> tuple[str, ...]:
    """The alternatives, each as text; a single answer is the only one."""
    if isinstance(answer, (str, int, float)):
        return (text_of_number(answer) if not isinstance(answer, str) else answer,)
    return tuple(text for single in answer for text in texts_of(single))


def text_of_number(number: float) -> str:
    """`5` for 5 and for 5.0, which tables with gaps make of it; floats to `FLOAT_DIGITS` digits."""
    if isinstance(number, int) or number.is_integer():
        return str(int(number))
    return format(number, f".{FLOAT_DIGITS}g")


_label = re.compile(
    r"\s*(?:[(\[（]\s*([A-Za-z]|\d{1,2})\s*[)\]）]|([A-Za-z])\s*[.:)、．：]|([A-Za-z])(?=\s)"
    # `1.5` is a number and no option "5" behind its label
    r"|(\d{1,2})(?:\s*[)、．：]|[.:](?=\s))|([①-⑳]))\s*(?=\S)"
)


def options_of(choices: Sequence[str | float] | Mapping[str, str | float]) -> tuple[tuple[str, str], ...]:
    """(label, text) of each option: a mapping's keys, the labels that all texts begin with, or else A, B, C, …"""
    if isinstance(choices, Mapping):
        named = cast("Mapping[str, Any]", choices)
        return tuple((label.strip(), _without_label(texts_of(text)[0], label)) for label, text in named.items())
    texts = [texts_of(choice)[0] for choice in choices]
    split = [_split(text) for text in texts]
    labels = [label for label, _ in split]
    return tuple(split if len(split) > 1 and _run_on(labels) else zip(ascii_uppercase, texts, strict=False))


def _split(text: str) -> tuple[str, str]:
    """(its own label in upper case, the rest); the label is empty where there is none."""
    match = _label.match(text)
    return ("", text) if match is None else (next(filter(None, match.groups())).upper(), text[match.end() :])


def _run_on(labels: Sequence[str]) -> bool:
    """Whether they are A, B, C, … or 1, 2, 3, … or ①, ②, ③, …: by chance a text may begin like a label."""
    return any("".join(labels) == "".join(map(str, run[: len(labels)])) for run in _RUNS)


_RUNS: tuple[Sequence[object], ...] = (
    ascii_uppercase,
    range(1, MOST_CHOICES + 1),
    [chr(ord("①") + place) for place in range(20)],
)


def _without_label(text: str, label: str) -> str:
    found, rest = _split(text)
    return rest if found and found == label.strip().upper() else text
