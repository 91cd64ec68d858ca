from __future__ import annotations

import pytest

from perception_reward.annotations.language.stems import stem


@pytest.mark.parametrize(
    ("forms", "shared"),
    [
        (("measure", "measures", "measured", "measuring"), "measur"),
        (("side", "sides", "sided"), "side"),
        (("city", "cities"), "citi"),
        (("equal", "equally", "equals"), "equal"),
        (("is", "as", "red", "the"), None),
    ],
)
def test_forms_of_a_word_have_one_stem_and_short_words_stay(forms: tuple[str, ...], shared: str | None) -> None:
    assert [stem(form) for form in forms] == [shared or form for form in forms]


def test_what_is_no_word_stays() -> None:
    assert stem("ing" * 20_000) == "ing" * 20_000
    assert stem("") == ""
