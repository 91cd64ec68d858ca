"""What a step asks of a model, and what it gets.

A step is a generator: it yields the asks that it needs next, all at once, and is sent their answers. Who drives it
decides where answers come from: a journal, an endpoint, or an estimate.

    def step(problem: Problem) -> Steps[str]:
        [answer] = yield [Ask(prompt.version, prompt.filled(question=problem.question))]
        return answer.text

Nothing in an answer raises: a refusal, or a reply that is never of the form asked for, is an answer with `why`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, TypeAlias, TypeVar

from pydantic import BaseModel

from perception_reward.annotations.pipeline.images import Picture
from perception_reward.annotations.pipeline.journal import KEY_DIGITS

T = TypeVar("T")

REFUSED = "the model refused"
NOT_THE_FORM = "no reply was of the form asked for"
REJECTED = "the server rejected the request"


@dataclass(frozen=True, slots=True)
class Ask:
    """One request. prompt: the prompt's name and version. images: of the problem, before the text.

    form: what the reply has to be, as JSON; None for free text. sample: tells asks apart that are alike. expected:
    tokens of a usual reply. supposed: a reply with which an estimate goes on."""

    prompt: str
    text: str
    images: tuple[Picture, ...] = ()
    form: type[BaseModel] | None = None
    sample: int = 0
    expected: int = 256
    supposed: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """text: the reply, empty where there is none. value: the reply as `Ask.form`. why: why there is no reply that can
    be used, in words that can be counted; detail: what is particular."""

    text: str = ""
    value: BaseModel | None = None
    why: str = ""
    detail: str = ""
    cut: bool = False


Steps: TypeAlias = Generator[Sequence[Ask], list[Answer], T]


@dataclass(frozen=True, slots=True)
class Sampling:
    """Which model is asked, and how. extra: more fields of the request, as the server knows them."""

    model: str
    temperature: float = 0.0
    top_p: float = 1.0
    max_tokens: int = 2048
    seed: int = 0
    extra: Mapping[str, Any] = field(default_factory=dict[str, Any])

    @property
    def said(self) -> str:
        """The settings in a line, as provenance names them."""
        more = f" extra={json.dumps(self.extra, sort_keys=True)}" if self.extra else ""
        return (
            f"temperature={self.temperature:g} top_p={self.top_p:g} max_tokens={self.max_tokens} seed={self.seed}{more}"
        )


def key_of(sampling: Sampling, ask: Ask, attempt: int = 0) -> str:
    """Changes with everything that can change the reply; not with the address of the server."""
    parts = (
        f"{sampling.model} {sampling.said}",
        ask.prompt,
        ask.text,
        _schema_text(ask.form) if ask.form else "",
        str((ask.sample, attempt)),
        *(picture.identity for picture in ask.images),
    )
    hasher = hashlib.blake2b(digest_size=KEY_DIGITS // 2)
    for part in parts:
        data = part.encode("utf-8", "surrogatepass")
        hasher.update(len(data).to_bytes(8, "big"))
        hasher.update(data)
    return hasher.hexdigest()


@lru_cache(maxsize=64)
def _schema_text(form: type[BaseModel]) -> str:
    return json.dumps(schema_of(form), sort_keys=True)


@lru_cache(maxsize=64)
def schema_of(form: type[BaseModel]) -> dict[str, Any]:
    """The JSON Schema of `form`, as strict servers want it: every field required, and no others allowed."""
    return _strict(form.model_json_schema())


def _strict(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_strict(one) for one in schema]  # pyright: ignore[reportUnknownVariableType]
    if not isinstance(schema, dict):
        return schema
    found: dict[str, Any] = {
        name: _strict(value)
        for name, value in schema.items()  # pyright: ignore[reportUnknownVariableType]
        if name not in ("title", "default", "description") or not isinstance(value, str | int | float | list | None)
    }
    if isinstance(found.get("properties"), dict):
        found |= {"required": list(found["properties"]), "additionalProperties": False}
    return found
