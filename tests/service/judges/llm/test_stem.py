from __future__ import annotations

import pytest

from perception_reward.service.judges.llm.stem import stem


@pytest.mark.parametrize(
    ("forms", "shared"),
    [
        (("measure", "measures", "measured", "measuring"), "measur"),
        (("side", "sides", "sided"), "sid"),
        (("is", "as", "red", "the"), None),
    ],
)
def test_forms_of_a_word_have_one_stem_and_short_words_stay(forms: tuple[str, ...], shared: str | None) -> None:
    assert [stem(form) for form in forms] == [shared or form for form in forms]
