from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perception_reward.service.judges.symbolic.lexicon import EXCLUDES, INVERSE, RELATION_PHRASES, lemma


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


@given(st.text())
def test_any_word_has_a_lemma(word: str) -> None:
    assert lemma(word) == lemma(word.lower())


def test_every_relation_can_be_inverted_and_knows_what_it_excludes() -> None:
    for name in set(RELATION_PHRASES.values()):
        assert name in EXCLUDES
        assert name in INVERSE
