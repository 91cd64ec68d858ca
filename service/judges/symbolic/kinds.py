"""What sort of statement a fact is, by the way in which the symbolic judge reads it: what its certainty is worth
depends on that, and not on the kind that an annotation happens to give.

    kind_of("Segment AB has length 5.")     # length
    kind_of("There are three dogs.")        # count
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from perception_reward.annotations.language.geometry.facts import fact_claims
from perception_reward.annotations.language.geometry.statements import Claim
from perception_reward.service.judges.symbolic.anchors import read_claim
from perception_reward.service.judges.symbolic.evidence import SHAPES
from perception_reward.service.judges.symbolic.slots import Amount, Count, Relation, Slot, Text, Trait, Trend

_BY_SLOT: Final[dict[type[Slot], str]] = {
    Count: "count",
    Amount: "amount",
    Trait: "attribute",
    Trend: "trend",
    Relation: "place",
    Text: "text",
}
_BY_ELEMENT: Final = {
    **dict.fromkeys(("segment", "side", "leg", "hypotenuse"), "length"),
    **dict.fromkeys(("angle", "vertex", "mark", "angle?", "central angle"), "angle"),
    **dict.fromkeys(("radius", "diameter", "area", "perimeter", "circumference"), "size"),
    "arc": "arc",
}
_BY_RELATION: Final = {
    **dict.fromkeys(("right", "perpendicular"), "perpendicular"),
    **dict.fromkeys(("on", "between", "on_circle", "midpoint", "center"), "incidence"),
    **dict.fromkeys(("equal", "similar", "congruent"), "equality"),
    **dict.fromkeys(("diameter", "radius", "chord", "tangent"), "circle_part"),
    **dict.fromkeys(SHAPES, "shape"),
    "parallel": "parallel",
}
# A fact of several sorts at once, and what has a sort of its own too seldom to be measured.
MIXED: Final = "mixed"
SENTENCE: Final = "sentence"
# What the geometry of a figure is made of. Of the rest the rules know no more than words and numbers.
FIGURE_KINDS: Final = frozenset({"length", "angle", "arc", *_BY_RELATION.values()})
KINDS: Final = frozenset(
    {MIXED, SENTENCE, *_BY_SLOT.values(), *_BY_ELEMENT.values(), *_BY_RELATION.values(), "existence"}
)


@lru_cache(maxsize=65536)
def kind_of(text: str) -> str:
    """One of `KINDS`. Pure; reading a fact for the first time takes some tenths of a millisecond."""
    if claims := fact_claims(text):
        return _only({_of_claim(claim) for claim in claims})
    read = read_claim(text)
    if not read.slots:
        return "existence" if read.is_typed else SENTENCE
    return _only({_BY_SLOT[type(slot)] for slot, _ in read.slots}) if read.is_typed else SENTENCE


def _of_claim(claim: Claim) -> str:
    if claim.relation == "value":
        return _BY_ELEMENT.get(claim.subject.kind, MIXED)
    return _BY_RELATION.get(claim.relation, MIXED)


def _only(kinds: set[str]) -> str:
    return kinds.pop() if len(kinds) == 1 else MIXED
