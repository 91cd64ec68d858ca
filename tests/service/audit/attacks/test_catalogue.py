from __future__ import annotations

from pathlib import Path

import pytest

from perception_reward.service.audit.attacks.catalogue import Family, families, twins

README = Path(__file__).parents[4] / "service" / "audit" / "README.md"


def test_the_catalogue_has_the_families_that_the_readme_lists():
    readme = README.read_text(encoding="utf-8")
    for family in families():
        assert f"| {family.name} |" in readme, family.name
    for twin in twins():
        assert f"| {twin.family} |" in readme, twin.family


def test_names_are_unique():
    names = [family.name for family in families()] + [twin.family for twin in twins()]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("family", families(), ids=lambda family: family.name)
def test_an_attack_tells_its_defence_and_differs_from_text_to_text(family: Family):
    assert family.description
    assert family.defence
    assert len(set(family.texts)) == len(family.texts)


def test_orders_come_in_many_languages():
    (orders,) = [family for family in families() if family.name == "instructions"]
    assert len([text for text in orders.texts if not text.isascii() or "Ignor" in text]) >= 8
