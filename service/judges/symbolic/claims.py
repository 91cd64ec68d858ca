"""The claims of a document by what they are about, so that a fact asks for those that can bear on it alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator

from perception_reward.annotations.language.geometry.elements import Element, angle_between
from perception_reward.annotations.language.geometry.statements import Claim

# Of what a response says over and over about one element, only so much is weighed.
MAX_REPEATS = 64


class Claims:
    """Each list is in the order in which the response says what is in it.

    of_element: the values of each element.
    """

    def __init__(self, found: list[Claim]) -> None:
        self.of_element: dict[Element, list[Claim]] = defaultdict(list)
        self._claims: dict[Hashable, list[Claim]] = defaultdict(list)
        self._elements: dict[Hashable, list[Element]] = defaultdict(list)
        said: dict[Hashable, int] = defaultdict(int)
        for claim in found:
            key = claim.relation, claim.subject, claim.object
            said[key] += 1
            if said[key] > MAX_REPEATS:
                continue
            if claim.relation == "value":
                self._value(claim)
            for one in _keys(claim):
                self._claims[one].append(claim)

    def _value(self, claim: Claim) -> None:
        named = claim.subject
        if named not in self.of_element:
            self._elements[named.kind].append(named)
            if named.kind == "angle":
                self._elements["at", named.points[1]].append(named)
                self._elements[frozenset(named.points)].append(named)
        self.of_element[named].append(claim)

    def about(self, relation: str, subject: Element) -> list[Claim]:
        """The claims of a relation about one subject."""
        return self._claims.get((relation, subject), [])

    def equating(self, one: Element, other: Element) -> list[Claim]:
        """The claims that two elements are equal."""
        first, second = sorted((one, other))
        return [claim for claim in self.about("equal", first) if claim.object == second]

    def valued(self, kind: str) -> list[Element]:
        """The elements of a kind that have values."""
        return self._elements.get(kind, [])

    def angles_at(self, vertex: str) -> list[Element]:
        """The angles that have values, of one vertex."""
        return self._elements.get(("at", vertex), [])

    def angles_among(self, corners: Iterable[str]) -> list[Element]:
        """The angles that have values, between these three points."""
        return self._elements.get(frozenset(corners), [])

    def right_angles(self, corners: Iterable[str]) -> list[Claim]:
        """What is said to be right or perpendicular, between these three points, then at one of them alone."""
        points = sorted(set(corners))
        keys = (frozenset(points), *map(frozenset, points))
        return [claim for key in keys for claim in self._claims.get(("right", key), ())]

    def cornered(self, shape: str, corner: tuple[str, ...]) -> list[Claim]:
        """The four-sided figures of a shape that have this corner (end, vertex, end)."""
        return self._claims.get((shape, corner[1], frozenset((corner[0], corner[2]))), [])

    def parts(self, kind: str, owner: str) -> list[Claim]:
        """What is said to be a radius, or another part, of the circle `owner` or of one without a name; of any where
        `owner` has none."""
        owners = dict.fromkeys(("", owner))
        keys = [(kind, "of", name) for name in owners] if owner else [(kind, "of any")]
        return [claim for key in keys for claim in self._claims.get(key, ())]


def _keys(claim: Claim) -> Iterator[Hashable]:
    """What a claim is looked up by."""
    relation, subject, other = claim.relation, claim.subject, claim.object
    if relation == "value":
        return
    yield relation, subject
    if relation in ("radius", "diameter"):
        yield relation, "of any"
        yield relation, "of", other.name if other else ""
    elif relation in ("right", "perpendicular"):
        if corner := corner_of(claim):
            yield "right", frozenset(corner)
        elif subject.kind == "vertex":
            yield "right", frozenset((subject.name,))
    elif relation in ("rectangle", "square") and len(points := subject.points) == 4:
        for at, vertex in enumerate(points):
            yield relation, vertex, frozenset((points[at - 1], points[(at + 1) % 4]))


def corner_of(claim: Claim) -> tuple[str, ...]:
    """The corner (end, vertex, end) that a claim says is right, or ()."""
    if claim.relation == "right" and claim.subject.kind == "angle":
        return claim.subject.points
    if claim.relation == "perpendicular" and claim.object is not None:
        angle = angle_between(claim.subject, claim.object)
        return angle.points if angle else ()
    return ()
