"""Decisions of people: kept at once, shared by processes, and whole after a kill."""

from __future__ import annotations

import os
import resource
from pathlib import Path

import pytest

from perception_reward.annotations.decisions import Decision, Decisions
from perception_reward.annotations.faults import RecordFileError


def said(fact: str, decision: str | None = "accept", reviewer: str = "ann", **more: str) -> Decision:
    return Decision.model_validate(
        {"annotation": "p", "fact": fact, "text": "AB is 5.", "decision": decision, "reviewer": reviewer, **more}
    )


def test_the_last_decision_counts_and_one_can_be_taken_back(tmp_path: Path):
    path = tmp_path / "decisions.jsonl"
    decisions = Decisions(path)
    decisions.put(said("f1"))
    decisions.put(said("f1", "edit", edited="AB is 6."))
    decisions.put(said("f2", "reject"))
    decisions.put(said("f2", None))
    again = Decisions(path)
    assert {key: one.edited for key, one in again.of("ann").items()} == {("p", "f1"): "AB is 6."}
    assert len(path.read_bytes().splitlines()) == 4


def test_two_processes_add_to_one_file(tmp_path: Path):
    path = tmp_path / "decisions.jsonl"
    one, other = Decisions(path), Decisions(path)
    one.put(said("f1"))
    other.put(said("f1", "reject", reviewer="bob"))
    one.put(said("f2"))
    other.refresh()
    assert sorted(other.reviewers) == ["ann", "bob"]
    assert len(other.of("ann")) == 2
    assert len(Decisions(path).of("bob")) == 1


def test_what_a_killed_process_left_of_a_line_is_taken_away(tmp_path: Path):
    path = tmp_path / "decisions.jsonl"
    Decisions(path).put(said("f1"))
    with path.open("ab") as file:
        file.write(b'{"annotation":"p","fa')
    decisions = Decisions(path)
    decisions.put(said("f2"))
    assert set(Decisions(path).of("ann")) == {("p", "f1"), ("p", "f2")}


def test_what_does_not_fit_is_told_and_leaves_the_file_as_it_was(tmp_path: Path):
    path = tmp_path / "decisions.jsonl"
    decisions = Decisions(path)
    decisions.put(said("f1"))
    before, limits = path.read_bytes(), resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + 20, limits[1]))
    try:
        with pytest.raises(OSError, match=r"decisions\.jsonl"):
            decisions.put(said("f2"))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert path.read_bytes() == before
    decisions.put(said("f3"))
    assert set(Decisions(path).of("ann")) == {("p", "f1"), ("p", "f3")}


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_place_that_takes_no_file_is_told_before_anybody_decides(tmp_path: Path):
    tmp_path.chmod(0o500)
    with pytest.raises(PermissionError):
        Decisions(tmp_path / "decisions.jsonl").check_writable()


@pytest.mark.parametrize(
    "line", [b"{}\n", b"nonsense\n", b'{"annotation":"p","fact":"f","text":"x","decision":"edit","reviewer":"a"}\n']
)
def test_a_line_that_is_no_decision_is_named(tmp_path: Path, line: bytes):
    path = tmp_path / "decisions.jsonl"
    Decisions(path).put(said("f1"))
    with path.open("ab") as file:
        file.write(line)
    with pytest.raises(RecordFileError, match=r"decisions\.jsonl line 2: is no decision"):
        Decisions(path)
