"""The table of findings itself: what a row holds, and that watching sees what is there."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from typing import Any

import pytest

# What watches the attacks, which run with it.
pytestmark = pytest.mark.faults


def test_a_service_that_stands_still_is_seen(
    attack: Callable[..., Any], start_process: Callable[..., Any], findings: Any
):
    service = start_process("--workers", "1")
    with attack(service, "the service is stopped", "nothing", bounded=False) as finding:
        time.sleep(0.3)
        service.signal(signal.SIGSTOP)
        time.sleep(1)
        service.signal(signal.SIGCONT)
    assert finding.slowest > 0.9
    assert finding.percentile(0.1) < 0.5
    assert finding.failed == 0
    assert finding.row().startswith("| the service is stopped | nothing | ")
    findings.remove(finding)


def test_a_slow_service_fails_the_test(attack: Callable[..., Any], start_process: Callable[..., Any], findings: Any):
    service = start_process("--workers", "1")

    def stand_still() -> None:
        with attack(service, "it stands still", "nothing"):
            service.signal(signal.SIGSTOP)
            time.sleep(1.8)
            service.signal(signal.SIGCONT)

    with pytest.raises(AssertionError, match="stands still"):
        stand_still()
    findings.pop()
