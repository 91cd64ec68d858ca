from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from perception_reward.service.audit.attacks.spelling import SPELLINGS

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
