"""From the evidence for a fact to a verdict.

What is asserted of the element counts; what is negated, hedged, supposed, asked or offered as an option does not. A
response that says the fact and something that rules it out has contradicted it, unless it took the other thing back
("no wait", "correction") before it came to the fact.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from typing import TypeAlias

from perception_reward.annotations.language.geometry.elements import Element
from perception_reward.annotations.language.geometry.items import read_items
from perception_reward.annotations.language.geometry.statements import Claim
from perception_reward.annotations.language.sentences import Document, Sentence
from perception_reward.annotations.language.units import is_degrees
from perception_reward.service.judges.base import Verdict
from perception_reward.service.judges.symbolic.claims import Claims
from perception_reward.service.judges.symbolic.evidence import SHAPES, Bearing, evidence_for, numbered

_RETRACTION = re.compile(
    r"\b(?:no,? wait|wait,|hold on|correction|scratch that|my mistake|i made a mistake|i misread"
    r"|let me (?:correct|redo)|on second thought|sorry|that(?:'s| is) (?:wrong|not right|incorrect)|actually,? no"
    r"|let me re-?(?:check|read|examine))",
    re.IGNORECASE,
)
# Each of the phrases holds one of these.
_RETRACTING = ("wait", "hold on", "correction", "scratch", "mistake", "misread", "let me re", "let me co",
               "second thought", "sorry", "that's", "that is", "actually")  # fmt: skip
# Facts about an angle or arc that are not about its size in degrees.
_NO_SIZE = re.compile(r"\b(?:labell?ed|numbered|marked|length)\b", re.IGNORECASE)
_STATING = frozenset({"asserted", "weak"})
_NUMBER = re.compile(r"(?<![\d.])\d+(?:\.\d+)?(?!\d|\.\d)")

# A place where a response speaks of a shape. The figures that its sentence names, by how many points their names have
# and which; and of one without a name, whether it is denied, and the span in the response.
Naming: TypeAlias = "tuple[frozenset[tuple[int, frozenset[str]]], tuple[bool, tuple[int, int]] | None]"

# Probabilities of `stated`, by what was found. Only their order matters for ranking: an exact statement, a statement
# in softer words, hints of decreasing worth, nothing at all, and the opposite.
_EXACT = 0.97
_SOFT = 0.85
_HEDGED = 0.3
_UNSETTLED = 0.25
_OPPOSITE = 0.03


class ReadDocument:
    """A document read for claims, once for all facts."""

    def __init__(self, document: Document, claims: list[Claim]) -> None:
        self.document = document
        self.claims = Claims(claims)
        self._naming: dict[str, list[Naming]] = {}

    @cached_property
    def retractions(self) -> list[int]:
        """Where the response takes something back."""
        text = self.document.plain.text
        lowered = text.lower()
        if not any(word in lowered for word in _RETRACTING):
            return []
        return [match.start() for match in _RETRACTION.finditer(text)]

    def place(self, claim: Claim) -> tuple[int, int]:
        """Where a claim stands in the document's plain text."""
        offset = self.document.sentences[claim.index].offset
        return offset + claim.start, offset + claim.end

    def span(self, claim: Claim) -> tuple[int, int]:
        """Where a claim stands in the original response."""
        return self.document.sentences[claim.index].source(claim.start, claim.end)

    def retracted(self, earlier: Claim, later: Claim) -> bool:
        """Whether the response took `earlier` back before it said `later`."""
        return self._takes_back(self.place(earlier)[1], self.place(later)[1])

    def withdrawn(self, claim: Claim) -> bool:
        """Whether the response takes a claim back in its next words."""
        end = self.place(claim)[1]
        return self._takes_back(end, end + 16)

    def _takes_back(self, start: int, end: int) -> bool:
        """Whether something is taken back at [start, end) of the plain text."""
        at = bisect_left(self.retractions, start)
        return at < len(self.retractions) and self.retractions[at] < end

    @cached_property
    def numbers(self) -> frozenset[str]:
        """The numbers in the plain text, as they are written."""
        return frozenset(_NUMBER.findall(self.document.plain.text))

    @cached_property
    def expressions(self) -> dict[tuple[str, object], set[Element]]:
        """By kind and terms of a value that is an expression, the elements that the response gives it."""
        found: dict[tuple[str, object], set[Element]] = defaultdict(set)
        for element, about in self.claims.of_element.items():
            for claim in about:
                for value, _ in claim.values if claim.mood in _STATING else ():
                    if len(value.terms) > 1:
                        found[element.kind, value.terms].add(element)
        return found

    def naming(self, shape: str) -> list[Naming]:
        """Where the response speaks of a shape, in order, as far as it may tell of one without a name."""
        if shape not in self._naming:
            self._naming[shape] = list(self._named(shape.replace("_", " ")))
        return self._naming[shape]

    def _named(self, word: str) -> Iterator[Naming]:
        for sentence, lowered in self._lowered:
            at = lowered.find(word)
            if at < 0:
                continue
            figures = _figures(sentence.text)
            told = _told(sentence, at, at + len(word))
            if figures or told:
                yield figures, told
            if told and not figures:
                return

    @cached_property
    def _lowered(self) -> list[tuple[Sentence, str]]:
        return [(sentence, sentence.text.lower()) for sentence in self.document.sentences]


