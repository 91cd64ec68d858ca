from __future__ import annotations

from datetime import datetime, timezone

import pytest

from perception_reward.annotations.figures import Counts, Figures, Header, concern


def figures(right: int, found: int, version: str = "v1") -> Figures:
    total = Counts(facts=100, right=right, gold=100, found=found)
    created = datetime(2026, 1, 1, tzinfo=timezone.utc)
    return Figures(
        version=version, gold="gold", gold_version="g1", method="symbolic", created=created, problems=9, total=total
    )


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (None, "never held against a gold standard"),
        (figures(95, 80, "v0"), "version v1 of these annotations was never evaluated, but v0"),
        (figures(60, 80), "only 60% are right by gold"),
        (figures(95, 20), "only 20% of the facts of gold"),
    ],
)
def test_figures_that_are_missing_stale_or_poor_are_a_concern(found: Figures | None, words: str):
    assert words in (concern(found, "v1") or "")


def test_good_figures_are_none():
    assert concern(figures(95, 80), "v1") is None
    assert concern(figures(95, 80), None) is None


def test_a_header_is_read_as_it_was_written():
    header = Header(version="v1", figures=figures(3, 4))
    assert Header.model_validate_json(header.model_dump_json(exclude_defaults=True)) == header
