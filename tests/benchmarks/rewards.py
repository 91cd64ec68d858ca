"""Time and agreement of the rewards that need no model, on real responses: `python tests/benchmarks/rewards.py`."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable, Iterator

from places import DATA

from perception_reward.service.rewards.format import format_reward
from perception_reward.service.rewards.parity import parity_repetition
from perception_reward.service.rewards.repetition import repetition_penalty

FILES = [
    "mathvista/responses",
    *(f"math_v/{name}-cot" for name in ("gemini-pro-vision", "qwen-vl-max", "internlm-xcomposer2-vl")),
]
LENGTH = 3000


def responses() -> Iterator[str]:
    for name in FILES:
        with (DATA / f"{name}.jsonl").open(encoding="utf-8") as lines:
            for line in lines:
                yield json.loads(line)["response"] or ""


def microseconds(reward: Callable[[str], float], texts: list[str]) -> float:
    """The median over texts of the best of five calls."""
    best: list[float] = []
    for text in texts:
        times: list[float] = []
        for _ in range(5):
            started = time.perf_counter()
            reward(text)
            times.append(time.perf_counter() - started)
        best.append(min(times))
    return statistics.median(best) * 1e6


def main() -> None:
    every = list(responses())
    joined = " ".join(every)
    plain = [joined[start : start + LENGTH] for start in range(0, 2000 * LENGTH, LENGTH)][::4]
    looping = [text[:LENGTH] for text in every if len(text) >= LENGTH]
    formed = [f"<think>\n{text}\n</think>\n<answer>\n\\boxed{{5}}\n</answer>" for text in plain]
    lines = [
        f"{name}: {microseconds(reward, texts):.0f} µs a response, median of {len(texts)}"
        for name, reward, texts in (
            ("format", format_reward, formed),
            ("repetition, text as it comes", repetition_penalty, plain),
            ("repetition, the longest responses, most of them in a loop", repetition_penalty, looping),
        )
    ]
    differ = sum(repetition_penalty(text) != parity_repetition(text) for text in every)
    lines.append(f"repetition: another penalty than the public code's for {differ} of {len(every)} responses")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
