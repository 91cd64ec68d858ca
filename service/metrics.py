"""What Prometheus sees of the service: one registry per app, and the observers that the parts report to."""

from __future__ import annotations

import platform
import time
from bisect import bisect_left
from collections import Counter as Counts
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import version
from typing import Any, TypeVar, cast

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from perception_reward.service import logs
from perception_reward.service.audit.last import AuditSummary
from perception_reward.trainer_client.wire import ItemResult

CONTENT_TYPE = CONTENT_TYPE_LATEST
PREFIX = "perception_reward"

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)
SCORES = (-2, -1.5, -1, -0.5, 0, 0.1, 0.25, 0.5, 0.75, 0.9, 1, 1.25, 1.5, 1.75, 2)
SHARES = (-2, -1, -0.5, -0.25, -0.1, 0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1)
# What an item has to have for a component that is not null.
_NEEDS = {"perception": "facts", "accuracy": "answer"}
# Labels come from requests, and every label value is a time series: past this many runs they share one.
MOST_RUNS = 64
_OTHERS = "other"
# Beyond it a float does not count by one.
MOST_STEPS = 2**53


M = TypeVar("M", Counter, Gauge, "Distribution")


class Distribution(Histogram):
    """A histogram that observes the numbers of a whole request at once: one by one, thousands would hold it up."""

    def observe_all(self, numbers: Sequence[float]) -> None:
        untyped = cast(Any, self)
        untyped._sum.inc(sum(numbers))
        # Its buckets are not cumulative until they are read.
        for bucket, count in Counts(bisect_left(self._upper_bounds, number) for number in numbers).items():
            untyped._buckets[bucket].inc(count)


