from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone

from rich.console import Console

from perception_reward.service.audit.figures import Estimate, Fit, HeldOut
from perception_reward.service.audit.report import build_report
from perception_reward.service.audit.run import Observation
from perception_reward.service.audit.summary import print_summary
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
