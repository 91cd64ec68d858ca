"""The claims of a document by what they are about, so that a fact asks for those that can bear on it alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from functools import cached_property
from itertools import chain, combinations

from perception_reward.annotations.language.geometry.elements import Element, angle_between
from perception_reward.annotations.language.geometry.statements import Claim
from perception_reward.annotations.language.names import points_of

# Of what a response says over and over about one element, only so much is weighed.
MAX_REPEATS = 64


class Claims:
    """Each list is in the order in which the response says what is in it, right angles before perpendicular lines."""

    def __init__(self, found: list[Claim]) -> None:
        self.of_element: dict[Element, list[Claim]] = defaultdict(list)
        self.of_relation: dict[str, list[Claim]] = defaultdict(list)
        self._of_subject: dict[tuple[str, Element], list[Claim]] = defaultdict(list)
        said: dict[tuple[str, Element, Element | None], int] = defaultdict(int)
        for claim in found:
            key = claim.relation, claim.subject, claim.object
            said[key] += 1
            if said[key] > MAX_REPEATS:
                continue
            if claim.relation == "value":
                self.of_element[claim.subject].append(claim)
            else:
                self.of_relation[claim.relation].append(claim)
                self._of_subject[claim.relation, claim.subject].append(claim)

    def about(self, relation: str, subject: Element) -> list[Claim]:
        """The claims of a relation about one subject."""
        return self._of_subject.get((relation, subject), [])

    def equating(self, one: Element, other: Element) -> list[Claim]:
        """The claims that two elements are equal."""
        first, second = sorted((one, other))
        return [claim for claim in self.about("equal", first) if claim.object == second]

    def valued(self, kind: str) -> list[Element]:
        """The elements of a kind that have values."""
        return self._by_kind.get(kind, [])

    def angles_at(self, vertex: str) -> list[Element]:
        """The angles that have values, of one vertex."""
        return self._by_vertex.get(vertex, [])

    def angles_among(self, corners: Iterable[str]) -> list[Element]:
        """The angles that have values, between these three points."""
        return self._by_corners.get(frozenset(corners), [])

    def right_angles(self, corners: Iterable[str]) -> list[Claim]:
        """What is said to be right or perpendicular, between these three points or at one of them alone."""
        ranked: list[tuple[int, Claim]] = []
        for key in (frozenset(corners), *set(corners)):
            ranked += self._right.get(key, [])
        return _in_order(ranked)

    def cornered(self, shape: str, corner: tuple[str, ...]) -> list[Claim]:
        """The four-sided figures of a shape that have this corner (end, vertex, end)."""
        return self._cornered.get((shape, corner[1], frozenset((corner[0], corner[2]))), [])

    def within(self, relation: str, points: frozenset[str]) -> list[Claim]:
        """The claims of a relation, such as `leg`, about what has some of these points, or none, but not all."""
        ranked: list[tuple[int, Claim]] = []
        for some in chain.from_iterable(combinations(sorted(points), count) for count in range(len(points))):
            ranked += self._of_points.get((relation, frozenset(some)), [])
        return _in_order(ranked)

    def of_points(self, relation: str, points: Iterable[str]) -> list[Claim]:
        """The claims of a relation about what has exactly these points."""
        return [claim for _, claim in self._of_points.get((relation, frozenset(points)), ())]

    def ending(self, relation: str, point: str) -> list[Claim]:
        """The claims of a relation, such as `radius`, about lines that end in a point."""
        return self._ending.get((relation, point), [])

    def parts(self, kind: str, owner: str) -> list[Claim]:
        """What is said to be a radius, or another part, of the circle `owner`, or of one without a name; of any
        where `owner` has none."""
        if not owner:
            return self.of_relation.get(kind, [])
        return _in_order([*self._owned.get((kind, None), []), *self._owned.get((kind, owner), [])])

    def on_circle(self, circle: Element) -> list[Claim]:
        """All that is said of a circle."""
        return self._with_circle.get(circle, [])

    @cached_property
    def _by_kind(self) -> dict[str, list[Element]]:
        found: dict[str, list[Element]] = defaultdict(list)
        for element in self.of_element:
            found[element.kind].append(element)
        return found

    @cached_property
    def _by_vertex(self) -> dict[str, list[Element]]:
        found: dict[str, list[Element]] = defaultdict(list)
        for element in self.valued("angle"):
            for vertex in element.points[1:2]:
                found[vertex].append(element)
        return found

    @cached_property
    def _by_corners(self) -> dict[frozenset[str], list[Element]]:
        found: dict[frozenset[str], list[Element]] = defaultdict(list)
        for element in self.valued("angle"):
            found[frozenset(element.points)].append(element)
        return found

    @cached_property
    def _right(self) -> dict[frozenset[str] | str, list[tuple[int, Claim]]]:
        """By the points of their corner, or by their vertex where nothing more is known."""
        found: dict[frozenset[str] | str, list[tuple[int, Claim]]] = defaultdict(list)
        claims = (*self.of_relation.get("right", ()), *self.of_relation.get("perpendicular", ()))
        for rank, claim in enumerate(claims):
            if corner := corner_of(claim):
                found[frozenset(corner)].append((rank, claim))
            elif claim.subject.kind == "vertex":
                found[claim.subject.name].append((rank, claim))
        return found

    @cached_property
    def _cornered(self) -> dict[tuple[str, str, frozenset[str]], list[Claim]]:
        found: dict[tuple[str, str, frozenset[str]], list[Claim]] = defaultdict(list)
        for shape in ("rectangle", "square"):
            for claim in self.of_relation.get(shape, ()):
                points = claim.subject.points
                for vertex in dict.fromkeys(points) if len(points) == 4 else ():
                    at = points.index(vertex)
                    found[shape, vertex, frozenset((points[at - 1], points[(at + 1) % 4]))].append(claim)
        return found

    @cached_property
    def _of_points(self) -> dict[tuple[str, frozenset[str]], list[tuple[int, Claim]]]:
        found: dict[tuple[str, frozenset[str]], list[tuple[int, Claim]]] = defaultdict(list)
        for relation in ("leg", "hypotenuse"):
            for rank, claim in enumerate(self.of_relation.get(relation, ())):
                found[relation, frozenset(claim.subject.points)].append((rank, claim))
        return found

    @cached_property
    def _ending(self) -> dict[tuple[str, str], list[Claim]]:
        found: dict[tuple[str, str], list[Claim]] = defaultdict(list)
        for relation in ("radius", "diameter", "chord"):
            for claim in self.of_relation.get(relation, ()):
                for point in dict.fromkeys(points_of(claim.subject.name)):
                    found[relation, point].append(claim)
        return found

    @cached_property
    def _owned(self) -> dict[tuple[str, str | None], list[tuple[int, Claim]]]:
        found: dict[tuple[str, str | None], list[tuple[int, Claim]]] = defaultdict(list)
        for relation, claims in self.of_relation.items():
            for rank, claim in enumerate(claims):
                found[relation, claim.object.name if claim.object else None].append((rank, claim))
        return found

    @cached_property
    def _with_circle(self) -> dict[Element, list[Claim]]:
        found: dict[Element, list[Claim]] = defaultdict(list)
        for claims in self.of_relation.values():
            for claim in claims:
                for element in dict.fromkeys((claim.subject, claim.object)):
                    if element is not None and element.kind == "circle":
                        found[element].append(claim)
        return found


def corner_of(claim: Claim) -> tuple[str, ...]:
    """The corner (end, vertex, end) that a claim says is right, or ()."""
    if claim.relation == "right" and claim.subject.kind == "angle":
        return claim.subject.points
    if claim.relation == "perpendicular" and claim.object is not None:
        angle = angle_between(claim.subject, claim.object)
        return angle.points if angle else ()
    return ()


def _in_order(ranked: list[tuple[int, Claim]]) -> list[Claim]:
    return [claim for _, claim in sorted(ranked, key=lambda each: each[0])]
