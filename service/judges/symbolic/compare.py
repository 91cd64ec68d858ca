"""From the evidence for a fact to a verdict.

What is asserted of the element counts; what is negated, hedged, supposed, asked or offered as an option does not. A
response that says the fact and something that rules it out has contradicted it, unless it took the other thing back
("no wait", "correction") before it came to the fact.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property

from perception_reward.service.judges.base import Verdict
from perception_reward.service.judges.symbolic.alternatives import goes_on
from perception_reward.service.judges.symbolic.document import Document
from perception_reward.service.judges.symbolic.evidence import SHAPES, Claims, Evidence, evidence_for
from perception_reward.service.judges.symbolic.items import read_items
from perception_reward.service.judges.symbolic.statements import Claim
from perception_reward.service.judges.symbolic.units import is_degrees
from perception_reward.service.judges.symbolic.values import same

_RETRACTION = re.compile(
    r"\b(?:no,? wait|wait,|hold on|correction|scratch that|my mistake|i made a mistake|i misread"
    r"|let me (?:correct|redo)|on second thought|sorry|that(?:'s| is) (?:wrong|not right|incorrect)|actually,? no"
    r"|let me re-?(?:check|read|examine))",
    re.IGNORECASE,
)
# Each of the phrases holds one of these.
_RETRACTING = (
    *(
        "wait",
        "hold on",
        "correction",
        "scratch",
        "mistake",
        "misread",
        "let me re",
        "let me co",
        "second thought",
        "sorry",
        "that's",
    ),
    *("that is", "actually"),
)
# Facts about an angle or arc that are not about its size in degrees.
_NO_SIZE = re.compile(r"\b(?:labell?ed|numbered|marked|length)\b", re.IGNORECASE)
_STATING = frozenset({"asserted", "weak"})

# Probabilities of `stated`, by what was found. Only their order matters for ranking: an exact statement, a statement
# in softer words, hints of decreasing worth, nothing at all, and the opposite.
_EXACT = 0.97
_SOFT = 0.85
_HEDGED = 0.3
_UNSETTLED = 0.25
_OPPOSITE = 0.03


class Reading:
    """A document read for claims, once for all facts."""

    def __init__(self, document: Document, claims: list[Claim]) -> None:
        self.document = document
        self.claims = Claims(claims)

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
        first, last = self.place(earlier)[1], self.place(later)[1]
        return any(first <= at < last for at in self.retractions)

    def withdrawn(self, claim: Claim) -> bool:
        """Whether the response takes a claim back in its next words."""
        end = self.place(claim)[1]
        return any(end <= at < end + 16 for at in self.retractions)


def verdict_of(parts: Sequence[Claim], text: str, reading: Reading) -> Verdict:
    """The verdict on a fact made of one or more claims: stated when all are, contradicted when one is."""
    verdicts = [_claim_verdict(part, text, reading) for part in parts]
    contradicted = [verdict for verdict in verdicts if verdict.label == "contradicted"]
    if contradicted:
        return contradicted[0]
    return min(verdicts, key=lambda verdict: (verdict.label == "stated", verdict.probability))


def _claim_verdict(fact: Claim, text: str, reading: Reading) -> Verdict:
    evidence = evidence_for(fact, reading.claims)
    if _is_no_size(fact, text):
        evidence = [item for item in evidence if not _is_size(item.claim)]
    found = [_as_offered(item, reading) for item in evidence]
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


def _as_offered(item: Evidence, reading: Reading) -> Evidence:
    """The evidence, hedged where its value is only the first of a list of alternatives."""
    claim = item.claim
    if claim.mood not in _STATING or not goes_on(reading.document.sentences[claim.index].text, claim.end):
        return item
    return replace(item, claim=replace(claim, mood="hedged"))


def _outweighing(firm: list[Evidence], best: Evidence) -> list[Evidence]:
    """Disagreements that are as direct as the agreement: a vertex's other angle does not undo an angle's own."""
    return [item for item in firm if item.weight >= min(best.weight, 0.95)]


def _strength(item: Evidence) -> float:
    return item.weight * (_EXACT if item.claim.mood == "asserted" else _SOFT)


def _standing(items: list[Evidence], others: list[Evidence], reading: Reading) -> list[Evidence]:
    """The items not taken back before one of the others was said."""
    if not items or not reading.retractions:
        return items
    return [
        item
        for item in items
        if not reading.withdrawn(item.claim)
        and not any(reading.retracted(item.claim, other.claim) for other in others[:16])
    ]


def _when_stated(fact: Claim, best: Evidence, opposed: list[Evidence], reading: Reading) -> Verdict:
    strength = _strength(best)
    if not opposed:
        return Verdict("stated", strength, reading.span(best.claim), strength)
    # "The square" may be another one the next time.
    return Verdict("contradicted", 0.1, reading.span(opposed[0].claim), 0.7, settled=bool(fact.subject.name))


def _when_open(fact: Claim, item: Evidence, reading: Reading) -> Verdict:
    """A number where the fact has an unknown, or the other way round: derived, or another label; hard to say."""
    if fact.values and fact.values[0][0].variables and not _elsewhere(fact, reading):
        return Verdict("absent", 0.15, None, 0.4)
    return Verdict("contradicted", 0.06, reading.span(item.claim), 0.5)


def _elsewhere(fact: Claim, reading: Reading) -> bool:
    """Whether the response gives the fact's expression to another element of the same kind."""
    value, _ = fact.values[0]
    return len(value.terms) > 1 and any(
        same(value, other)
        for element, about in reading.claims.of_element.items()
        if element.kind == fact.subject.kind and element != fact.subject
        for claim in about
        if claim.mood in _STATING
        for other, _ in claim.values
    )


