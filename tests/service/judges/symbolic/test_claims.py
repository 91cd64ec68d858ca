"""Claims are looked up as one would find them by going through all of them."""

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations

import pytest

from perception_reward.annotations.language.geometry.elements import Element
from perception_reward.annotations.language.geometry.statements import Claim, claims
from perception_reward.annotations.language.sentences import read
from perception_reward.service.judges.symbolic.claims import MAX_REPEATS, Claims, corner_of

SAID = """
AB = 5. ∠ABC = 90°. ∠ACB = 40°. ∠DBE = 30°. BC ⟂ AB. There is a right angle at C. ∠ACB is a right angle. AD ∥ BC.
AB is perpendicular to BC. ABCD is a rectangle. BCDA is a square. OA is a radius of circle O. OB is a radius.
The radius of circle P is 4. AB is a diameter of circle O. AB = CD. ∠A = ∠B.
D lies on circle O. AB is a chord of circle O. BC is tangent to circle O. CD = AB. There is a right angle at A.
The radius is 3.
"""
CORNERS = [*permutations("ABC"), *permutations("ACD"), *permutations("ABD")]


@pytest.fixture(scope="module")
def found() -> list[Claim]:
    return claims(read(SAID))


def going_through(found: list[Claim], *relations: str) -> list[Claim]:
    return [claim for relation in relations for claim in found if claim.relation == relation]


def same(one: list[Claim], other: list[Claim], some: bool = True) -> bool:
    assert not some or one
    return one == other


@pytest.mark.parametrize("corner", CORNERS)
def test_right_angles_of_a_triangle_and_at_its_points(found: list[Claim], corner: tuple[str, ...]):
    def bears(claim: Claim) -> bool:
        if said := corner_of(claim):
            return set(said) == set(corner)
        return claim.subject.kind == "vertex" and claim.subject.name in corner

    wanted = [claim for claim in found if claim.relation in ("right", "perpendicular") and bears(claim)]
    looked_up = Claims(found).right_angles(corner)
    assert wanted
    assert sorted(looked_up, key=found.index) == wanted


@pytest.mark.parametrize("corner", CORNERS)
@pytest.mark.parametrize("shape", ["rectangle", "square"])
def test_figures_with_a_corner(found: list[Claim], corner: tuple[str, ...], shape: str):
    def has(claim: Claim) -> bool:
        points = claim.subject.points
        at = points.index(corner[1])
        return {points[at - 1], points[(at + 1) % 4]} == {corner[0], corner[2]}

    wanted = [claim for claim in going_through(found, shape) if has(claim)]
    assert same(Claims(found).cornered(shape, corner), wanted, some=False)


@pytest.mark.parametrize(
    ("look_up", "wanted"),
    [
        (lambda all_: all_.about("radius", Element("segment", "AO")), ["AO"]),
        (lambda all_: all_.parts("radius", "O"), ["BO", "AO"]),
        (lambda all_: all_.parts("radius", "P"), ["BO"]),
        (lambda all_: all_.parts("radius", ""), ["AO", "BO"]),
        (lambda all_: all_.equating(Element("segment", "CD"), Element("segment", "AB")), ["AB", "AB"]),
        (lambda all_: all_.equating(Element("vertex", "B"), Element("vertex", "A")), ["A"]),
        (lambda all_: all_.about("on", Element("point", "X")), []),
    ],
)
def test_relations_by_what_they_are_about(
    found: list[Claim], look_up: Callable[[Claims], list[Claim]], wanted: list[str]
):
    assert [claim.subject.name for claim in look_up(Claims(found))] == wanted


def test_elements_by_kind_vertex_and_corners(found: list[Claim]):
    all_ = Claims(found)
    assert [element.name for element in all_.valued("angle")] == ["ABC", "ACB", "DBE"]
    assert [element.name for element in all_.angles_at("B")] == ["ABC", "DBE"]
    assert [element.name for element in all_.angles_among("CAB")] == ["ABC", "ACB"]
    assert all_.valued("arc") == all_.angles_at("Z") == []


def test_of_what_is_said_over_and_over_only_so_much_is_kept():
    all_ = Claims(claims(read("AB = 5. " * 2 * MAX_REPEATS)))
    assert len(all_.of_element[Element("segment", "AB")]) == MAX_REPEATS
