from __future__ import annotations

import pytest

from perception_reward.annotations.faults import MAX_NAME_CHARACTERS, LineError, RecordFileError, printable, where


def test_a_fault_of_the_whole_file_names_no_place():
    assert str(RecordFileError("some/a.zip", [LineError(0, "", "is a zip archive")])) == "a.zip is a zip archive"
    assert str(RecordFileError("a.csv", [LineError(3, "", "is bad")], "row")) == "a.csv row 3: is bad"


def test_a_name_from_a_file_is_short_and_keeps_to_its_line():
    assert printable("a\nb\x1b[31m") == "a\\nb\\x1b[31m"
    assert len(printable("n" * 10_000)) == 80


@pytest.mark.parametrize(
    ("location", "path"),
    [
        ((), ""),
        (("items", 3, "response"), "items[3].response"),
        (("items", 3, "response", "(list)", 2, "(block)", "text"), "items[3].response[2].text"),
        (("query", "limit"), "query.limit"),
    ],
)
def test_a_place_reads_as_its_path(location: tuple[object, ...], path: str):
    assert where(location) == path


def test_a_long_name_is_cut():
    assert len(where(("n" * 1_000_000,))) == MAX_NAME_CHARACTERS
