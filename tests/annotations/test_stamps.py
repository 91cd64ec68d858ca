from __future__ import annotations

import os
from pathlib import Path

import pytest

from perception_reward.annotations.stamps import stamp, stamps


def test_a_file_that_takes_anothers_place_has_another_stamp(tmp_path: Path):
    """Of the same size and time, as a mounted secret may be."""
    file, other = tmp_path / "a", tmp_path / "b"
    for one in (file, other):
        one.write_text("same")
        os.utime(one, ns=(5, 5))
    before = stamp(file)
    assert before == stamp(file)
    os.replace(other, file)
    assert stamp(file) != before


def test_a_file_that_is_not_there_has_none(tmp_path: Path):
    assert stamps([tmp_path / "gone"]) == (None,)
    with pytest.raises(FileNotFoundError):
        stamp(tmp_path / "gone")
