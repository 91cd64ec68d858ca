"""Responses as policies write them: think and answer blocks, or plain prose, around given sentences."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

import tomllib

from perception_reward.service.excerpt import THINK, WHOLE

Form = Literal["blocks", "prose", "list"]
_FORMS: tuple[Form, ...] = ("blocks", "blocks", "prose", "list")
# Filler in front of a statement in a long response, in characters; most policies think for less.
LONG = 6_000


@dataclass(frozen=True, slots=True)
class Page:
    """What a response holds besides the sentences that matter; the same page makes variants comparable."""

    form: Form
    opener: str
    before: str
    after: str
    closer: str
    answer: str
    scope: str = WHOLE

    def write(self, sentences: Sequence[str], *, padding: tuple[str, str] = ("", "")) -> str:
        """The whole response. `padding` stands in front of and behind the sentences."""
        thought = self.thought(sentences, padding=padding)
        if self.form == "prose" and self.scope == WHOLE:
            return f"{thought}\n\nThe answer is {self.answer}."
        return enclosed(thought, self.answer, self.scope)

    def thought(self, sentences: Sequence[str], *, padding: tuple[str, str] = ("", "")) -> str:
        """What the response holds besides its blocks and its answer."""
        separator = "\n- " if self.form == "list" else " "
        told = separator.join(part for part in (self.before, *sentences, self.after) if part)
        told = f"\n- {told}\n" if self.form == "list" else told
        parts = [self.opener, padding[0], told, padding[1], self.closer]
        return " ".join(part for part in parts if part)


def enclosed(thought: str, answer: str, scope: str = WHOLE) -> str:
    """A response in blocks, with `thought` where a judge of that scope reads it."""
    boxed = f"<answer>\\boxed{{{answer}}}</answer>"
    if scope in (WHOLE, THINK):
        return f"<think>\n{thought}\n</think>\n{boxed}"
    return f"<{scope}>\n{thought}\n</{scope}>\n<think>\nThe rest is calculation.\n</think>\n{boxed}"


def page(rng: random.Random, answer: str | None, scope: str = WHOLE) -> Page:
    """A page drawn at random. It says nothing about any figure but, in the end, the problem's answer.

    scope: the part of the response that holds the sentences: what a judge of that scope reads.
    """
    phrases = _phrases()
    before, after = rng.sample(phrases["fillers"], 2)
    return Page(
        form=rng.choice(_FORMS),
        opener=rng.choice(phrases["openers"]),
        before=before if rng.random() < 0.4 else "",
        after=after if rng.random() < 0.4 else "",
        closer=rng.choice(phrases["closers"]),
        answer=answer or "0",
        scope=scope,
    )


def filler(rng: random.Random, characters: int) -> str:
    """At least so many characters that say nothing about any figure."""
    phrases = _phrases()["fillers"]
    chosen: list[str] = []
    length = 0
    while length < characters:
        chosen.append(rng.choice(phrases))
        length += len(chosen[-1]) + 1
    return " ".join(chosen)


@cache
def _phrases() -> Mapping[str, list[str]]:
    text = files("perception_reward.service.audit").joinpath("writing.toml").read_text("utf-8")
    return tomllib.loads(text)
