from __future__ import annotations

import runpy
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Histogram
from prometheus_client.exposition import generate_latest

from perception_reward.service.audit.figures import Estimate, Proportion
from perception_reward.service.audit.last import AuditSummary
from perception_reward.service.metrics import MOST_RUNS, Distribution, Metrics, samples
from perception_reward.trainer_client.wire import Components, FactResult, ItemResult


def result(score: float | None = 1.0, reason: str | None = None) -> ItemResult:
    return ItemResult.model_validate(
        {
            "id": None,
            "status": "missing" if reason else "ok",
            "score": None if reason else score,
            "components": Components(format=1, accuracy=None, perception=0.5, repetition=0),
            "facts": [FactResult(id="f", verdict="stated", probability=1, span=None)],
            "reason": reason,
        }
    )


def test_what_was_scored_is_counted_by_profile_run_and_reason():
    metrics = Metrics()
    metrics.scored("perception-r1", "run-a", [result(), result(reason="judge_timeout")])
    text = metrics.exposition().decode()
    assert 'perception_reward_items_total{profile="perception-r1",run="run-a"} 2.0' in text
    assert 'perception_reward_missing_total{reason="judge_timeout",run="run-a"} 1.0' in text
    assert 'perception_reward_verdicts_total{verdict="stated"} 2.0' in text
    assert 'perception_reward_component_count{component="perception",profile="perception-r1"} 2.0' in text
    assert 'component="accuracy"' not in text


def test_a_runs_components_have_the_step_that_it_is_at_beside_them():
    metrics = Metrics()
    metrics.scored("perception-r1", "run-a", [result()], 7)
    metrics.scored("perception-r1", "run-b", [result()])
    metrics.scored("perception-r1", "run-c", [result()], 10**400)
    lines = [
        line for line in metrics.exposition().decode().splitlines() if line.startswith("perception_reward_run_step")
    ]
    assert lines == ['perception_reward_run_step{run="run-a"} 7.0']


def test_a_caller_cannot_grow_the_metrics_without_end():
    metrics = Metrics()
    for number in range(MOST_RUNS + 100):
        metrics.scored("perception-r1", f"run-{number}", [result()])
    lines = [
        line for line in metrics.exposition().decode().splitlines() if line.startswith("perception_reward_items_total")
    ]
    assert len(lines) == MOST_RUNS + 1
    assert any('run="other"} 100.0' in line for line in lines)


def test_the_cache_and_the_judge_report_to_it():
    metrics = Metrics()
    metrics.hits("redis", 3)
    metrics.misses(2)
    metrics.error("timeout")
    metrics.redis_up(True)
    metrics.request("gpu-1:8000", 0.2, ok=False)
    metrics.retry("503")
    metrics.unusable("gpu-1:8000", "size")
    metrics.inflight(4)
    metrics.judged(5, 1)
    metrics.judge_batch(0.1)
    metrics.worker_restarted()
    metrics.cascaded("rules", "length", 3)
    metrics.compared("length", "agreed")
    text = metrics.exposition().decode()
    for line in (
        'perception_reward_cache_hits_total{tier="redis"} 3.0',
        "perception_reward_cache_misses_total 2.0",
        'perception_reward_cache_errors_total{kind="timeout"} 1.0',
        "perception_reward_redis_up 1.0",
        'perception_reward_judge_requests_total{endpoint="gpu-1:8000",outcome="failed"} 1.0',
        'perception_reward_judge_retries_total{reason="503"} 1.0',
        'perception_reward_judge_unusable_replies_total{endpoint="gpu-1:8000",fault="size"} 1.0',
        "perception_reward_judge_queue 4.0",
        "perception_reward_judged_total 5.0",
        "perception_reward_joined_total 1.0",
        "perception_reward_judge_seconds_count 1.0",
        "perception_reward_worker_restarts_total 1.0",
        'perception_reward_cascade_facts_total{kind="length",stage="rules"} 3.0',
        'perception_reward_cascade_checks_total{kind="length",result="agreed"} 1.0',
    ):
        assert line in text, line


