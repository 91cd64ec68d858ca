"""Every rule of Prometheus: it fires when it should, and is silent when it should not."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
import yaml

pytestmark = pytest.mark.deploy

RULES = Path(__file__).parents[2] / "deploy/monitoring/rules.yaml"
ALERTS: dict[str, Any] = {
    rule["alert"]: rule
    for group in yaml.safe_load(RULES.read_text())["groups"]
    for rule in group["rules"]
    if "alert" in rule
}

P = "perception_reward_"
RUN = 'run="geo3k", namespace="ns", pod="api-0"'
MEAN = f"{P}run_component_sum{{{RUN}, component="
ITEMS = f"{P}run_component_items_total{{{RUN}, component="
VLLM = '{model_name="m", engine="0", namespace="ns", pod="judge-0", instance="judge-0"}'

Series = dict[str, str]


def mean(component: str, each_minute: str, items: str = "0+100x300") -> Series:
    """A run of 100 items a minute whose component adds up like that."""
    return {f'{MEAN}"{component}"}}': each_minute, f'{ITEMS}"{component}"}}': items}


def judge(running: str, prompt: str, steps: str, waiting: str = "0x60") -> Series:
    return {
        f"vllm:num_requests_running{VLLM}": running,
        f"vllm:num_requests_waiting{VLLM}": waiting,
        f"vllm:prompt_tokens_total{VLLM}": prompt,
        f"vllm:generation_tokens_total{VLLM}": "5x60",
        f"vllm:iteration_tokens_total_count{VLLM}": steps,
    }


def missing(a_minute: str) -> Series:
    return {
        f'{P}missing_total{{reason="judge_timeout", {RUN}}}': a_minute,
        f'{P}items_total{{profile="perception-r1", {RUN}}}': "0+100x60",
    }


def refused(reason: str, a_minute: str) -> Series:
    return {
        f'{P}refused_total{{reason="{reason}", namespace="ns", pod="api-0"}}': a_minute,
        f'{P}requests_total{{route="/v1/score", method="POST", status="200", namespace="ns", pod="api-0"}}': "0+100x60",
        f'{P}requests_total{{route="/livez", method="GET", status="200", namespace="ns", pod="api-0"}}': "0+9000x60",
    }


def cache(up: str, errors: str) -> Series:
    return {
        f'{P}redis_up{{namespace="ns", pod="api-0"}}': up,
        f'{P}cache_errors_total{{kind="timeout", namespace="ns", pod="api-0"}}': errors,
    }


def asked(failed: str) -> Series:
    labels = 'endpoint="judge-0.judge:8000", namespace="ns", pod="api-0"'
    return {
        f'{P}judge_requests_total{{outcome="failed", {labels}}}': failed,
        f'{P}judge_requests_total{{outcome="ok", {labels}}}': "0+100x60",
    }


def one(name: str, values: str, labels: str = 'namespace="ns", pod="api-0"') -> Series:
    return {f"{P}{name}{{{labels}}}": values}


RISING = "0+50x120 6100+80x180"
FALLING = "0+60x120 7240+30x180"

# By alert: what makes it fire, and what must not, after an hour (or five, where the rule looks back three).
FIRES: dict[str, list[Series]] = {
    "PerceptionRewardAbsent": [{}, one("build_info", "1x30 stale _x28")],
    "PerceptionRewardMissing": [missing("0+10x60")],
    "PerceptionRewardMostlyMissing": [missing("0+60x60")],
    "PerceptionRewardRefusing": [refused("overloaded", "0+10x60"), refused("unauthorized", "0+10x60")],
    "PerceptionRewardCacheDown": [cache("1x30 0x30", "0x60"), cache("0x60", "0+1x60")],
    "PerceptionRewardWorkersDying": [one("worker_restarts_total", "0+2x60")],
    "PerceptionRewardNoWorkers": [one("workers_alive", "4x50 0x10")],
    "PerceptionRewardSaturated": [mean("perception", "0+99x300")],
    "PerceptionRewardCollapsed": [mean("perception", "0+1x300"), mean("perception", "0-40x300")],
    "PerceptionRewardHacked": [mean("perception", RISING) | mean("accuracy", FALLING)],
    "PerceptionRewardAuditStale": [one("audit_stale", "1x300")],
    "PerceptionRewardJudgeFailing": [asked("0+20x60")],
    "PerceptionRewardJudgeStalled": [
        judge("3x60", "0+100x30 3000x30", "0+10x30 300x30"),
        judge("0x60", "7x60", "3x60", waiting="2x60"),
    ],
    "PerceptionRewardJudgeQueue": [judge("64x60", "0+9x60", "0+9x60", waiting="200x60")],
    "PerceptionRewardJudgeUnusable": [
        one("judge_unusable_replies_total", "0+2x60", 'endpoint="e", fault="size", namespace="ns", pod="api-0"')
    ],
}
SILENT: dict[str, list[Series]] = {
    "PerceptionRewardAbsent": [one("build_info", "1x300")],
    "PerceptionRewardMissing": [missing("0+2x60"), missing("0x60"), missing("0x57 40x3")],
    "PerceptionRewardMostlyMissing": [missing("0+40x60")],
    "PerceptionRewardRefusing": [refused("overloaded", "0+2x60"), refused("draining", "0+50x60")],
    # Where no cache is set, none is down.
    "PerceptionRewardCacheDown": [cache("0x60", "0x60"), cache("1x60", "0+1x60"), cache("1x57 0x3", "0x60")],
    "PerceptionRewardWorkersDying": [one("worker_restarts_total", "0x55 5x5")],
    "PerceptionRewardNoWorkers": [one("workers_alive", "4x60")],
    # A run that is new, or a few items.
    "PerceptionRewardSaturated": [mean("perception", "0+90x300"), mean("perception", "0+1x300", items="0+1x300")],
    # A replica that was restarted begins its sums anew.
    "PerceptionRewardCollapsed": [
        mean("perception", "0+50x300"),
        mean("perception", "0x300", items="0x300"),
        mean("perception", "0+50x279 0+50x20", items="0+100x279 0+100x20"),
    ],
    "PerceptionRewardHacked": [
        mean("perception", RISING) | mean("accuracy", "0+60x300"),
        mean("perception", "0+50x300") | mean("accuracy", FALLING),
    ],
    "PerceptionRewardAuditStale": [one("audit_stale", "0x300")],
    "PerceptionRewardJudgeFailing": [asked("0+5x60"), asked("0x60")],
    "PerceptionRewardJudgeStalled": [
        judge("3x60", "0+100x60", "0+10x60"),
        judge("0x60", "3000x60", "300x60"),
        # A long prompt: steps are taken although no request has got an answer.
        judge("1x60", "3000x60", "0+10x60"),
    ],
    "PerceptionRewardJudgeQueue": [judge("64x60", "0+9x60", "0+9x60", waiting="30x60")],
    "PerceptionRewardJudgeUnusable": [
        one("judge_unusable_replies_total", "0x55 3x5", 'endpoint="e", fault="size", namespace="ns", pod="api-0"')
    ],
}


def case(alert: str, series: Series, fires: bool) -> dict[str, Any]:
    long = any("x300" in values or "x180" in values for values in series.values()) or not series
    return {
        "interval": "1m",
        "name": f"{alert} {'fires' if fires else 'is silent'}",
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "promql_expr_test": [
            {
                "expr": f'count(ALERTS{{alertname="{alert}", alertstate="firing"}}) or vector(0)',
                "eval_time": "299m" if long else "60m",
                "exp_samples": [{"labels": "{}", "value": int(fires)}],
            }
        ],
    }


def holds(tool: Any, folder: Path, cases: Iterable[dict[str, Any]], rules: Path = RULES) -> Any:
    file = folder / "test.yaml"
    file.write_text(yaml.safe_dump({"rule_files": [str(rules)], "evaluation_interval": "1m", "tests": list(cases)}))
    return tool("promtool", "test", "rules", file, check=False)


def test_every_alert_is_tried_both_ways() -> None:
    assert FIRES.keys() == SILENT.keys() == ALERTS.keys()


@pytest.mark.parametrize("alert", ALERTS)
def test_an_alert_fires_when_it_should_and_is_silent_when_not(alert: str, tool: Any, tmp_path: Path) -> None:
    cases = [case(alert, series, True) for series in FIRES[alert]]
    done = holds(tool, tmp_path, [*cases, *(case(alert, series, False) for series in SILENT[alert])])
    assert done.returncode == 0, done.stdout + done.stderr


def test_means_are_those_of_all_replicas(tool: Any, tmp_path: Path) -> None:
    series = mean("perception", "0+30x60")
    series |= {name.replace("api-0", "api-1"): values.replace("30", "60") for name, values in series.items()}
    sample = {"labels": '{__name__="perception_reward:run_component_mean:30m", namespace="ns", run="geo3k", '
              'component="perception"}', "value": 0.45}  # fmt: skip
    tests = case("PerceptionRewardSaturated", series, False)
    tests["promql_expr_test"] = [
        {"expr": "perception_reward:run_component_mean:30m", "eval_time": "50m", "exp_samples": [sample]}
    ]
    done = holds(tool, tmp_path, [tests])
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_rules_parse(tool: Any) -> None:
    tool("promtool", "check", "rules", "--lint-fatal", RULES)


def test_the_operators_object_has_the_same_rules(root: Path) -> None:
    made = yaml.safe_load((root / "deploy/monitoring/prometheusrule.yaml").read_text())
    assert made["spec"] == yaml.safe_load(RULES.read_text()), "run `make pages`"


@pytest.mark.parametrize("alert", ALERTS)
def test_an_alert_leads_to_its_runbook(alert: str, root: Path) -> None:
    file, anchor = ALERTS[alert]["annotations"]["runbook_url"].split("#")
    headings = re.findall(r"^#+ (.+)$", (root / "deploy" / file).read_text(), re.MULTILINE)
    assert anchor in {re.sub(r"[^\w\- ]", "", heading).lower().replace(" ", "-") for heading in headings}
    assert anchor == alert.lower()


def test_every_runbook_has_an_alert(root: Path) -> None:
    headings = re.findall(r"^## (PerceptionReward\w+)$", (root / "deploy/runbooks.md").read_text(), re.MULTILINE)
    assert sorted(headings) == sorted(ALERTS)