def verdict_of(parts: Sequence[Claim], text: str, reading: ReadDocument) -> Verdict:
    """The verdict on a fact made of one or more claims: stated when all are, contradicted when one is."""
    verdicts = [_claim_verdict(part, text, reading) for part in parts]
    contradicted = [verdict for verdict in verdicts if verdict.label == "contradicted"]
    if contradicted:
        return contradicted[0]
    return min(verdicts, key=lambda verdict: (verdict.label == "stated", verdict.probability))


def _claim_verdict(fact: Claim, text: str, reading: ReadDocument) -> Verdict:
    weighed, truncated = evidence_for(fact, reading.claims)
    if _is_no_size(fact, text):
        weighed = [item for item in weighed if not _is_size(item.claim)]
        weighed += numbered(fact, reading.claims)
    verdict = _weighed(fact, text, weighed, reading)
    return replace(verdict, truncated=True) if truncated else verdict


def _weighed(fact: Claim, text: str, found: list[Bearing], reading: ReadDocument) -> Verdict:
    stated = [item for item in found if item.agrees and item.claim.mood in _STATING]
    denied = [item for item in found if item.agrees and item.claim.mood == "negated"]
    against = [item for item in found if not item.agrees and item.claim.mood in _STATING]
    against = _standing(against, stated, reading)
    stated = _standing(stated, [item for item in against if item.firm], reading)
    firm = [item for item in against if item.firm]
    best = max(stated, key=_strength, default=None)
    if best is not None:
        return _when_stated(fact, best, [*denied, *_outweighing(firm, best)], reading)
    if denied:
        return Verdict("contradicted", 0.02, reading.span(denied[0].claim), 0.9)
    if firm:
        top = max(firm, key=_strength)
        return Verdict("contradicted", _OPPOSITE, reading.span(top.claim), 0.9 * top.weight)
    if against:
        return _when_open(fact, against[0], reading)
    return _when_absent(fact, text, found, reading)


def _is_no_size(fact: Claim, text: str) -> bool:
    """Whether a fact gives the number that is written into an angle, or the length of an arc."""
    turned = fact.relation == "value" and fact.subject.kind in ("angle", "vertex", "mark", "arc")
    return turned and not is_degrees(fact.values[0][1]) and _NO_SIZE.search(text) is not None


def _is_size(claim: Claim) -> bool:
    """Whether a claim says how many degrees something has: "right" does, too."""
    return all(is_degrees(unit) for _, unit in claim.values)


def _outweighing(firm: list[Bearing], best: Bearing) -> list[Bearing]:
    """Disagreements that are as direct as the agreement: a vertex's other angle does not undo an angle's own."""
    return [item for item in firm if item.weight >= min(best.weight, 0.95)]


def _strength(item: Bearing) -> float:
    return item.weight * (_EXACT if item.claim.mood == "asserted" else _SOFT)


def _standing(items: list[Bearing], others: list[Bearing], reading: ReadDocument) -> list[Bearing]:
    """The items not taken back before one of the others was said."""
    if not items or not reading.retractions:
        return items
    return [
        item
        for item in items
        if not reading.withdrawn(item.claim)
        and not any(reading.retracted(item.claim, other.claim) for other in others[:16])
    ]


