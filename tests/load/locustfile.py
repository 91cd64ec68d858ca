"""Trainers as locust's users: bursts of responses one after the other, by the real client, and a small request beside.

    locust --headless --host http://127.0.0.1:8420 --locustfile tests/load/locustfile.py --users 3 --run-time 20m

Locust's environment needs `pip install locust -e .` and LOCUST_SKIP_MONKEY_PATCH=1: the client's event loop runs in
threads of its own. Of each burst, INJECTED responses name an annotation that nobody has: exactly these must be missing.
PERCEPTION_REWARD_API_KEY is the service's key; OUTCOME, where it is set, is the file for what came of it, as JSON.
"""

from __future__ import annotations

import itertools
import json
import os
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import gevent
from locust import User, constant, events, task

sys.path.insert(0, str(Path(__file__).parent))
from rollouts import BURST, GROUP, burst

from perception_reward.trainer_client import RewardClient

INJECTED = 4
BURSTS, SMALL = itertools.count(10_000_000), itertools.count(20_000_000)
OUTCOME: Counter[str] = Counter()


class Scoring(User):
    abstract = True

    def on_start(self) -> None:
        self.rewards = RewardClient(self.host, request_items=128, missing_limit=1.0, check=False)

    def on_stop(self) -> None:
        self.rewards.close()

    def score(self, name: str, items: list[dict[str, Any]], injected: int) -> None:
        """One call, which fails where anything else is missing than what was injected."""
        started, error = time.perf_counter(), None
        try:
            # In a real thread, as the client's event loop is none of gevent's.
            results = gevent.get_hub().threadpool.apply(self.rewards.score_sync, (items,))
            reasons = Counter(result.reason for result in results if result.reason is not None)
            OUTCOME.update({"scored": len(results) - reasons.total(), **reasons})
            if reasons != Counter({"unknown_annotation": injected} if injected else {}):
                error = AssertionError(f"missing: {dict(reasons)}")
        except Exception as failure:
            error = failure
        events.request.fire(
            request_type="score",
            name=name,
            response_time=(time.perf_counter() - started) * 1000,
            response_length=len(items),
            exception=error,
        )


class Trainer(Scoring):
    """Waits for the rewards of a step, and scores the next: as fast as it is answered."""

    fixed_count = 2
    wait_time = constant(0)

    @task
    def step(self) -> None:
        items = burst(next(BURSTS))
        for item in items[:: BURST // INJECTED]:
            del item["facts"]
            item["annotation_id"] = "nobody has it"
        self.score("a burst of 1,024 responses", items, INJECTED)


class Neighbour(Scoring):
    """Another run that scores a group now and then, and waits behind the bursts."""

    fixed_count = 1
    wait_time = constant(1)

    @task
    def group(self) -> None:
        self.score("a group of 8 responses", burst(next(SMALL), GROUP), 0)


@events.quitting.add_listener
def write_outcome(**_: Any) -> None:
    if path := os.environ.get("OUTCOME"):
        Path(path).write_text(json.dumps(OUTCOME))
