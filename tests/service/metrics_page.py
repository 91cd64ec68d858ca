"""Writes `service/metrics.md`: every metric of the service, from the metrics themselves. `make pages` runs it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path

from perception_reward.service.audit.figures import Estimate, Proportion
from perception_reward.service.audit.last import AuditSummary
from perception_reward.service.metrics import MOST_RUNS, Metrics

PAGE = Path(__file__).resolve().parents[2] / "service" / "metrics.md"

HEAD = f"""# Metrics

What `GET /metrics` shows, in Prometheus' text form. It needs an API key like every other path, unless a key of its own
(`--metrics-key`) or none (`--open-metrics`) is asked for. A histogram has `_bucket`, `_sum` and `_count` series.

Traces: with `pip install '.[service,traces]'` and OpenTelemetry's own variables (`OTEL_EXPORTER_OTLP_ENDPOINT`, or
`OTEL_TRACES_EXPORTER=console`) each request is a span, in the trainer's trace where it makes one, with the look into
the cache and each question to a judge's server below it; vLLM goes on with the same trace (`--otlp-traces-endpoint`).

`run` is the label that a trainer sends with its requests (`PERCEPTION_REWARD_RUN`). The first {MOST_RUNS} runs have
series of their own, and all others share `run="other"`. The mean of a component over the last ten minutes of a run:

```
delta(perception_reward_run_component_sum{{run="geo3k-7b", component="perception"}}[10m])
  / increase(perception_reward_run_component_items_total{{run="geo3k-7b", component="perception"}}[10m])
```

The share of missing scores: `sum by (run) (rate(perception_reward_missing_total[10m]))` over
`sum by (run) (rate(perception_reward_items_total[10m]))`.

| metric | type | labels | what it says |
|---|---|---|---|
"""


def page() -> str:
    return HEAD + "".join(f"| `{name}` | {kind} | {labels} | {text} |\n" for name, kind, labels, text in _rows())


def _rows() -> Iterator[tuple[str, str, str, str]]:
    metrics = Metrics()
    metrics.audited(_audit())
    for collector in metrics.registry._collector_to_names:  # pyright: ignore[reportPrivateUsage]
        (family,) = collector.describe()  # type: ignore[attr-defined]
        name = {"counter": f"{family.name}_total", "info": f"{family.name}_info"}.get(family.type, family.name)
        labels = ", ".join(f"`{label}`" for label in collector._labelnames)  # type: ignore[attr-defined]
        yield name, family.type, labels or "–", family.documentation


def _audit() -> AuditSummary:
    share = Proportion(value=0.5, hits=1, total=2)
    return AuditSummary(
        verdict="fair",
        reasons=[],
        created=datetime.now(timezone.utc),
        fingerprint="f",
        stale=False,
        source="generated",
        auc=Estimate(value=0.5),
        accuracy=share,
        attack_success=share,
    )


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
