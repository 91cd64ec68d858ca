"""Statements in words: several wordings each, in three notations, from `wordings.toml`.

And whole responses around them, as policies write them: think and answer blocks, or plain prose, from `writing.toml`.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from typing import Literal, TypeAlias

import tomllib

from perception_reward.service.audit.statements import Statement
from perception_reward.service.excerpt import THINK, WHOLE

Notation = Literal["words", "unicode", "latex"]
NOTATIONS: tuple[Notation, ...] = ("words", "unicode", "latex")
Wordings: TypeAlias = Mapping[str, Mapping[str, Sequence[str]]]

_SLOT = re.compile(r"\{([abv])\}")
_FRACTION = re.compile(r"\((\d+)/(\d+)\)")
_ROOT = re.compile(r"√\s?(\d+(?:\.\d+)?|[a-z]|\([^()]*\))")
# Elements that are the same when their points are read backwards.
_REVERSIBLE = frozenset({"length", "angle", "arc", "label", "perpendicular", "parallel", "equal_length", "equal_angle"})
_SWAPPABLE = frozenset({"perpendicular", "parallel", "equal_length", "equal_angle"})


@cache
def wordings() -> Wordings:
    """The packaged wordings: kind, then notation or `deny`, then templates."""
    text = files("perception_reward.service.audit").joinpath("wordings.toml").read_text("utf-8")
    return tomllib.loads(text)


def says(statement: Statement, notation: Notation) -> list[str]:
    """All wordings of the statement in a notation, as clauses."""
    return [_filled(template, statement, notation) for template in wordings()[statement.kind][notation]]


def denials(statement: Statement) -> list[str]:
    """Clauses that rule a relation, or a fact of kind `other`, out; none for values, whose denial is another value."""
    templates = wordings()[statement.kind].get("deny", ())
    return [_filled(template, statement, "words") for template in templates]


def reversed_names(statement: Statement) -> Statement | None:
    """The same statement with its names read backwards and, of a symmetric relation, exchanged."""
    if statement.kind not in _REVERSIBLE:
        return None
    names = [name[::-1] for name in statement.names]
    return replace(statement, names=tuple(names[::-1] if statement.kind in _SWAPPABLE else names))


def one_of(clauses: Sequence[str], rng: random.Random) -> str:
    return clauses[rng.randrange(len(clauses))]


def any_wording(statement: Statement, rng: random.Random) -> str:
    """A clause in any notation."""
    return one_of([clause for notation in NOTATIONS for clause in says(statement, notation)], rng)


def sentence(clause: str) -> str:
    """The clause as a sentence."""
    return capital(clause) + "."


def capital(clause: str) -> str:
    """The clause at a sentence's beginning; names and symbols stay as they are."""
    first = clause.partition(" ")[0]
    is_word = first == "a" or (len(first) > 1 and first.isalpha() and first.islower())
    return clause[0].upper() + clause[1:] if is_word else clause


def _filled(template: str, statement: Statement, notation: Notation) -> str:
    value = _value(statement, notation)
    a, b = ("".join(name) for name in (*statement.names, ())[:2])
    return _SLOT.sub(lambda slot: {"a": a, "b": b, "v": value}[slot[1]], template)


def _value(statement: Statement, notation: Notation) -> str:
    compound = " " in statement.value and statement.kind in ("angle", "arc")
    value = f"({statement.value})" if compound else statement.value
    if notation != "latex":
        return value
    value = _FRACTION.sub(r"\\frac{\1}{\2}", value)
    return _ROOT.sub(lambda root: rf"\sqrt{{{root[1].strip('()')}}}", value)


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
