"""What sort of statement a fact is, by the way in which the symbolic judge reads it: what its certainty is worth
depends on that, and not on the kind that an annotation happens to give.

    kind_of("Segment AB has length 5.")     # length
    kind_of("There are three dogs.")        # amount
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from perception_reward.annotations.language.geometry.facts import fact_claims
from perception_reward.annotations.language.geometry.statements import Claim
from perception_reward.service.judges.symbolic.coverage import wanted
from perception_reward.service.judges.symbolic.evidence import SHAPES

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
# Outside geometry: a fact with a number, and plain words.
AMOUNT: Final = "amount"
SENTENCE: Final = "sentence"
# What the geometry of a figure is made of. Of the rest the rules know no more than words and numbers.
FIGURE_KINDS: Final = frozenset({"length", "angle", "arc", *_BY_RELATION.values()})
KINDS: Final = frozenset({MIXED, AMOUNT, SENTENCE, *_BY_ELEMENT.values(), *_BY_RELATION.values()})


@lru_cache(maxsize=8192)
def kind_of(text: str) -> str:
    """One of `KINDS`. Pure; reading a fact for the first time takes some tenths of a millisecond."""
    if claims := fact_claims(text):
        return _only({_of_claim(claim) for claim in claims})
    return AMOUNT if wanted(text).numbers else SENTENCE


def _of_claim(claim: Claim) -> str:
    if claim.relation == "value":
        return _BY_ELEMENT.get(claim.subject.kind, MIXED)
    return _BY_RELATION.get(claim.relation, MIXED)


def _only(kinds: set[str]) -> str:
    return kinds.pop() if len(kinds) == 1 else MIXED