class Metrics:
    """Counters of one app. Its methods are the observers which the cache, the judge and the scorer report to."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = self._counter("requests_total", "HTTP requests.", "route", "method", "status")
        self._request_seconds = self._histogram("request_seconds", "Seconds per HTTP request.", "route")
        self._items = self._counter("items_total", "Items scored.", "profile", "run")
        self._key_items = self._counter("key_items_total", "Items taken in with a key of the file of keys.", "key")
        self._logged = self._counter(
            "rollouts_logged_total",
            "Results taken by the rollout log: `written`, or `dropped` as the disk is slow or full.",
            "outcome",
        )
        self._facts = self._counter("facts_total", "Facts asked about.", "profile")
        self._verdicts = self._counter("verdicts_total", "Verdicts given.", "verdict")
        self._missing = self._counter("missing_total", "Items whose score is missing.", "reason", "run")
        self._without = {
            name: self._counter(f"items_without_{name}_total", text, "run")
            for name, text in (
                ("facts", "Items whose perception is null as there are no facts that count."),
                ("answer", "Items whose accuracy is null as there is no reference answer."),
            )
        }
        self._truncated = self._counter("truncated_total", "Responses cut before the judge.")
        self._component = self._histogram(
            "component", "Components of the reward.", "profile", "component", buckets=SHARES
        )
        # Components can be negative, so their sum is a gauge: a counter never falls.
        self._run_sum = self._gauge(
            "run_component_sum",
            "Sum of a component over a run's items; its change over that of the items is the mean.",
            "run",
            "component",
        )
        self._run_items = self._counter(
            "run_component_items_total", "Items of a run that have a component.", "run", "component"
        )
        self._run_step = self._gauge("run_step", "Training step of the last rollouts of a run.", "run")
        self._score = self._histogram("score", "Scores.", "profile", "run", buckets=SCORES)
        self._hits = self._counter("cache_hits_total", "Cache hits.", "tier")
        self._misses = self._counter("cache_misses_total", "Cache misses.")
        self._cache_errors = self._counter("cache_errors_total", "Cache operations that failed.", "kind")
        self._redis_up = self._gauge(
            "redis_up", "1 while the cache's Redis answers and takes writes; 0 while it does not, or is not set."
        )
        self._judged = self._counter("judged_total", "Verdicts the judge had to make.")
        self._joined = self._counter("joined_total", "Verdicts shared with identical work under way.")
        self._judge_seconds = self._histogram("judge_seconds", "Seconds per batch sent to the judge.")
        self._judge_requests = self._counter(
            "judge_requests_total", "Requests to judge servers.", "endpoint", "outcome"
        )
        self._judge_request_seconds = self._histogram(
            "judge_request_seconds", "Seconds per request to a judge server.", "endpoint"
        )
        self._judge_retries = self._counter("judge_retries_total", "Requests to judge servers made again.", "reason")
        self._judge_unusable = self._counter(
            "judge_unusable_replies_total",
            "Replies of judge servers that were not taken, or not believed in full, by what was wrong with them.",
            "endpoint",
            "fault",
        )
        self._judge_queue = self._gauge("judge_queue", "Requests to judge servers under way or waiting.")
        self._cascade = self._counter(
            "cascade_facts_total",
            "Facts by the cascade's stage that decided them: rules, model, or none.",
            "stage",
            "kind",
        )
        self._comparisons = self._counter(
            "cascade_checks_total",
            "Facts decided by the cascade's rules and put to its model as well, by how the two compare.",
            "kind",
            "result",
        )
        self._restarts = self._counter(
            "worker_restarts_total",
            "Workers that ended (a task that hung or ate its memory, a caller that left, a kill) and were replaced.",
        )
        self.workers_alive = self._gauge("workers_alive", "Worker processes that live.")
        self.worker_queue = self._gauge("worker_queue", "Tasks waiting for or in the workers.")
        self.pending_items = self._gauge("pending_items", "Items under way.")
        self._refused = self._counter("refused_total", "Requests refused, by why.", "reason")
        self.annotations = self._gauge("annotations", "Annotations loaded.")
        Gauge(
            f"{PREFIX}_log_lines_dropped",
            "Log lines that were never written as nobody read them.",
            registry=self.registry,
        ).set_function(logs.dropped)
        self._build = Info(f"{PREFIX}_build", "Version of the service and its judge.", registry=self.registry)
        self._runs: set[str] = set()
        self._found: dict[tuple[object, tuple[str, ...]], object] = {}

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"{PREFIX}_{name}", text, labels, registry=self.registry)

    def _gauge(self, name: str, text: str, *labels: str) -> Gauge:
        return Gauge(f"{PREFIX}_{name}", text, labels, registry=self.registry)

    def _histogram(self, name: str, text: str, *labels: str, buckets: Sequence[float] = SECONDS) -> Distribution:
        return Distribution(f"{PREFIX}_{name}", text, labels, buckets=buckets, registry=self.registry)

    def describe(self, judge: str, method: str, fingerprint: str) -> None:
        self._build.info(
            {
                "version": version("perception-reward"),
                "python": platform.python_version(),
                "judge": judge,
                "method": method,
                "fingerprint": fingerprint,
            }
        )

    def audited(self, audit: AuditSummary) -> None:
        """What the last audit found. A figure that it could not tell makes no time series."""
        figures = {
            "auc": ("Area under the ROC curve of `stated`, in the last audit.", audit.auc),
            "accuracy": ("Accuracy of the three-way verdict, in the last audit.", audit.accuracy),
            "attack_success": ("Share of attacks that succeeded, in the last audit.", audit.attack_success),
        }
        for name, (documentation, figure) in figures.items():
            if figure is not None and figure.value is not None:
                self._gauge(f"audit_{name}", documentation).set(figure.value)
        self._gauge("audit_stale", "1 where the last audit was of another judge.").set(audit.stale)
        made = audit.created.timestamp()
        self._gauge("audit_age_seconds", "Seconds since the last audit.").set_function(lambda: time.time() - made)

    def exposition(self) -> bytes:
        return generate_latest(self.registry)

    def _of(self, metric: M, *labels: str) -> M:
        """The time series of these labels. A look-up of the library's own costs more than what it leads to."""
        key = (metric, labels)
        if (series := self._found.get(key)) is None:
            series = self._found[key] = metric.labels(*labels)
        return series  # pyright: ignore[reportReturnType]

    # HTTP

    def answered(self, route: str, method: str, status: int, seconds: float) -> None:
        self._of(self._requests, route, method, str(status)).inc()
        self._of(self._request_seconds, route).observe(seconds)

    def refused(self, reason: str) -> None:
        self._of(self._refused, reason).inc()

    # scoring

    def rollouts_logged(self, outcome: str, results: int) -> None:
        self._of(self._logged, outcome).inc(results)

    def keyed(self, key: str, items: int) -> None:
        self._of(self._key_items, key).inc(items)

    def scored(self, profile: str, run: str | None, results: Sequence[ItemResult], step: int | None = None) -> None:
        label = self._run_label(run)
        if step is not None and step <= MOST_STEPS and label != _OTHERS:
            self._of(self._run_step, label).set(step)
        self._of(self._items, profile, label).inc(len(results))
        self._truncated.inc(sum(result.truncated for result in results))
        for reason, count in Counts(result.reason for result in results if result.reason is not None).items():
            self._of(self._missing, reason, label).inc(count)
        # What no item has makes no series of zeros.
        if scores := [result.score for result in results if result.score is not None]:
            self._of(self._score, profile, label).observe_all(scores)
        for component in results[0].components if results else ():
            self._have(component, [result.components.get(component) for result in results], profile, label)
            if (about := _NEEDS.get(component)) is not None:
                bare = sum(result.reason is None and result.components.get(component) is None for result in results)
                if bare:
                    self._of(self._without[about], label).inc(bare)
        verdicts = Counts(fact.verdict for result in results for fact in result.facts or ())
        self._of(self._facts, profile).inc(verdicts.total())
        for verdict, count in verdicts.items():
            self._of(self._verdicts, verdict).inc(count)

    def _have(self, component: str, values: Sequence[float | None], profile: str, run: str) -> None:
        if numbers := [value for value in values if value is not None]:
            self._of(self._component, profile, component).observe_all(numbers)
            self._of(self._run_sum, run, component).inc(sum(numbers))
            self._of(self._run_items, run, component).inc(len(numbers))

    def _run_label(self, run: str | None) -> str:
        if run is None:
            return ""
        if run not in self._runs and len(self._runs) >= MOST_RUNS:
            return _OTHERS
        self._runs.add(run)
        return run

    def judged(self, asked: int, joined: int) -> None:
        self._judged.inc(asked)
        self._joined.inc(joined)

    def judge_batch(self, seconds: float) -> None:
        self._judge_seconds.observe(seconds)

    def worker_restarted(self) -> None:
        self._restarts.inc()

    # what the cache reports

    def hits(self, tier: str, n: int) -> None:
        self._of(self._hits, tier).inc(n)

    def misses(self, n: int) -> None:
        self._misses.inc(n)

    def error(self, kind: str) -> None:
        self._of(self._cache_errors, kind).inc()

    def redis_up(self, up: bool) -> None:
        self._redis_up.set(1 if up else 0)

    # what a judge over HTTP reports

    def request(self, endpoint: str, seconds: float, ok: bool) -> None:
        self._of(self._judge_requests, endpoint, "ok" if ok else "failed").inc()
        self._of(self._judge_request_seconds, endpoint).observe(seconds)

    def retry(self, reason: str) -> None:
        self._of(self._judge_retries, reason).inc()

    def unusable(self, endpoint: str, fault: str) -> None:
        self._of(self._judge_unusable, endpoint, fault).inc()

    def inflight(self, n: int) -> None:
        self._judge_queue.set(n)

    # what a cascade reports

    def cascaded(self, stage: str, kind: str, facts: int) -> None:
        self._of(self._cascade, stage, kind).inc(facts)

    def compared(self, kind: str, result: str) -> None:
        self._of(self._comparisons, kind, result).inc()


def samples(text: str) -> Iterator[tuple[str, Mapping[str, str], float]]:
    """What `/metrics` of a service says, as (name, labels, value). Raises `ValueError` for another text."""
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            yield sample.name, sample.labels, sample.value
