from __future__ import annotations

import logging

import pytest

from perception_reward.service.scoring.run_warnings import RunWarnings

BOTH = {"facts": "no facts", "answer": "no answers"}


def test_a_run_is_told_each_thing_once(caplog: pytest.LogCaptureFixture):
    warnings = RunWarnings()
    assert warnings.tell("a", {"facts": "2 of 8 have no facts"}) == ["2 of 8 have no facts"]
    assert warnings.tell("a", {"facts": "3 of 8 have no facts", "answer": "no answers"}) == ["no answers"]
    assert warnings.tell("a", BOTH) == []
    assert warnings.tell("b", BOTH) == ["no facts", "no answers"]
    assert [entry.getMessage() for entry in caplog.records].count("no answers") == 2
    assert [entry.__dict__["run"] for entry in caplog.records] == ["a", "a", "b", "b"]


def test_requests_without_a_run_are_told_each_time_and_logged_once(caplog: pytest.LogCaptureFixture):
    warnings = RunWarnings()
    for _ in range(3):
        assert warnings.tell(None, BOTH) == ["no facts", "no answers"]
    assert len(caplog.records) == 2
    assert all(entry.levelno == logging.WARNING for entry in caplog.records)


def test_nothing_to_tell_is_not_remembered():
    warnings = RunWarnings(most_runs=1)
    warnings.tell("a", BOTH)
    assert warnings.tell("b", {}) == []
    assert warnings.tell("a", BOTH) == []


def test_the_runs_remembered_are_bounded():
    warnings = RunWarnings(most_runs=2)
    for run in ("a", "b", "a", "c"):
        warnings.tell(run, BOTH)
    assert warnings.tell("a", BOTH) == [], "the run that was heard of longest ago is forgotten first"
    assert warnings.tell("b", BOTH) == ["no facts", "no answers"]