def _when_stated(fact: Claim, best: Bearing, opposed: list[Bearing], reading: ReadDocument) -> Verdict:
    strength = _strength(best)
    if not opposed:
        return Verdict("stated", strength, reading.span(best.claim), strength)
    # "The square" may be another one the next time.
    return Verdict("contradicted", 0.1, reading.span(opposed[0].claim), 0.7, settled=bool(fact.subject.name))


def _when_open(fact: Claim, item: Bearing, reading: ReadDocument) -> Verdict:
    """A number where the fact has an unknown, or the other way round: derived, or another label; hard to say."""
    if fact.values and fact.values[0][0].variables and not _elsewhere(fact, reading):
        return Verdict("absent", 0.15, None, 0.4)
    return Verdict("contradicted", 0.06, reading.span(item.claim), 0.5)


def _elsewhere(fact: Claim, reading: ReadDocument) -> bool:
    """Whether the response gives the fact's expression to another element of the same kind."""
    value, _ = fact.values[0]
    given = reading.expressions.get((fact.subject.kind, value.terms), ())
    return any(element != fact.subject for element in given)


def _when_absent(fact: Claim, text: str, found: list[Bearing], reading: ReadDocument) -> Verdict:
    moods = {item.claim.mood for item in found if item.agrees}
    if moods:
        # Found and discounted, not overlooked: a model that finds it again is no better reader of moods.
        hedged = "hedged" in moods
        return Verdict("absent", _HEDGED if hedged else 0.12, None, 0.7 if hedged else 0.8, settled=True)
    if fact.relation in SHAPES and (alone := _shape_alone(fact, reading)):
        denied, place = alone
        return Verdict("contradicted", 0.1, place, 0.4) if denied else Verdict("stated", 0.6, place, 0.5)
    named, valued = _mentions(fact, text, reading)
    if named and valued:
        return Verdict("absent", _UNSETTLED, None, 0.4)
    if valued:
        return Verdict("absent", 0.14, None, 0.6)
    return Verdict("absent", 0.06 if named else 0.02, None, 0.75 if named else 0.97)


def _shape_alone(fact: Claim, reading: ReadDocument) -> tuple[bool, tuple[int, int]] | None:
    """Where the response speaks of "the rhombus" without naming it, and whether it denies that there is one.

    A sentence that names another polygon speaks of that one, and so may any later "the rhombus".
    """
    corners = frozenset(fact.subject.points)
    for figures, told in reading.naming(fact.relation):
        if any(count == len(corners) and points != corners for count, points in figures):
            return None
        if told:
            return told
    return None


def _figures(text: str) -> frozenset[tuple[int, frozenset[str]]]:
    """What a sentence names, by how many points its name has and which."""
    named = (item.element.points for item in read_items(text).items if item.element is not None)
    return frozenset((len(points), frozenset(points)) for points in named)


def _told(sentence: Sentence, start: int, end: int) -> tuple[bool, tuple[int, int]] | None:
    """Whether the shape at [start, end) is denied, and where it stands, where the sentence tells of one."""
    if not sentence.text[:start].lower().endswith(("the ", "this ", "a ", "an ", "given ")):
        return None
    mood = sentence.mood(start, end)
    return (mood == "negated", sentence.source(start, end)) if mood in ("asserted", "negated") else None


def _mentions(fact: Claim, text: str, reading: ReadDocument) -> tuple[bool, bool]:
    """Whether the response names the element at all, and whether it holds the value or the relation's word at all."""
    plain = reading.document.plain.text
    elements = [element for element in (fact.subject, fact.object) if element is not None]
    named = all(_occurs(element.points, plain) for element in elements)
    if fact.relation == "value":
        written = re.findall(r"(?<![\d.])\d+(?:\.\d+)?", text)
        return named, bool(written) and all(number in plain and number in reading.numbers for number in written)
    word = {"on": "lies on", "equal": "equal", "right": "right angle"}.get(fact.relation, fact.relation[:7])
    return named, word.replace("_", " ") in plain


def _occurs(points: tuple[str, ...], plain: str) -> bool:
    forward = "".join(points)
    return not forward or forward in plain or forward[::-1] in plain
