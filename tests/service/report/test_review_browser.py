"""Reviewing facts in a real browser, by keyboard (`make test-browser`): Debian's chromium, checked by axe-core.

With SCREENSHOTS=FOLDER it also leaves the pictures of the docs there (`make review-pictures`).
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from perception_reward.annotations.decisions import Decision, Decisions
from perception_reward.annotations.model import Annotation
from perception_reward.annotations.pipeline.rows import Extracted, Sighting
from perception_reward.annotations.review import chosen
from perception_reward.service.api.review import make_review_app
from perception_reward.service.report.review import Review

pytestmark = pytest.mark.browser
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or "chromium"
AXE = Path(os.environ.get("AXE", "build/axe/package/axe.min.js"))
HOSTILE = "</script><script>document.title='taken'</script><img src=x onerror=\"document.title='taken'\">"
KINDS = [
    ("length", "Segment AC has length 9."),
    ("length", "Segment BC has length 12."),
    ("perpendicular", "AC is perpendicular to BC."),
    ("label", "The hypotenuse is labelled x."),
    ("length", "Segment AC has length 8."),
]
# Seconds until the first of 5,000 facts can be decided.
LONGEST = 3.0
CHAIN = (
    "I look at the figure first. It is a triangle with the corners A, B and C, and there is a small square at C, so AC "
    "is perpendicular to BC. The side AC is marked 9, and the side BC is marked 12. The third side carries an x, so "
    "the hypotenuse is labelled x.\n\nBy Pythagoras x² = 9² + 12² = 81 + 144 = 225, so x = 15."
)
QUOTES = {
    "Segment AC has length 9.": "The side AC is marked 9",
    "Segment BC has length 12.": "the side BC is marked 12",
    "AC is perpendicular to BC.": "there is a small square at C, so AC is perpendicular to BC.",
    "The hypotenuse is labelled x.": "the hypotenuse is labelled x.",
    "Segment AC has length 8.": "AC reads 8",
}


def drawn(path: Path) -> None:
    """A right triangle with its marks."""
    image = pytest.importorskip("PIL.Image").new("RGB", (560, 400), "white")
    pen = pytest.importorskip("PIL.ImageDraw").Draw(image)
    font = pytest.importorskip("PIL.ImageFont").load_default(24)
    pen.polygon([(90, 60), (90, 330), (470, 330)], outline="black", width=3)
    pen.rectangle([90, 306, 114, 330], outline="black", width=2)
    for words, at in (
        ("A", (64, 34)),
        ("C", (62, 330)),
        ("B", (480, 322)),
        ("9", (58, 180)),
        ("12", (262, 342)),
        ("x", (290, 160)),
    ):
        pen.text(at, words, fill="black", font=font)
    image.save(path)


def store(facts: int, hostile: bool = False) -> list[Annotation]:
    return [
        Annotation.model_validate(
            {
                "id": f"worksheet-{n + 1}",
                "question": "Find x." + (HOSTILE if hostile else ""),
                "answer": "15",
                "images": ["triangle.png"],
                "facts": [
                    {
                        "id": f"f{m}",
                        "text": text + (HOSTILE if hostile else ""),
                        "kind": kind,
                        "polarity": "distractor" if m == 4 else "present",
                    }
                    for m, (kind, text) in enumerate(KINDS)
                ],
                "provenance": {"source": "worksheet 3" if n % 2 else "worksheet 4", "model": "a-model"},
            }
        )
        for n in range(facts // len(KINDS))
    ]


def review(folder: Path, facts: int, hostile: bool = False) -> Review:
    annotations = store(facts, hostile)
    drawn(folder / "triangle.png")
    claims = [Sighting(statement=text, kind=kind, quote=QUOTES[text]) for kind, text in KINDS]
    told = {
        one.id: [Extracted(id=one.id, question="Find x.", response=CHAIN + (HOSTILE if hostile else ""), claims=claims)]
        for one in annotations
    }
    return Review(chosen(annotations), folder, told)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield found
        found.close()


class Served:
    """A review on a port, with a page that says what it says and asks for."""

    def __init__(self, browser: Any, folder: Path, made: Review, **options: Any) -> None:
        self.decisions = folder / "decisions.jsonl"
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}/"
        app = make_review_app(made, Decisions(self.decisions), "ann")
        self._server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
        self._thread = threading.Thread(target=self._server.run, args=([self._listener],), daemon=True)
        self._thread.start()
        self.context = browser.new_context(**options)
        self.page = self.context.new_page()
        self.said: list[str] = []
        self.asked: list[str] = []
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("request", lambda request: self.asked.append(request.url))

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.decisions.read_text(encoding="utf-8").splitlines()]

    def saved(self, count: int) -> None:
        """Wait until so many decisions are saved."""
        self.page.wait_for_function(
            "count => fetch('/figures').then(a => a.json()).then(f => (f.reviewers.ann?.total.total ?? 0) >= count)",
            arg=count,
        )

    def close(self) -> None:
        self.context.close()
        self._server.should_exit = True
        self._thread.join(30)
        self._listener.close()


def shown(page: Any, number: int) -> None:
    page.get_by_role("heading", name=f"Fact {number:,} of", exact=False).wait_for()


def test_five_thousand_facts_by_keyboard_with_a_reload_in_the_middle(browser: Any, tmp_path: Path):
    served = Served(browser, tmp_path, review(tmp_path, 5000))
    try:
        page, start = served.page, time.perf_counter()
        page.goto(served.url)
        page.wait_for_selector("#images img")
        took = time.perf_counter() - start
        shown(page, 1)
        assert "small square" not in page.inner_text("#told mark")
        for key in "aar":
            page.keyboard.press(key)
        shown(page, 4)
        page.keyboard.press("e")
        page.keyboard.press("Control+a")
        page.keyboard.type("Side AB is labelled x, for area.")
        page.keyboard.press("Enter")
        shown(page, 5)
        page.keyboard.press("ArrowLeft")
        page.keyboard.press("p")
        shown(page, 3)
        assert page.get_attribute("#reject", "aria-pressed") == "true"
        page.keyboard.press("u")
        page.keyboard.press("g")
        shown(page, 5)
        served.saved(3)
        page.reload()
        shown(page, 5)
        assert page.inner_text("#progress") == "3 of 5,000 decided"
        page.goto("about:blank")
        page.goto(served.url)
        shown(page, 3)
        page.keyboard.press("e")
        page.keyboard.type("never kept")
        page.keyboard.press("Escape")
        page.keyboard.press("n")
        shown(page, 4)
        assert [line["decision"] for line in served.lines()] == ["accept", "accept", "reject", "edit", None]
        assert served.lines()[3]["edited"] == "Side AB is labelled x, for area."
        assert served.said == []
        assert all(url.startswith((served.url, "data:", "about:")) for url in served.asked)
        assert took < LONGEST
    finally:
        served.close()


def test_the_quoted_words_are_marked_and_words_that_are_not_there_are_said(browser: Any, tmp_path: Path):
    served = Served(browser, tmp_path, review(tmp_path, 5))
    try:
        served.page.goto(served.url + "#3")
        served.page.wait_for_selector("#told mark")
        assert served.page.inner_text("#told mark") == QUOTES["AC is perpendicular to BC."]
        served.page.keyboard.press("n")
        served.page.keyboard.press("n")
        assert "which does not stand there" in served.page.inner_text("#told .warn")
    finally:
        served.close()


def test_hostile_facts_run_nothing(browser: Any, tmp_path: Path):
    served = Served(browser, tmp_path, review(tmp_path, 5, hostile=True))
    try:
        served.page.goto(served.url)
        served.page.wait_for_selector("#told .text")
        assert served.page.title() == "Facts to review"
        assert served.page.locator("img").count() == 1
        assert served.said == []
    finally:
        served.close()


def test_what_is_not_saved_is_said_and_is_undecided_again(browser: Any, tmp_path: Path):
    served = Served(browser, tmp_path, review(tmp_path, 5))
    try:
        served.page.goto(served.url)
        served.page.wait_for_selector("#images img")
        served.context.set_offline(True)
        served.page.keyboard.press("a")
        served.page.get_by_text("Not saved: worksheet-1").wait_for()
        assert served.page.inner_text("#progress") == "0 of 5 decided"
    finally:
        served.close()


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("review-light", {"color_scheme": "light", "viewport": {"width": 1280, "height": 860}}),
        ("review-dark", {"color_scheme": "dark", "viewport": {"width": 1280, "height": 860}}),
        ("review-phone", {"color_scheme": "light", "viewport": {"width": 390, "height": 780}}),
    ],
)
def test_axe_finds_nothing_and_nothing_runs_over_the_edge(
    browser: Any, tmp_path: Path, name: str, options: dict[str, Any]
):
    served = Served(browser, tmp_path, review(tmp_path, 40), bypass_csp=True, **options)
    try:
        bob = Decisions(served.decisions)
        for annotation in store(40)[:2]:
            for fact, word in zip(annotation.facts, ("accept", "accept", "accept", "reject", "accept"), strict=True):
                bob.put(
                    Decision.model_validate(
                        {
                            "annotation": annotation.id,
                            "fact": fact.id,
                            "text": fact.text,
                            "decision": word,
                            "reviewer": "bob",
                        }
                    )
                )
        page = served.page
        page.goto(served.url)
        page.wait_for_selector("#images img")
        for key in "aaararaa":
            page.keyboard.press(key)
        served.saved(8)
        page.keyboard.press("p")
        page.keyboard.press("p")
        page.wait_for_selector("#numbers table")
        page.wait_for_selector("#told mark")
        if folder := os.environ.get("SCREENSHOTS"):
            page.screenshot(path=f"{folder}/{name}.png", full_page=True)
        assert page.evaluate("document.documentElement.scrollWidth") <= page.evaluate("innerWidth")
        page.evaluate(AXE.read_text(encoding="utf-8"))
        assert _violations(page) == []
        page.keyboard.press("e")
        assert _violations(page) == []
    finally:
        served.close()


def _violations(page: Any) -> list[str]:
    found = page.evaluate("axe.run()")["violations"]
    return [f"{one['id']}: {one['help']}: {one['nodes'][0]['target']}" for one in found]


def test_a_page_that_is_a_file_keeps_decisions_over_a_reload_and_hands_them_out(browser: Any, tmp_path: Path):
    path = tmp_path / "sample.html"
    path.write_text(review(tmp_path, 100).page(served=False), encoding="utf-8")
    context = browser.new_context()
    page, asked, said = context.new_page(), list[str](), list[str]()
    page.on("request", lambda request: asked.append(request.url.split("#")[0]))
    page.on("console", lambda message: said.append(message.text))
    page.goto(path.as_uri())
    page.wait_for_selector("#images img")
    page.keyboard.press("a")
    page.keyboard.press("r")
    page.reload()
    shown(page, 3)
    page.fill("#reviewer", "Bob")
    page.focus("#download")
    with page.expect_download() as download:
        page.keyboard.press("Enter")
    out = tmp_path / "downloaded.jsonl"
    download.value.save_as(out)
    found = Decisions(out).of("Bob")
    assert [one.decision for one in found.values()] == ["accept", "reject"]
    assert {url for url in asked if not url.startswith(("data:", "blob:"))} == {path.as_uri()}
    assert said == []
    context.close()
