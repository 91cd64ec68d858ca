from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perception_reward.service.audit.attacks.catalogue import SPELLINGS, Family, families, twins

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


TEXT = "Angle ABC = 50"


def test_a_reader_of_tags_sees_nothing():
    assert all(unicodedata.category(letter) in ("Cf", "Cn") for letter in SPELLINGS["tag"](TEXT))
    assert "".join(chr(ord(letter) - 0xE0000) for letter in SPELLINGS["tag"](TEXT)) == TEXT


def test_full_width_text_folds_back():
    written = SPELLINGS["fullwidth"](TEXT)
    assert written != TEXT
    assert unicodedata.normalize("NFKC", written) == TEXT


def test_look_alikes_are_other_letters():
    written = SPELLINGS["homoglyph"](TEXT)
    assert len(written) == len(TEXT)
    assert "A" not in written
    assert unicodedata.normalize("NFKC", written) != TEXT


@given(st.text(alphabet=st.characters(codec="ascii"), max_size=40))
def test_what_is_put_between_letters_can_be_taken_out(text: str):
    between = SPELLINGS["zero-width"](text)
    assert "".join(letter for letter in between if unicodedata.category(letter) != "Cf") == text
    assert SPELLINGS["reversed"](text)[1:-1][::-1] == text
    assert SPELLINGS["plain"](text) == text