def _when_absent(fact: Claim, text: str, found: list[Evidence], reading: Reading) -> Verdict:
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


def _shape_alone(fact: Claim, reading: Reading) -> tuple[bool, tuple[int, int]] | None:
    """Where the response speaks of "the rhombus" without naming it, and whether it denies that there is one.

    A sentence that names another polygon speaks of that one, and so may any later "the rhombus".
    """
    word = fact.relation.replace("_", " ")
    for sentence in reading.document.sentences:
        at = sentence.text.lower().find(word)
        if at < 0:
            continue
        if _names_another(sentence.text, fact):
            return None
        named = at > 0 and sentence.text[:at].lower().endswith(("the ", "this ", "a ", "an ", "given "))
        mood = sentence.mood(at, at + len(word))
        if named and mood in ("asserted", "negated"):
            return mood == "negated", sentence.source(at, at + len(word))
    return None


def _names_another(text: str, fact: Claim) -> bool:
    """Whether a sentence names a figure with as many corners as the fact's."""
    corners = frozenset(fact.subject.points)
    named = (item.element for item in read_items(text).items if item.element is not None)
    return any(len(one.points) == len(corners) and frozenset(one.points) != corners for one in named)


def _mentions(fact: Claim, text: str, reading: Reading) -> tuple[bool, bool]:
    """Whether the response names the element at all, and whether it holds the value or the relation's word at all."""
    plain = reading.document.plain.text
    elements = [element for element in (fact.subject, fact.object) if element is not None]
    named = all(_occurs(element.points, plain) for element in elements)
    if fact.relation == "value":
        written = re.findall(r"(?<![\d.])\d+(?:\.\d+)?", text)
        return named, bool(written) and all(_holds_number(plain, number) for number in written)
    word = {"on": "lies on", "equal": "equal", "right": "right angle"}.get(fact.relation, fact.relation[:7])
    return named, word.replace("_", " ") in plain


def _occurs(points: tuple[str, ...], plain: str) -> bool:
    forward = "".join(points)
    return not forward or forward in plain or forward[::-1] in plain


def _holds_number(plain: str, number: str) -> bool:
    return re.search(rf"(?<![\d.]){re.escape(number)}(?![\d]|\.\d)", plain) is not None
