from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perception_reward.annotations.language.chinese_numbers import CHARACTERS, in_chinese


@pytest.mark.parametrize(
    ("text", "value", "end", "kind"),
    [
        ("一百零五只", "105", 4, "cardinal"),
        ("二〇二四年", "2024", 4, "cardinal"),
        ("三分之二", "2/3", 4, "fraction"),
        ("百分之50", "1/2", 5, "fraction"),
        ("第十二个", "12", 3, "ordinal"),
        ("第3页", "3", 2, "ordinal"),
        ("半", "1/2", 1, "fraction"),
        ("一二十", "12", 2, "cardinal"),
    ],
)
def test_the_longest_number_is_read(text: str, value: str, end: int, kind: str) -> None:
    found = in_chinese(text, 0)
    assert found is not None
    assert (str(found.value), found.end, found.kind) == (value, end, kind)


@pytest.mark.parametrize("text", ["", "百", "万", "第", "猫", "分之二"])
def test_what_is_no_number_is_none(text: str) -> None:
    assert in_chinese(text, 0) is None


@given(st.text(alphabet=CHARACTERS + "第分之半猫5", max_size=40))
def test_any_text_is_survived(text: str) -> None:
    found = in_chinese(text, 0)
    assert found is None or 0 < found.end <= len(text)
