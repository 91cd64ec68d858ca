from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perception_reward.service.judges.symbolic.lexicon import (
    EXCLUDES,
    INVERSE,
    NEGATORS,
    RELATION_PHRASES,
    lemma,
)


@pytest.mark.parametrize(
    "forms",
    [
        "dog dogs", "ride rides riding rode", "box boxes", "city cities", "child children", "goose geese",
        "knife knives",
        "has have had", "is are was were", "stop stops stopped stopping", "gray grey",
        "rise rose rises rising", "toe toes",
    ],
)  # fmt: skip
def test_the_forms_of_a_word_share_a_lemma(forms: str) -> None:
    assert len({lemma(form) for form in forms.split()}) == 1


@pytest.mark.parametrize("word", ["note", "notes", "noted", "noting"])
def test_no_form_of_note_is_a_negation(word: str) -> None:
    assert lemma(word) not in NEGATORS


@pytest.mark.parametrize("word", sorted(NEGATORS))
def test_a_negation_is_its_own_lemma(word: str) -> None:
    assert lemma(word) == word


@given(st.text())
def test_any_word_has_a_lemma(word: str) -> None:
    assert lemma(word) == lemma(word.lower())


def test_every_relation_can_be_inverted_and_knows_what_it_excludes() -> None:
    for name in set(RELATION_PHRASES.values()):
        assert name in EXCLUDES
        assert name in INVERSE
