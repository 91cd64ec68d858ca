"""The report in a real browser (`make test-browser`): Debian's chromium, driven by playwright, checked by axe-core."""

from __future__ import annotations

import os
import random
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from perception_reward.service.profiles.load import load_profiles
from perception_reward.service.report.compare import Rule, compare
from perception_reward.service.report.page import render
from perception_reward.service.report.rows import Row, row_of
from perception_reward.service.report.runs import run_of

pytestmark = pytest.mark.browser
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or "chromium"
AXE = Path(os.environ.get("AXE", "build/axe/package/axe.min.js"))
HOSTILE = "</script><script>document.title='taken'</script><img src=x onerror=\"document.title='taken'\">"
FACTS = ["Segment AB has length 5.", "Angle ABC measures 40 degrees.", "Point P lies on line LK."]
PROFILE = load_profiles()["perception-r1"]
# Seconds until the table of 10,000 rollouts can be used.
LONGEST = 3.0


def rows(count: int, skill: float, hostile: bool = False) -> list[Row]:
    draw, made = random.Random(int(skill * 100)), []
    for n in range(count):
        saw = [draw.random() < skill for _ in FACTS]
        right = draw.random() < 0.2 + 0.2 * sum(saw)
        response = "<think>\nIn the figure, " + " ".join(
            text if seen else text.replace("5", "7") for text, seen in zip(FACTS, saw, strict=True)
        )
        facts: list[dict[str, Any]] = []
        for number, (text, seen) in enumerate(zip(FACTS, saw, strict=True)):
            start = response.find(text[:12])
            verdict = "stated" if seen else "contradicted" if "5" in text else "absent"
            span = [start, start + len(text)] if verdict != "absent" else None
            facts.append({"id": f"f{number}", "text": text, "verdict": verdict, "probability": 0.9, "span": span})
        response += " So by $\\frac{a}{b} = \\sqrt{2}$ we have it. " + "More is said here. " * draw.randint(1, 120)
        response += "\n</think>\n<answer>\n\\boxed{5}\n</answer>" + (HOSTILE if hostile else "")
        parts = {"format": 1.0, "accuracy": float(right), "perception": sum(saw) / 3, "repetition": 0.0}
        score = 0.1 + 0.9 * parts["accuracy"] + 0.7 * parts["perception"]
        extra = {
            "response": response,
            "question": f"Find $x_{{{n // 8}}}$." + (HOSTILE if hostile else ""),
            "answer": "5",
        }
        record = {"id": f"geo-{n}", "group": f"geo-{n // 8}", "step": n // 80, "score": score, "components": parts}
        made.append(row_of("results.jsonl", n + 1, {**record, "facts": facts, "extra": extra}))
    return made


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield found
        found.close()


@pytest.fixture(scope="module")
def page_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    before, after = rows(800, 0.5, hostile=True), rows(800, 0.7)
    runs = [run_of(label, found, PROFILE) for label, found in (("base", before), ("tuned", after))]
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(render(runs, PROFILE, Rule(), comparison=compare(before, after, Rule())), encoding="utf-8")
    return path


class Opened:
    """A page with what it said and what it asked for."""

    def __init__(self, browser: Any, path: Path, hash_: str = "", **options: Any) -> None:
        self.context = browser.new_context(**options)
        self.page = self.context.new_page()
        self.said: list[str] = []
        self.asked: list[str] = []
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.goto(path.as_uri() + hash_)
        self.page.wait_for_selector("#table tbody tr", state="attached")


@pytest.fixture
def opened(browser: Any, page_file: Path) -> Iterator[Opened]:
    found = Opened(browser, page_file)
    yield found
    found.context.close()


def test_the_page_asks_for_nothing_says_nothing_and_runs_nothing_of_a_response(opened: Opened, page_file: Path):
    opened.page.click("#table tbody a")
    opened.page.wait_for_selector("dialog[open]")
    opened.page.fill("#search", "geo-1", force=True)
    assert opened.said == []
    assert [url.split("#")[0] for url in opened.asked] == [page_file.as_uri()]
    assert opened.page.title() == "Rewards of base, tuned"
    assert opened.page.locator("img").count() == 0


def test_formulas_are_drawn_and_the_words_of_facts_marked(opened: Opened):
    pair = opened.page.locator(".pair").first
    assert pair.locator("math mfrac").count() >= 2
    assert "Segment AB has length 5." in pair.locator("mark.stated").first.inner_text()


def test_a_link_to_a_rollout_opens_it_and_closing_it_forgets_it(browser: Any, page_file: Path):
    found = Opened(browser, page_file, "#rollout=tuned%2Fgeo-17")
    found.page.wait_for_selector("dialog[open]")
    assert found.page.inner_text("#detail-h") == "tuned/geo-17"
    found.page.keyboard.press("Escape")
    found.page.wait_for_selector("dialog:not([open])", state="attached")
    found.page.wait_for_url(page_file.as_uri())
    found.context.close()


def test_everything_can_be_done_with_the_keyboard(opened: Opened):
    page = opened.page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.focus("#search")
    page.keyboard.type("geo-12")
    # Of each run: geo-12, geo-120 to geo-129, and the eight rollouts of the group geo-12.
    page.get_by_text("38 rollouts", exact=True).wait_for()
    page.focus("#table thead th:nth-child(4) button")
    page.keyboard.press("Enter")
    assert page.get_attribute("#table thead th:nth-child(4)", "aria-sort") == "ascending"
    page.focus("#table tbody a")
    page.keyboard.press("Enter")
    page.wait_for_selector("dialog[open]")
    assert page.evaluate("document.activeElement.textContent") == "Close"
    page.keyboard.press("Enter")
    page.wait_for_selector("dialog:not([open])", state="attached")


def test_a_quadrant_and_a_sign_list_their_rollouts(opened: Opened):
    counted = opened.page.locator(".quadrant.lucky .quiet").first.inner_text()
    opened.page.locator(".quadrant.lucky button").first.click()
    assert opened.page.inner_text("#count") == counted
    assert opened.page.input_value("#quadrant") == "lucky"


@pytest.mark.parametrize(
    "options",
    [
        pytest.param({"color_scheme": "light", "viewport": {"width": 1280, "height": 860}}, id="light"),
        pytest.param({"color_scheme": "dark", "viewport": {"width": 1280, "height": 860}}, id="dark"),
        pytest.param({"color_scheme": "light", "viewport": {"width": 390, "height": 780}}, id="phone"),
    ],
)
def test_axe_finds_nothing_and_nothing_runs_over_the_edge(browser: Any, page_file: Path, options: dict[str, Any]):
    found = Opened(browser, page_file, bypass_csp=True, **options)
    page = found.page
    assert page.evaluate("document.documentElement.scrollWidth") <= page.evaluate("innerWidth")
    page.evaluate(AXE.read_text(encoding="utf-8"))
    assert _violations(page) == []
    page.click("#table tbody a")
    page.wait_for_selector("dialog[open]")
    assert _violations(page) == []
    found.context.close()


def _violations(page: Any) -> list[str]:
    found = page.evaluate("axe.run()")["violations"]
    return [f"{one['id']}: {one['help']}: {one['nodes'][0]['target']}" for one in found]


def test_ten_thousand_rollouts_open_within_seconds(browser: Any, tmp_path: Path):
    path = tmp_path / "large.html"
    path.write_text(render([run_of("large", rows(10_000, 0.6), PROFILE)], PROFILE, Rule()), encoding="utf-8")
    took: list[float] = []
    for _ in range(3):
        start = time.perf_counter()
        found = Opened(browser, path)
        took.append(time.perf_counter() - start)
        assert found.page.inner_text("#count") == "10,000 rollouts"
        found.context.close()
    assert min(took) < LONGEST, took
