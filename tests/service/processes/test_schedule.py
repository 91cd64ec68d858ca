"""The rule, without any process: who comes next, who gives way, and what is lost."""

from __future__ import annotations

import operator
from typing import Any

import pytest

from perception_reward.service.fairness import Flow
from perception_reward.service.processes.batch import Batch
from perception_reward.service.processes.history import FIRST_TRY_SECONDS
from perception_reward.service.processes.outcomes import TimedOut
from perception_reward.service.processes.schedule import Run, Schedule

WORKER: Any = object()


def batch(payloads: int, flow: Flow | None = None) -> Batch:
    return Batch(operator.neg, range(payloads), 5.0, flow or Flow(), TimedOut)


def scheduled(*batches: Batch, workers: int = 2) -> Schedule:
    schedule = Schedule(workers)
    for each in batches:
        schedule.add(each)
    return schedule


def begin(schedule: Schedule) -> Run:
    run = schedule.take()
    assert run is not None
    run.worker = run.worker or WORKER
    return run


def hold(schedule: Schedule, run: Run, seconds: float) -> None:
    """The run holds its worker, and computes, for so long."""
    schedule.charge(run, seconds)
    run.held += seconds
    run.spent = run.computed = run.held


def test_every_payload_is_handed_out_once() -> None:
    schedule = scheduled(batch(100))
    seen: list[int] = []
    while (run := schedule.take()) is not None:
        seen += run.indices
        run.indices.clear()
        schedule.done(run)
    assert sorted(seen) == list(range(100))
    assert schedule.waiting == 0


def test_a_small_request_is_next_however_much_another_has_waiting() -> None:
    large, small = batch(4096), batch(8)
    schedule = scheduled(large)
    hold(schedule, begin(schedule), 0.1)
    schedule.add(small)
    assert begin(schedule).batch is small


def test_two_requests_get_the_same_time_whatever_their_payloads_take() -> None:
    slow, quick = batch(100_000), batch(100_000)
    schedule = scheduled(slow, quick)
    held = {slow: 0.0, quick: 0.0}
    for _ in range(300):
        run = begin(schedule)
        seconds = 0.05 if run.batch is slow else 0.01
        hold(schedule, run, seconds)
        held[run.batch] += seconds
        run.indices.clear()
        schedule.done(run)
    assert held[slow] == pytest.approx(held[quick], abs=0.06)


def test_a_payload_is_left_alone_until_it_is_long() -> None:
    schedule = scheduled(hang := batch(1))
    run = begin(schedule)
    schedule.add(batch(8))
    hold(schedule, run, FIRST_TRY_SECONDS / 2)
    assert not schedule.outlived(run)
    assert not schedule.rival(run)
    hold(schedule, run, FIRST_TRY_SECONDS)
    assert schedule.outlived(run)
    assert schedule.rival(run)
    assert run.batch is hang


def test_what_shared_a_chunk_with_a_long_payload_is_for_others() -> None:
    schedule = scheduled(batch(512))
    run = begin(schedule)
    first, *others = run.indices
    hold(schedule, run, 1.0)
    assert schedule.outlived(run)
    assert list(run.indices) == [first]
    assert run.alone
    assert list(begin(schedule).indices)[: len(others)] == others


def pause(schedule: Schedule, run: Run) -> None:
    """As the pool does it."""
    victim = schedule.victim(run)
    if victim is run:
        run.worker = None
        schedule.retry(run)
        return
    if victim is not None:
        schedule.give_up(victim)
    schedule.put_back(run)


def test_hanging_payloads_are_served_last_of_their_request() -> None:
    schedule = scheduled(batch(64), workers=1)
    hanging, done = set(range(16)), list[int]()
    for _ in range(10_000):
        run = begin(schedule)
        while run.indices and run.indices[0] not in hanging:
            hold(schedule, run, 0.01)
            done.append(run.indices.popleft())
            run.held = run.spent = run.computed = 0.0
        if run.indices:
            hold(schedule, run, 0.05 if run.long else FIRST_TRY_SECONDS)
            schedule.outlived(run)
            pause(schedule, run)
        else:
            schedule.done(run)
        if len(done) == 48:
            break
    assert sorted(done) == list(range(16, 64))


def test_a_paused_run_goes_on_where_it_stood() -> None:
    schedule = scheduled(batch(1))
    run = begin(schedule)
    hold(schedule, run, 1.0)
    schedule.outlived(run)
    schedule.put_back(run)
    assert schedule.waiting == 1
    assert schedule.take() is run
    assert run.spent == 1.0


def test_without_an_idle_worker_paused_runs_alone_go_on() -> None:
    schedule = scheduled(batch(1))
    run = begin(schedule)
    assert schedule.take_paused() is None
    schedule.put_back(run)
    schedule.add(batch(8))
    assert schedule.take_paused() is run
    assert schedule.take_paused() is None


def test_of_too_many_long_payloads_that_begins_again_on_which_least_was_spent() -> None:
    flow = Flow()
    schedule = scheduled(*(batch(1, flow) for _ in range(10)), workers=1)
    runs = [begin(schedule) for _ in range(10)]
    for spent, run in enumerate(runs, start=1):
        hold(schedule, run, float(spent))
        schedule.outlived(run)
        assert schedule.victim(run) is (None if spent <= 8 else runs[spent - 9])
        pause(schedule, run)
    again = [run for run in iter(schedule.take, None) if run.long and run.worker is None]
    assert {run.batch for run in again} == {runs[0].batch, runs[1].batch}


def test_a_short_payload_is_never_ended_for_room() -> None:
    schedule = Schedule(1)
    runs: list[Run] = []
    for _ in range(10):
        schedule.add(batch(1))
        runs.append(begin(schedule))
        runs[-1].spent = FIRST_TRY_SECONDS
    schedule.add(batch(1))
    last = begin(schedule)
    for run in runs:
        schedule.put_back(run)
    last.spent = FIRST_TRY_SECONDS
    schedule.charge(last, 100.0)
    assert not schedule.rival(last)
    assert schedule.victim(last) is None


def test_what_killed_its_worker_is_tried_again_and_known_for_it() -> None:
    schedule = scheduled(batch(8))
    run = begin(schedule)
    run.guilty = True
    schedule.retry(run)
    schedule.retry(begin(schedule))
    assert [each.guilty for each in iter(schedule.take, None)].count(True) == 1


def test_a_withdrawn_batch_leaves_nothing_behind() -> None:
    flow = Flow()
    gone, stays = batch(8, flow), batch(1, flow)
    schedule = scheduled(gone, stays)
    run = begin(schedule)
    hold(schedule, run, 1.0)
    schedule.outlived(run)
    schedule.put_back(run)
    gone.close()
    assert schedule.withdraw(gone) == [WORKER]
    assert schedule.waiting == 1
    assert begin(schedule).batch is stays
