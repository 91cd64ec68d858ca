"""A fact as the audit takes it apart: its kind, the elements it names and its value.

The symbolic judge's reader of facts does the parsing. A fact that it cannot read, or that is of a kind without wordings
of its own, is of kind `other`: a clause that can be framed but not taken apart.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain

from perception_reward.annotations.language.geometry.elements import Element
from perception_reward.annotations.language.geometry.facts import fact_claims
from perception_reward.annotations.language.geometry.statements import Claim
from perception_reward.annotations.language.names import NAME, points_of
from perception_reward.annotations.language.units import is_degrees
from perception_reward.annotations.language.values import Value, parse
from perception_reward.annotations.stated import RELATIONS
from perception_reward.trainer_client.wire import Fact

# For arcs that are equal there are no wordings.
_RELATIONS = {between: kind for between, kind in RELATIONS.items() if kind != "equal_arc"}
VALUED = frozenset({"length", "angle", "arc", "radius", "label"})
_NAME = re.compile(NAME)
_SMALL = frozenset({"the", "a", "an", "there", "this", "that", "these", "those", "one", "two", "three", "four", "five",
                    "six", "some", "all", "no", "each", "every", "both", "it", "its", "in", "on", "at"})  # fmt: skip
_WORD = re.compile(r"\w+")
# A fact with one of these words is about the others of its kind too.
_SWEEPING = re.compile(r"\b(?:\w+est|most|least|total|sum|all|every|only|more|less|than|between)\b", re.IGNORECASE)
# Facts that have this share of their words in common may be about the same thing.
_ALIKE = 0.6


@dataclass(frozen=True, slots=True)
class Statement:
    """What a fact says.

    kind: a heading of `wordings.toml`.
    names: the points of each element it is about; of kind `other`, the clause.
    value: as plain text, '' where it has none; number: its size, None where it has unknowns or no value.
    """

    kind: str
    names: tuple[tuple[str, ...], ...]
    value: str = ""
    number: float | None = None

    @property
    def points(self) -> frozenset[str]:
        """The points that it names."""
        if self.kind == "other":
            names = map(points_of, _NAME.findall(self.clause))
            return frozenset(chain.from_iterable(points for points in names if len(points) > 1))
        return frozenset(chain.from_iterable(self.names))

    @property
    def clause(self) -> str:
        """The words of a fact of kind `other`."""
        return self.names[0][0]

    @property
    def vertex(self) -> str | None:
        """The vertex of an angle of three points."""
        measured = self.kind in ("angle", "label", "equal_angle")
        return self.names[0][1] if measured and len(self.names[0]) == 3 else None


def read_statement(fact: Fact) -> Statement:
    """The fact's statement. Never raises."""
    claims = fact_claims(fact.text)
    read = _of_claim(claims[0], fact) if len(claims) == 1 else None
    return read or Statement("other", ((_clause(fact.text),),))


def _of_claim(claim: Claim, fact: Fact) -> Statement | None:
    if claim.relation == "value":
        value, unit = claim.values[-1]
        kind = _valued_kind(claim.subject, unit, fact.kind)
        text = _value_text(fact.text, value)
        return Statement(kind, (claim.subject.points,), text, value.number) if kind and text else None
    if claim.object is None:
        return None
    kind = _RELATIONS.get((claim.relation, claim.subject.kind, claim.object.kind))
    return Statement(kind, (claim.subject.points, claim.object.points)) if kind else None


def _valued_kind(subject: Element, unit: str, fact_kind: str) -> str | None:
    degrees = is_degrees(unit)
    match subject.kind:
        case "segment":
            return "length"
        case "angle":
            return "angle" if degrees else "label" if fact_kind == "label" else None
        case "arc":
            return "arc" if degrees else None
        case "radius":
            return "radius" if len(subject.points) == 1 else None
        case _:
            return None


def _value_text(text: str, value: Value) -> str:
    """The longest stretch of the fact's words that denotes `value`."""
    words = text.rstrip(". ").replace("°", " ").split()
    for length in range(len(words), 0, -1):
        for start in range(len(words) - length + 1):
            stretch = " ".join(words[start : start + length]).rstrip(".,;")
            if parse(stretch) == value:
                return _bare(stretch)
    return ""


def _bare(text: str) -> str:
    return text[1:-1] if text.startswith("(") and text.find(")") == len(text) - 1 else text


def _clause(text: str) -> str:
    clause = text.strip().rstrip(".") or text
    first = clause.partition(" ")[0]
    return clause[0].lower() + clause[1:] if first.lower() in _SMALL else clause


def independent(one: Statement, other: Statement) -> bool:
    """Whether neither says anything of the other, as far as names and words tell; in doubt False."""
    if "other" in (one.kind, other.kind):
        if one.kind != other.kind:
            return len(one.points & other.points) < 2
        return len(one.points & other.points) < 2 and _unlike(one.clause, other.clause)
    shared = one.points & other.points
    if len(shared) < 2:
        return True
    if one.kind not in VALUED or other.kind not in VALUED:
        return False
    return distinct(one, other) and (one.kind != other.kind or one.value != other.value)


def distinct(one: Statement, other: Statement) -> bool:
    """Whether two measured elements cannot be one and the same: angles differ in their vertex, others in an end."""
    if one.kind != other.kind:
        return one.vertex is None or other.vertex is None or one.vertex != other.vertex
    if one.vertex is not None and other.vertex is not None:
        return one.vertex != other.vertex
    return frozenset(one.names[0]) != frozenset(other.names[0])


def _unlike(one: str, other: str) -> bool:
    left, right = (set(_WORD.findall(text.lower())) for text in (one, other))
    if _SWEEPING.search(one) or _SWEEPING.search(other):
        return not (left & right) - _SMALL
    return len(left & right) / max(1, min(len(left), len(right))) < _ALIKE or _other_subject(one, other)


def _other_subject(one: str, other: str) -> bool:
    """ "The bar for Monday shows 40" says nothing of "the bar for Thursday shows 60": another name stands there."""
    left, right = one.split(), other.split()
    differing = [pair for pair in zip(left, right, strict=False) if pair[0] != pair[1]]
    return len(left) == len(right) and any(a[:1].isupper() and b[:1].isupper() for a, b in differing)


def all_independent(one: Statement, others: Iterable[Statement]) -> bool:
    return all(independent(one, other) for other in others)
