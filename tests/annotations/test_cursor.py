from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perception_reward.annotations.cursor import from_cursor, to_cursor


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=512))
def test_a_cursor_leads_back_to_its_id(annotation_id: str) -> None:
    assert from_cursor(to_cursor(annotation_id)) == annotation_id


@given(st.text())
def test_any_text_is_a_cursor_or_refused_with_value_error(text: str) -> None:
    try:
        from_cursor(text)
    except ValueError as error:
        assert "no cursor" in str(error)  # noqa: PT017


@pytest.mark.parametrize("junk", ["!", "a", "____", "é", "\ud800", "A" * 5000])
def test_junk_is_refused(junk: str) -> None:
    with pytest.raises(ValueError, match="no cursor of this listing"):
        from_cursor(junk)
