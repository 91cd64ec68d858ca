"""Who is compared with whom: what a fact says of two things is not said of them the other way round.

    "A is taller than B"        # to the fact "B is taller than A" a denial
    "A is left of B"            # to the fact "B is right of A" the same

A fact about a relation has what stands before it, and what it is compared with. A passage that has the two in each
other's places is read from the fact's side: the relation is denied there, or is its opposite.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from operator import attrgetter

from perception_reward.service.judges.symbolic.passages import Passages
from perception_reward.service.judges.symbolic.terms import Key, Term, opposite

# Relations of a fact that are looked at in a response, and how many characters of a clause on either side.
_MOST = 48
_CLAUSE = 160
# Words that relate what stands before them to what stands behind them, alone, before "of", and before "than".
_ALONE = re.compile(
    r"above|over|atop|below|under|beneath|underneath|behind|inside|within|outside|exceed(?:s|ed)?", re.I
)
_OF = re.compile(r"(?:left|right|front|top)\b(?= of\b)", re.I)
_COMPARATIVE = re.compile(r"more|less|fewer|worse|\w+er", re.I)
_THAN = re.compile(r"\bthan\b", re.I)
_AHEAD = re.compile(r"\s*(?:(?:just|directly|immediately|to|on|at|in|the)\s+)*", re.I)
_BREAK = re.compile(r"[,;:!?()\n]|\.(?!\d)|\b(?:and|but|or|while|whereas|which|because|since|so|if)\b", re.I)

_start = attrgetter("start")


@dataclass(frozen=True, slots=True)
class Roles:
    """A relation, the one that says the same of things in each other's places, what only the first thing has, and
    what the second begins with."""

    relation: Key
    opposite: Key | None
    first: frozenset[Key]
    second: Key

    def are_swapped(self, before: Sequence[Key], after: Sequence[Key]) -> bool:
        """Whether the first stands behind the relation, and the second before it."""
        return self.second in before and self.second not in after and not self.first.isdisjoint(after)


def roles_of(text: str, terms: Sequence[Term]) -> Roles | None:
    """The roles in a fact; None where it has no relation, more than one, or one with nothing on a side."""
    found = [(term, sides) for term in terms if (sides := _sides(text, term, terms))]
    if not found or any(sides != found[0][1] for _, sides in found):
        return None
    term, (before, after) = found[-1]
    first = frozenset(before).difference(after, (term.key,))
    second = next((key for key in after if key not in before), None)
    return Roles(term.key, opposite(term.key), first, second) if first and second else None


def from_its_side(roles: Roles, units: Passages) -> Passages:
    """The passages with every relation that has the two in each other's places read from the fact's side."""
    turned: dict[int, dict[int, Term]] = {}
    for at, term in islice(_relations(roles, units), _MOST):
        sides = _sides(units.all[at].sentence.text, term, units.all[at].terms)
        if sides and roles.are_swapped(*sides):
            turned.setdefault(at, {})[term.at] = _turned(roles, term)
    return units.with_terms(turned) if turned else units


def _relations(roles: Roles, units: Passages) -> Iterator[tuple[int, Term]]:
    for key in (roles.relation, roles.opposite):
        for at, found in units.places.get(key, {}).items() if key else ():
            yield from ((at, term) for term in found)


def _turned(roles: Roles, term: Term) -> Term:
    if term.key == roles.opposite:
        return replace(term, key=roles.relation)
    # That A is not taller than B does not make B taller.
    return replace(term, idle=True) if term.denied else replace(term, denied=True)


def _sides(text: str, term: Term, terms: Sequence[Term]) -> tuple[list[Key], list[Key]] | None:
    """What stands before a relation in its clause, and what behind it; None for what is no relation.

    A clause that begins with it names the second thing first: "above the table is the lamp".
    """
    place = _place(text, term)
    if place is None:
        return None
    start, end = place
    breaks = [match.end() for match in _BREAK.finditer(text, max(0, start - _CLAUSE), start)]
    begin = breaks[-1] if breaks else max(0, start - _CLAUSE)
    stop = _BREAK.search(text, end, end + _CLAUSE)
    last = stop.start() if stop else end + _CLAUSE
    before, after = _within(terms, begin, start), _within(terms, end, last)
    return (after[1:], after[:1]) if _AHEAD.fullmatch(text, begin, start) else (before, after)


def _within(terms: Sequence[Term], start: int, end: int) -> list[Key]:
    first = bisect_left(terms, start, key=_start)
    return [term.key for term in terms[first : bisect_left(terms, end, first, key=_start)]]


def _place(text: str, term: Term) -> tuple[int, int] | None:
    """The [start, end) between what stands before a relation and what it is compared with."""
    word = text[term.start : term.end]
    if _ALONE.fullmatch(word) or _OF.match(text, term.start):
        return term.start, term.end
    if not _COMPARATIVE.fullmatch(word):
        return None
    than = _THAN.search(text, term.end, term.end + _CLAUSE)
    return than.span() if than and not _BREAK.search(text, term.end, than.start()) else None
