"""Replies as JSON of a form: read, mended where that is safe, or told what is wrong with them.

Mended is what surrounds the JSON (a fence, a sentence before it), LaTeX whose backslash is not doubled (`\\triangle`
would be a tab and `riangle`), and an end that was cut off: what was whole until then counts. Anything else is asked
again."""

from __future__ import annotations

import re

from pydantic import BaseModel, ValidationError
from pydantic_core import from_json

_FENCE = re.compile(r"```(?:json)?\s*(.*?)(?:```|\Z)", re.DOTALL)
_THOUGHT = re.compile(r"\A\s*<think>.*?</think>", re.DOTALL)
# LaTeX that begins like an escape of JSON; other commands are no JSON at all with one backslash.
_COMMANDS = (
    "bar|begin|beta|bigtriangleup|bot|boxed|frac|forall|nabla|ne|neq|nu|rangle|rho|right|rightarrow|tan|text|textbf"
    "|textit|textrm|tfrac|therefore|theta|tilde|times|top|triangle"
)
_BACKSLASH = re.compile(rf"(\\\\)|\\(?=(?:{_COMMANDS})(?![A-Za-z]))|\\(?![\"\\/bfnrtu])|\\(?=u(?![0-9A-Fa-f]{{4}}))")


class NotOfTheForm(ValueError):
    """The reply is not what was asked for; the message says what is wrong, for whoever wrote it."""


def read_reply(text: str, form: type[BaseModel], *, cut: bool = False) -> BaseModel:
    """The reply as `form`. cut: its end is missing. Raises `NotOfTheForm`."""
    text = _THOUGHT.sub("", text)
    fenced = _FENCE.search(text)
    found = (fenced[1] if fenced else text).strip()
    start = found.find("{")
    if start < 0:
        raise NotOfTheForm("it holds no JSON object")
    found = _BACKSLASH.sub(lambda one: one[1] or r"\\", found[start:])
    end = found.rfind("}")
    try:
        value: object = from_json(found[: end + 1] if not cut and end >= 0 else found, allow_partial=cut)
    except ValueError as error:
        raise NotOfTheForm(f"it is not JSON ({error})") from None
    try:
        return form.model_validate(value)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise NotOfTheForm(f"its {where or 'form'} is wrong: {first['msg']}") from None
