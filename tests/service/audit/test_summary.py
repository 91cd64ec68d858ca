from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timezone
from xml.etree import ElementTree

import pytest
from rich.console import Console

from perception_reward.service.audit.figures import AuditReport, Estimate, Fit, HeldOut
from perception_reward.service.audit.probes import Observation
from perception_reward.service.audit.report import build_report
from perception_reward.service.audit.summary import print_summary, render_html
from perception_reward.service.judges.base import JudgeInfo

Seen = Callable[..., Observation]


def shown(observations: list[Observation]) -> str:
    fit = Fit(log_loss=0.512, ece=0.1, accuracy=0.8)
    report = build_report(
        observations,
        info=JudgeInfo("made", "org/model", "verdict", "made/1"),
        seed=0,
        created=datetime(2026, 1, 2, tzinfo=timezone.utc),
        held_out=HeldOut(examples=10, problems=5, folds=5, before=fit, after=fit, gain=Estimate(value=0.123))
        if observations
        else None,
        resamples=20,
    )
    console = Console(width=140)
    with console.capture() as captured:
        print_summary(console, report)
    return captured.get()


def test_the_grade_comes_first_and_every_part_is_told(seen: Seen):
    base = seen("stated", "stated", problem="a")
    text = shown(
        [
            base,
            seen("absent", "stated", problem="b"),
            seen("absent", "stated", purpose="attack", family="[red]opener[/red]"),
            seen("stated", "absent", purpose="flip", family="order", base=base),
            seen(None, "stated", purpose="repeat", family="repeat", base=base),
        ]
    )
    assert "poor" in text.splitlines()[0]
    for words in ("recall of stated", "0.500", "[red]opener[/red]", "1.000", "1/1", "order", "repeat", "0.512"):
        assert words in text, words


def test_an_audit_of_nothing_says_so():
    assert "nothing was asked" in shown([])


HOSTILE = "</pre><script>alert(1)</script><img src=x onerror=alert(2)>{{ 7 * 7 }}"


def report(observations: list[Observation]) -> AuditReport:
    fit = Fit(log_loss=0.5, ece=0.1, accuracy=0.8)
    return build_report(
        observations,
        info=JudgeInfo("made", "org/model", "verdict", "made/1"),
        seed=0,
        created=datetime(2026, 1, 2, tzinfo=timezone.utc),
        held_out=HeldOut(examples=10, problems=5, folds=5, before=fit, after=fit, gain=Estimate(value=0.123)),
        resamples=20,
    )


@pytest.fixture
def page(seen: Seen) -> str:
    base = seen("stated", "stated", 0.8, problem="p1")
    return render_html(
        report(
            [
                base,
                seen("absent", "stated", 0.7, problem="p2", response=HOSTILE, kind="<b>kind</b>"),
                seen("contradicted", "judge_timeout", problem="p3"),
                seen("absent", "absent", purpose="labelled", family="human", problem="p4"),
                seen("absent", "stated", purpose="attack", family="opener <i>"),
                seen("stated", "absent", purpose="flip", family="order", base=base),
                seen(None, "stated", purpose="repeat", family="repeat", base=base),
            ]
        )
    )


def test_a_response_is_shown_and_cannot_become_a_part_of_the_page(page: str):
    assert "<script" not in page
    assert "<img" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert "{{ 7 * 7 }}" in page
    assert "<b>kind" not in page
    assert "<i>" not in page


def test_the_page_needs_nothing_else(page: str):
    assert "default-src 'none'" in page
    assert not re.search(r"<[^>]*(?:src|href)=|url\(|@import", page)


def test_its_pictures_are_well_formed_and_inside_their_frame(page: str):
    pictures = re.findall(r"<svg.*?</svg>", page, re.DOTALL)
    assert len(pictures) == 4
    for picture in pictures:
        root = ElementTree.fromstring(picture)
        width, height = float(root.attrib["width"]), float(root.attrib["height"])
        for part in root.iter():
            for name, limit in (("x", width), ("cx", width), ("x1", width), ("y", height), ("cy", height)):
                assert 0.0 <= float(part.attrib.get(name, 0.0)) <= limit


def test_it_holds_every_section_and_no_nan(page: str):
    for words in ("labelled by people", "made from the annotations", "Attacks", "Steadiness", "Calibration", "Wrong"):
        assert words in page
    assert not re.search(r"\bnan\b", page, re.IGNORECASE)
    assert "None" not in page


def test_an_audit_of_nothing_has_a_page_too():
    assert "poor" in render_html(report([]))
