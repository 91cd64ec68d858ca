"""What was paid for stays: whatever is cut off, and however full the disk is."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from perception_reward.annotations.pipeline import journal as module
from perception_reward.annotations.pipeline.journal import Journal, JournalFault


def key(number: int) -> str:
    return f"{number:016x}" * 2


def test_what_was_put_is_there_in_the_next_run_with_its_tokens_and_day(tmp_path: Path) -> None:
    path = tmp_path / "j.jsonl"
    with Journal.opened(path, step="extract", began="2026-01-02") as journal:
        journal.put(key(1), {"text": "ä\n\ud800"}, (3, 4))
        assert journal.get(key(1)) == {"text": "ä\n\ud800"}
        assert journal.get(key(2)) is None
    with Journal.opened(path, step="extract", began="2027-01-01") as journal:
        assert (journal.get(key(1)), journal.spent, journal.began) == ({"text": "ä\n\ud800"}, (3, 4), "2026-01-02")


def test_a_line_that_was_cut_off_anywhere_is_taken_away_and_the_others_stay(tmp_path: Path) -> None:
    path = tmp_path / "j.jsonl"
    with Journal.opened(path, step="x", began="2026-01-02") as journal:
        for number in range(3):
            journal.put(key(number), {"text": "x" * 9000})
    whole = path.read_bytes()
    last = whole.rindex(b"\n", 0, -1) + 1
    for cut in (0, 5, last, last + 1, last + 20, len(whole) - 1):
        path.write_bytes(whole[:cut])
        with Journal.opened(path, step="x", began="2026-01-02") as journal:
            kept = [number for number in range(3) if journal.get(key(number)) is not None]
            assert kept == ([0, 1] if cut >= last else [])
            journal.put(key(7), {"text": "new"})
        with Journal.opened(path, step="x", began="") as journal:
            assert journal.get(key(7)) == {"text": "new"}


def test_many_lines_are_found_again_in_this_run_and_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RECENT", 10)
    path = tmp_path / "j.jsonl"
    # Two keys of one beginning are two keys.
    keys = [*map(key, range(57)), "f" * 16 + "0" * 16, "f" * 16 + "1" * 16]
    with Journal.opened(path, step="x", began="d") as journal:
        for number, one in enumerate(keys[:-1]):
            journal.put(one, {"n": number})
        assert [journal.get(one) for one in keys] == [*({"n": number} for number in range(58)), None]
    with Journal.opened(path, step="x", began="d") as journal:
        assert [journal.get(one) for one in keys] == [*({"n": number} for number in range(58)), None]
        journal.put(keys[-1], {"n": 58})
    with Journal.opened(path, step="x", began="d") as journal:
        assert [journal.get(one) for one in keys] == [{"n": number} for number in range(59)]


def test_one_run_at_a_time_writes_and_no_other_step(tmp_path: Path) -> None:
    path = tmp_path / "j.jsonl"
    with (
        Journal.opened(path, step="x", began="d"),
        pytest.raises(JournalFault, match="another run"),
        Journal.opened(path, step="x", began="d"),
    ):
        pass
    with pytest.raises(JournalFault, match="no journal of `y`"), Journal.opened(path, step="y", began="d"):
        pass
    path.write_text('{"journal":"x","began":"d"}\n{"key":"no"}\n', encoding="utf-8")
    with pytest.raises(JournalFault, match="line 2"), Journal.opened(path, step="x", began="d"):
        pass


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_a_full_disk_is_told_and_leaves_whole_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "j.jsonl"
    real = os.pwrite
    with Journal.opened(path, step="x", began="d") as journal:
        journal.put(key(1), {"n": 1})
        monkeypatch.setattr(os, "pwrite", lambda file, data, at: real(file, data[:10], at))
        with pytest.raises(OSError, match=str(path)) as caught:
            journal.put(key(2), {"n": 2})
        assert caught.value.errno == errno.ENOSPC
        monkeypatch.undo()
        assert journal.get(key(2)) is None
        journal.put(key(3), {"n": 3})
    with Journal.opened(path, step="x", began="d") as journal:
        assert [journal.get(key(number)) for number in (1, 2, 3)] == [{"n": 1}, None, {"n": 3}]