def test_two_apps_do_not_share_their_metrics():
    one, other = Metrics(), Metrics()
    one.judged(1, 0)
    assert "perception_reward_judged_total 0.0" in other.exposition().decode()


def test_the_last_audit_is_shown_and_what_it_could_not_tell_is_no_number():
    metrics = Metrics()
    assert "perception_reward_audit" not in metrics.exposition().decode()
    created = datetime.now(timezone.utc) - timedelta(days=2)
    metrics.audited(
        AuditSummary(
            verdict="fair",
            reasons=[],
            created=created,
            fingerprint="f",
            stale=True,
            source="generated",
            auc=Estimate(value=0.93),
            accuracy=Proportion(value=None, hits=0, total=0),
            attack_success=None,
        )
    )
    lines = [line for line in metrics.exposition().decode().splitlines() if line.startswith("perception_reward_audit")]
    shown = dict(line.rsplit(" ", 1) for line in lines)
    assert set(shown) == {f"perception_reward_audit_{name}" for name in ("auc", "stale", "age_seconds")}
    assert float(shown["perception_reward_audit_auc"]) == 0.93
    assert float(shown["perception_reward_audit_stale"]) == 1.0
    assert float(shown["perception_reward_audit_age_seconds"]) >= 2 * 86400


def test_a_runs_components_have_a_sum_and_a_count_and_may_be_negative():
    metrics = Metrics()
    for perception in (1.0, -0.5):
        scored = result().model_copy(
            update={"components": Components(format=1, accuracy=None, perception=perception, repetition=-0.25)}
        )
        metrics.scored("perception-r1", "run-a", [scored])
    text = metrics.exposition().decode()
    for line in (
        'perception_reward_run_component_sum{component="perception",run="run-a"} 0.5',
        'perception_reward_run_component_items_total{component="perception",run="run-a"} 2.0',
        'perception_reward_run_component_sum{component="repetition",run="run-a"} -0.5',
    ):
        assert line in text, line
    assert 'perception_reward_run_component_items_total{component="accuracy"' not in text


def test_items_that_nothing_can_be_held_to_are_counted_and_missing_ones_are_not():
    metrics = Metrics()
    bare = result().model_copy(
        update={"components": Components(format=1, accuracy=None, perception=None, repetition=0)}
    )
    metrics.scored("perception-r1", "run-a", [bare, result(), bare.model_copy(update={"reason": "judge_timeout"})])
    text = metrics.exposition().decode()
    assert 'perception_reward_items_without_facts_total{run="run-a"} 1.0' in text
    assert 'perception_reward_items_without_answer_total{run="run-a"} 2.0' in text


def test_the_page_of_all_metrics_is_that_of_these_metrics():
    script = runpy.run_path(str(Path(__file__).with_name("metrics_page.py")))
    assert script["PAGE"].read_text(encoding="utf-8") == script["page"](), "run `make pages`"


@given(st.lists(st.floats(-3, 3) | st.sampled_from([0.0, 0.5, 1.0])))
def test_many_numbers_at_once_are_observed_as_if_one_by_one(numbers: list[float]) -> None:
    def said(name: str) -> list[tuple[dict[str, str], float]]:
        return [(dict(labels), value) for sample, labels, value in samples(text) if sample.startswith(name)]

    registry = CollectorRegistry()
    at_once = Distribution("at_once", "", buckets=(0, 0.5, 1), registry=registry)
    in_turn = Histogram("in_turn", "", buckets=(0, 0.5, 1), registry=registry)
    at_once.observe_all(numbers)
    for number in numbers:
        in_turn.observe(number)
    text = generate_latest(registry).decode()
    assert said("at_once_bucket") == said("in_turn_bucket")
    assert said("at_once_count") == said("in_turn_count")
    assert said("at_once_sum")[0][1] == pytest.approx(sum(numbers))
