"""Every query of the dashboard and the rules parses, and names only metrics and labels that are really exported."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

pytestmark = pytest.mark.deploy

HERE = Path(__file__).parent
# Of the target: Prometheus adds them when it scrapes.
TARGET = frozenset({"namespace", "pod", "instance", "job"})
# Made by rules.yaml itself.
RECORDED = {
    "perception_reward:run_component_items:30m": {"run", "component"},
    "perception_reward:run_component_mean:30m": {"run", "component"},
}
# What appears once something has happened that the service of the test is not made to do; service/metrics.md, which
# is made from the code, has them with their labels.
DOCUMENTED = re.compile(r"^\| `(perception_reward_\w+)` \| (\w+) \| (.*?) \|", re.MULTILINE)
SAMPLE = re.compile(r"^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? ", re.MULTILINE)
SELECTOR = re.compile(r"((?:perception_reward|vllm)[:_][a-zA-Z0-9_:]+)(?:\{([^}]*)\})?")


def panels(root: Path) -> list[dict[str, Any]]:
    return json.loads((root / "deploy/monitoring/perception-reward.json").read_text())["panels"]


@pytest.fixture
def queries(root: Path, render: Callable[[str], Any]) -> list[str]:
    """All there are: the panels', the dashboard's variables', the rules', and the autoscaler's."""
    board = json.loads((root / "deploy/monitoring/perception-reward.json").read_text())
    found = [target["expr"] for panel in board["panels"] for target in panel.get("targets", ())]
    variables = (one["query"]["query"] for one in board["templating"]["list"] if one["type"] == "query")
    found += [re.sub(r"label_values\((.*), \w+\)", r"\1", one) for one in variables]
    groups = yaml.safe_load((root / "deploy/monitoring/rules.yaml").read_text())["groups"]
    found += [rule["expr"] for group in groups for rule in group["rules"]]
    found += [one["spec"]["triggers"][0]["metadata"]["query"] for one in render("prod").of("ScaledObject")]
    assert len(found) > 60
    return found


def plain(query: str) -> str:
    """As Grafana sends it."""
    return query.replace("$__rate_interval", "4m").replace("$namespace", ".*").replace("$run", ".*")


@pytest.fixture(scope="module")
def exported(start_shared_process: Any, root: Path) -> dict[str, set[str]]:
    """The labels of each sample that a service which has scored exports, and a vLLM server that has answered."""
    folder = root / "service/demo"
    service = start_shared_process("--annotations", str(folder / "annotations.jsonl"))
    items = [
        {"annotation_id": "right-triangle", "response": "<think>\nAC = 9\n</think>\n<answer>\n\\boxed{15}\n</answer>"}
    ]
    answer = httpx.post(f"{service.url}/v1/score", json={"run": "r", "items": items}, timeout=60)
    assert answer.json()["summary"]["missing"] == 0
    text = httpx.get(f"{service.url}/metrics").text
    found = {name: set(re.findall(r'(\w+)="', labels)) for name, labels in SAMPLE.findall(text)}
    for name, kind, labels in DOCUMENTED.findall((root / "service/metrics.md").read_text()):
        endings = ("_bucket", "_sum", "_count") if kind == "histogram" else ("",)
        for ending in endings:
            found.setdefault(name + ending, set()).update(re.findall(r"`(\w+)`", labels))
    vllm = json.loads((HERE / "vllm_metrics.json").read_text())["samples"]
    return found | {name: set(labels) for name, labels in vllm.items()} | RECORDED


def test_every_query_parses(queries: list[str], tool: Any, tmp_path: Path) -> None:
    rules = [{"record": f"query:{index}", "expr": plain(query)} for index, query in enumerate(queries)]
    file = tmp_path / "queries.yaml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "queries", "rules": rules}]}))
    tool("promtool", "check", "rules", file)


def test_every_query_names_what_is_exported(queries: list[str], exported: dict[str, set[str]]) -> None:
    faults = [fault for query in queries for fault in unknown(query, exported)]
    assert faults == []


def unknown(query: str, exported: dict[str, set[str]]) -> Iterator[str]:
    for name, selector in SELECTOR.findall(query):
        if name not in exported:
            yield f"{name} is not exported: {query}"
            continue
        known = exported[name] | TARGET | {"le"}
        yield from (
            f"{name} has no label {label}" for label in re.findall(r"(\w+)\s*[=!]~?", selector) if label not in known
        )
    labels = {label for name, _ in SELECTOR.findall(query) for label in exported.get(name, ())} | TARGET | {"le"}
    for group in re.findall(r"\b(?:by|without|on|ignoring)\s*\(([^)]*)\)", query):
        yield from (
            f"nothing has a label {label}: {query}" for label in map(str.strip, group.split(",")) if label not in labels
        )


@pytest.mark.parametrize(
    ("query", "fault"),
    [
        ("rate(perception_reward_item_total[5m])", "is not exported"),
        ('vllm:num_requests_running{model="m"}', "has no label model"),
        ("sum by (reasons) (perception_reward_missing_total)", "nothing has a label reasons"),
    ],
)
def test_a_wrong_name_is_found(query: str, fault: str, exported: dict[str, set[str]]) -> None:
    assert any(fault in one for one in unknown(query, exported))


def test_every_panel_has_a_title_and_its_place_alone(root: Path) -> None:
    taken: set[tuple[int, int]] = set()
    ids = [panel["id"] for panel in panels(root)]
    assert len(ids) == len(set(ids))
    for panel in panels(root):
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert panel["title"]
        assert not cells & taken, panel["title"]
        assert max(x for x, _ in cells) < 24
        taken |= cells
