"""A fact's text as claims, read by the same rules as a response."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from perception_reward.annotations.language.geometry.statements import Claim, claims
from perception_reward.annotations.language.sentences import read
from perception_reward.annotations.language.word_lists import words

_ELEMENTS = words("""
    segment angle vertex mark arc triangle polygon circle variable label radius diameter area perimeter
    circumference side
""") | {"angle?", "central angle", "hypotenuse", "leg"}
# What a word in front of a name says in passing: "Radius OA has length 5" is about the length.
_IN_PASSING = frozenset({"leg", "hypotenuse", "radius", "diameter", "chord", "tangent", "center", "right_triangle",
                         "isosceles", "equilateral", "rhombus", "rectangle", "square", "parallelogram",
                          "trapezoid", "kite"})  # fmt: skip
_OF_POINTS = frozenset({"on", "center", "midpoint", "on_circle", "tangent"})


@lru_cache(maxsize=8192)
def fact_claims(text: str) -> tuple[Claim, ...]:
    """The claims that a fact makes; empty where it is no statement about a figure that this reader knows."""
    found = [claim for claim in claims(read(text)) if claim.mood == "asserted"]
    if any(not _readable(claim) for claim in found):
        return ()
    main = [claim for claim in found if claim.relation not in _IN_PASSING]
    kept = main if main and len(main) < len(found) else found
    return tuple(claim for claim in kept if not _trivial(claim))


def _readable(claim: Claim) -> bool:
    if claim.relation in _OF_POINTS:
        return True
    return claim.subject.kind in _ELEMENTS and (claim.object is None or claim.object.kind in _ELEMENTS)


def _trivial(claim: Claim) -> bool:
    return claim.subject == claim.object


def letters_of(parts: Iterable[Claim]) -> frozenset[str]:
    """The capitals of which a sentence must hold one to bear on these claims; empty where any sentence may."""
    letters: set[str] = set()
    for claim in parts:
        points = [point[0] for named in (claim.subject, claim.object) if named for point in named.points]
        if not points or claim.subject.kind in _UNNAMED:
            return frozenset()
        letters.update(points)
    return frozenset(letters)


# Quantities that a response may speak of without a name ("the radius is 5").
_UNNAMED = frozenset({"radius", "diameter", "area", "perimeter", "circumference", "central angle", "side", "angle?"})
