"""Write `deploy/monitoring/prometheusrule.yaml`, the rules as the Prometheus operator takes them (`make pages`)."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parents[2] / "deploy/monitoring"
HEAD = """\
# Made of rules.yaml by `make pages`.
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: perception-reward
  labels:
    app.kubernetes.io/part-of: perception-reward
spec:
"""


def text() -> str:
    rules = (FOLDER / "rules.yaml").read_text()
    body = rules[rules.index("groups:") :]
    return HEAD + "".join(f"  {line}" if line.strip() else line for line in body.splitlines(keepends=True))


if __name__ == "__main__":
    (FOLDER / "prometheusrule.yaml").write_text(text())
