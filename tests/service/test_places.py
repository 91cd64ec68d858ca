from __future__ import annotations

import pytest

from perception_reward.service.places import MOST_NAME, where


@pytest.mark.parametrize(
    ("location", "path"),
    [
        (("body",), "body"),
        (("body", "items", 3, "response"), "items[3].response"),
        (("body", "items", 3, "response", "(list)", 2, "(block)", "text"), "items[3].response[2].text"),
        (("query", "limit"), "query.limit"),
    ],
)
def test_a_place_reads_as_its_path(location: tuple[object, ...], path: str):
    assert where(location) == path


def test_a_long_name_is_cut():
    assert len(where(("body", "n" * 1_000_000))) == MOST_NAME
