"""The page: whole in itself, and safe from what responses hold."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from typing import Any

from perception_reward.service.profiles.load import load_profiles
from perception_reward.service.report.compare import Rule
from perception_reward.service.report.page import render
from perception_reward.service.report.rows import row_of
from perception_reward.service.report.runs import Run, run_of

HOSTILE = (
    '</script><script>alert(1)</script><img src="http://example.com/x" onerror="alert(2)">'
    "<!-- $\\href{javascript:alert(3)}{x}$ 😀"
)
PROFILE = load_profiles()["perception-r1"]


def run(count: int = 16, text: str = HOSTILE, label: str = "mine") -> Run:
    rows = [
        row_of(
            "r.jsonl",
            n + 1,
            {
                "id": f"{text}-{n}",
                "group": f"{text}{n // 4}",
                "step": n // 4,
                "score": 0.9 * (n % 2) + 0.7 * (n % 4) / 4,
                "components": {"format": 0.0, "accuracy": n % 2, "perception": (n % 4) / 4, "repetition": 0.0},
                "facts": [{"id": "f", "text": text, "verdict": "contradicted", "probability": 0.1, "span": [2, 5]}],
                "extra": {"response": f"😀 {n} AB{text}", "question": text, "answer": "5"},
            },
        )
        for n in range(count)
    ]
    return run_of(label, rows, PROFILE)


class Elements(HTMLParser):
    """Tags with their attributes, and what script elements hold."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag == "script":
            self.scripts.append("")

    def handle_data(self, data: str) -> None:
        if self.cdata_elem == "script":
            self.scripts[-1] += data


def table(page: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    assert found is not None
    return json.loads(found[1])


def test_hostile_texts_stay_texts():
    page = render([run()], PROFILE, Rule())
    found = Elements(page)
    assert not [tag for tag, _ in found.tags if tag in ("img", "iframe", "link", "object")]
    assert not [name for _, attributes in found.tags for name in attributes if name.startswith("on")]
    assert not [attributes for _, attributes in found.tags if "src" in attributes]
    kinds = [attributes.get("type") for tag, attributes in found.tags if tag == "script"]
    assert kinds.count(None) == 1
    assert all(
        attributes["href"].startswith("#") for tag, attributes in found.tags if tag == "a" and attributes["href"]
    )
    assert table(page)["rows"][0][0].startswith("mine/" + HOSTILE)


def test_the_policy_of_the_page_runs_its_own_script_and_loads_nothing():
    page = render([run()], PROFILE, Rule())
    found = Elements(page)
    policy = next(a["content"] for tag, a in found.tags if tag == "meta" and a.get("http-equiv"))
    hashed = base64.b64encode(hashlib.sha256(found.scripts[-1].encode()).digest()).decode()
    assert policy == f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{hashed}'"


def test_spans_are_counted_as_browsers_count():
    """One emoji is one character here and two units there."""
    page = render([run(1)], PROFILE, Rule())
    found = re.search(r'id="texts-0">(.*?)</script>', page, re.DOTALL)
    assert found is not None
    response, _, _, _, facts, *_ = json.loads(found[1])[0]
    units = response.encode("utf-16-le")
    assert units[2 * facts[0][3] : 2 * facts[0][4]].decode("utf-16-le") == response[2:5]


def test_more_rollouts_than_are_listed_keep_the_examples_and_all_figures():
    page = render([run(200, "plain")], PROFILE, Rule(), most=40)
    rows = table(page)["rows"]
    assert len(rows) == 40
    assert {row[7] for row in rows} == {"both", "lucky", "saw", "neither"}
    assert "40 of 200 are listed" in page


def test_rows_of_one_name_have_links_of_their_own():
    rows = [row_of("r", place, {"id": "x", "score": 1.0}) for place in (1, 2)]
    page = render([run_of("mine", rows, PROFILE)], PROFILE, Rule())
    assert [row[0] for row in table(page)["rows"]] == ["mine/x:1", "mine/x:2"]


def test_rows_without_anything_but_a_score_have_a_page_too():
    bare = run_of("bare", [row_of("r", 1, {"id": None, "score": None, "components": {}, "accuracy": None})], PROFILE)
    page = render([bare], PROFILE, Rule(), comparison="these cannot be compared")
    assert "No rollout has both accuracy and perception" in page
    assert "these cannot be compared" in page


def test_examples_of_a_quadrant_are_of_as_many_problems_as_there_are():
    page = render([run(64, "plain")], PROFILE, Rule())
    [shown] = re.findall(r"Right answer, wrong seeing</strong>: (.*?)</p>", page)
    named = re.findall(r'#rollout=mine/plain-(\d+)"', shown)
    assert len({int(name) // 4 for name in named}) == len(named) == 6


def test_a_component_of_a_package_stands_beside_the_others():
    parts = {"accuracy": 1.0, "brevity": -0.25}
    rows = [
        row_of("r", n, {"id": str(n), "score": 1.0, "components": {**parts, "brevity": -n / 8}}) for n in range(1, 9)
    ]
    page = render([run_of("mine", rows, PROFILE)], PROFILE, Rule())
    assert table(page)["components"] == ["accuracy", "brevity"]
    assert [row[-1] for row in table(page)["rows"]] == [-n / 8 for n in range(1, 9)]
    assert ">brevity</title>" in page  # its distribution is drawn
