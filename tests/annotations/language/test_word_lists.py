from __future__ import annotations

from perception_reward.annotations.language.word_lists import words


def test_a_list_is_what_blanks_and_line_ends_separate() -> None:
    assert words(" the a\n an the ") == {"the", "a", "an"}
