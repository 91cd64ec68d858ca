"""Is the vLLM server beside it getting on? The exec liveness probe of a judge: exit status 0 or 1, and one line.

    python3 progress.py --url http://127.0.0.1:8000 --stalled 120

A hung engine still answers `/health` with 200, so alive is whose token counters move while requests run. The engine
updates its gauges itself: one that hangs with nothing to do shows no requests for ever. So where nothing runs, a
request of one token is sent, which an idle engine answers within milliseconds; a server at work is sent none.

Each call compares what `/metrics` says with what an earlier call wrote down. It fails where requests run, or the
probe's own got no answer, and no counter has moved for `--stalled` seconds; and where `/metrics` has not answered
for `--silent` seconds. Load alone never fails it: whatever a server does to be busy moves its counters.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import time
import urllib.error
import urllib.request
from dataclasses import asdict, dataclass
from pathlib import Path

RUNNING = ("vllm:num_requests_running", "vllm:num_requests_waiting")
# The last counts the engine's steps, and so moves in the middle of long prompts too.
COUNTERS = ("vllm:prompt_tokens_total", "vllm:generation_tokens_total", "vllm:iteration_tokens_total_count")
SAMPLE = re.compile(r"^([a-zA-Z_:][a-zA-Z0-9_:]*)\{([^}]*)\} (\S+)", re.MULTILINE)
MODEL = re.compile(r'model_name="((?:[^"\\]|\\.)*)"')
# Seconds that `/metrics` and a request of one token may take; below the probe's own time-out together.
METRICS_SECONDS, ASK_SECONDS = 5.0, 10.0


@dataclass
class Seen:
    """What an earlier call found. moved: when a counter last moved; answered: when `/metrics` last answered."""

    counters: float
    moved: float
    answered: float


@dataclass(frozen=True)
class Reading:
    """running: requests that run or wait. counters: tokens and steps so far. model: the name it is served under."""

    running: float
    counters: float
    model: str


def read(url: str) -> Reading | None:
    """What the server says of itself; None where it does not answer."""
    try:
        with urllib.request.urlopen(url + "/metrics", timeout=METRICS_SECONDS) as reply:
            text = reply.read().decode()
    except OSError:
        return None
    samples = SAMPLE.findall(text)
    models = [found[1] for _, labels, _ in samples if (found := MODEL.search(labels))]
    running = sum(float(value) for name, _, value in samples if name in RUNNING)
    return Reading(running, sum(float(value) for name, _, value in samples if name in COUNTERS), (models or [""])[0])


def answers(url: str, model: str) -> bool:
    """Whether a request of one token gets an answer. A refusal is one: it is no engine that hangs."""
    body = json.dumps({"model": model, "prompt": [0], "max_tokens": 1}).encode()
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {os.environ.get('VLLM_API_KEY', '')}"}
    try:
        urllib.request.urlopen(urllib.request.Request(url + "/v1/completions", body, headers), timeout=ASK_SECONDS)
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True


def judge(url: str, seen: Seen, now: float, stalled: float, silent: float) -> str | None:
    """What is wrong, if anything; `seen` is brought up to date."""
    reading = read(url)
    if reading is None:
        quiet = now - seen.answered
        return f"/metrics has not answered for {quiet:.0f} s" if quiet > silent else None
    seen.answered = now
    if reading.counters != seen.counters:
        seen.counters, seen.moved = reading.counters, now
        return None
    if not reading.running and answers(url, reading.model):
        seen.moved = now
        return None
    still = now - seen.moved
    return f"no token was computed for {still:.0f} s although requests run" if still > stalled else None


def recall(path: Path, now: float) -> Seen:
    try:
        return Seen(**json.loads(path.read_text()))
    except (OSError, ValueError, TypeError):
        return Seen(-1.0, now, now)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--url", default="http://127.0.0.1:8000")
    parser.add_argument("--stalled", type=float, default=120.0, help="seconds without progress while requests run")
    parser.add_argument("--silent", type=float, default=300.0, help="seconds without an answer of /metrics")
    parser.add_argument("--state", type=Path, default=Path("/tmp/progress.json"))
    options = parser.parse_args()
    # Not the time of day, which is set now and then; it counts on from the node's start, for every process alike.
    now = time.monotonic()
    seen = recall(options.state, now)
    fault = judge(options.url, seen, now, options.stalled, options.silent)
    part = options.state.with_suffix(".part")
    part.write_text(json.dumps(asdict(seen)))
    part.replace(options.state)
    sys.stdout.write(f"{fault or 'the engine gets on'}\n")
    return 1 if fault else 0


if __name__ == "__main__":
    sys.exit(main())
