from __future__ import annotations

from perception_reward.annotations.faults import LineError, RecordFileError, printable


def test_a_fault_of_the_whole_file_names_no_place():
    assert str(RecordFileError("some/a.zip", [LineError(0, "", "is a zip archive")])) == "a.zip is a zip archive"
    assert str(RecordFileError("a.csv", [LineError(3, "", "is bad")], "row")) == "a.csv row 3: is bad"


def test_a_name_from_a_file_is_short_and_keeps_to_its_line():
    assert printable("a\nb\x1b[31m") == "a\\nb\\x1b[31m"
    assert len(printable("n" * 10_000)) == 80
