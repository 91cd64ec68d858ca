"""What one GPU would do, projected from counted tokens: no GPU is used, and nothing here was timed.

    python tests/benchmarks/projection.py --reference CHECKOUT --tokenizer FOLDER \
        [--markdown service/judges/vllm/README.md]

The groups of `reference.py` are asked in each way. What would reach the engine is caught, and counted as vLLM's prefix
cache would leave it to be computed: whole blocks that any earlier prompt began with are free. A response's time is then
that of its computed tokens at a share of the card's arithmetic, and of its written tokens at a share of its memory
bandwidth, steps shared by a batch. The service's own time, scheduling and attention over long contexts are left out,
so the figures are upper bounds; `judge_gpu.py` measures where there is a card.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from judge_gpu import SHAPES
from measures import table
from pages import write_between
from places import arguments
from reference import Ask, Groups, asking, judging, load_reference

from perception_reward.service.judges.base import Health, JudgeTask
from perception_reward.service.judges.cascade.judge import CascadeJudge
from perception_reward.service.judges.llm.engine import Choice, LogProbs, Writing, Written
from perception_reward.service.judges.llm.evidence import Evidence
from perception_reward.service.judges.llm.judge import LLMJudge
from perception_reward.service.judges.llm.verdict import VerdictMethod
from perception_reward.service.judges.symbolic.judge import SymbolicJudge
from perception_reward.trainer_client.wire import Fact

# An H100 (SXM): dense bfloat16 operations and bytes a second by its data sheet, and the shares assumed of them.
OPERATIONS, SHARE_OF_OPERATIONS = 989e12, 0.4
BANDWIDTH, SHARE_OF_BANDWIDTH = 3.35e12, 0.6
# Sequences that write at once, and so share each reading of the weights.
WRITING_AT_ONCE = 64
BYTES_OF_WEIGHT = 2
# vLLM's block on a GPU.
BLOCK = 16
# What the reference's form takes: `<info1>1</info1>` and its line break for each fact, and an end.
WRITTEN_OF_FACT, WRITTEN_AT_END = 12, 4
PROJECTED = ("1.5b", "7b", "32b")
LENGTHS, FACTS = (256, 1024, 2048), (2, 8)


@dataclass
class Counted:
    """Tokens to compute and to write; `known`: the prefixes in the engine's cache, in whole blocks."""

    computed: int = 0
    written: int = 0
    known: set[int] = field(default_factory=lambda: set[int]())

    def prompt(self, tokens: Sequence[int]) -> None:
        cached, prefix = 0, 0
        for at in range(0, len(tokens) - BLOCK + 1, BLOCK):
            prefix = hash((prefix, *tokens[at : at + BLOCK]))
            cached += BLOCK if prefix in self.known else 0
            self.known.add(prefix)
        # The last token is computed whatever is cached.
        self.computed += max(1, len(tokens) - cached)


class CountingEngine:
    """Counts what it is asked, and answers every word as likely as the other."""

    name, model, capacity = "counting", "none", 64
    identity: Mapping[str, object] = {}

    def __init__(self, counted: Counted) -> None:
        self._counted = counted

    async def choose(self, choice: Choice, affinity: str, deadline: float) -> tuple[LogProbs, ...]:
        for suffix in choice.suffixes:
            # The one answer token comes with the prompt's last.
            self._counted.prompt(choice.shared + suffix)
        return tuple(dict.fromkeys(choice.answers, -2.0) for _ in choice.suffixes)

    async def write(self, writing: Writing, affinity: str, deadline: float) -> Written:
        raise NotImplementedError("`verdict` writes nothing")

    async def health(self) -> Health:
        return Health(True)

    async def start(self) -> None: ...

    async def aclose(self) -> None: ...


class CountingClient:
    """What the reference posts to; its answer is empty."""

    def __init__(self, counted: Counted, tokenizer: Any) -> None:
        self._counted, self._tokenizer, self.facts = counted, tokenizer, 0

    async def post(self, path: str, *, json: dict[str, Any]) -> Any:
        text = self._tokenizer.apply_chat_template(json["messages"], tokenize=False, add_generation_prompt=True)
        self._counted.prompt(self._tokenizer.encode(text, add_special_tokens=False))
        self._counted.written += WRITTEN_OF_FACT * self.facts + WRITTEN_AT_END
        return self

    def raise_for_status(self) -> CountingClient:
        return self

    def json(self) -> dict[str, Any]:
        return {"choices": [{"message": {"content": ""}}]}


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--reference", type=Path, required=True, help="checkout of tongxiao2002/Perception-R1")
    parser.add_argument("--tokenizer", required=True, help="a tokenizer's folder or name")
    parser.add_argument("--groups", type=int, default=8, help="groups of 8 responses of each cell")
    parser.add_argument("--markdown", type=Path, help="write the table between this file's markers")
    chosen = parser.parse_args()
    text = asyncio.run(report(chosen))
    print(text)
    if chosen.markdown:
        write_between(chosen.markdown, "projection", text)


async def report(chosen: argparse.Namespace) -> str:
    from transformers import AutoTokenizer

    tokenizer: Any = AutoTokenizer.from_pretrained(chosen.tokenizer)
    lines: list[list[str]] = []
    for length in LENGTHS:
        for facts in FACTS:
            counts = await count(chosen, tokenizer, length, facts)
            first = counts["reference"]
            for way, counted in counts.items():
                rates = [
                    f"{rate(counted, shape):.0f} ({rate(counted, shape) / rate(first, shape):.1f}x)"
                    for shape in PROJECTED
                ]
                lines.append([str(length), str(facts), way, f"{counted[0]:.0f}", f"{counted[1]:.1f}", *rates])
    header = ["tokens", "facts", "way", "computed", "written", *(f"{shape}, responses/s" for shape in PROJECTED)]
    return table(header, lines)


async def count(chosen: argparse.Namespace, tokenizer: Any, length: int, facts: int) -> dict[str, tuple[float, float]]:
    """By way, the tokens computed and written for one response."""
    found: dict[str, tuple[float, float]] = {}
    for way in ("reference", "verdict, whole", "verdict, selected", "cascade"):
        counted = Counted()
        # The same groups for every way.
        groups = Groups(chosen.data, tokenizer)
        ask, close = await asked(way, counted, chosen, tokenizer, facts)
        # What all questions share is in the cache before anything is counted; no rule decides about the sky.
        await ask([JudgeTask("The sky is blue and wide.", (Fact(id="f", text="The sky is blue."),))])
        counted.computed = counted.written = 0
        for _ in range(chosen.groups):
            await ask(groups.draw(length, facts, 8))
        await close()
        found[way] = counted.computed / (8 * chosen.groups), counted.written / (8 * chosen.groups)
    return found


async def asked(way: str, counted: Counted, chosen: argparse.Namespace, tokenizer: Any, facts: int) -> tuple[Ask, Any]:
    if way == "reference":
        client: Any = CountingClient(counted, tokenizer)
        client.facts = facts

        async def nothing() -> None: ...

        return asking(load_reference(chosen.reference, client, "none")), nothing
    evidence = None if way == "verdict, whole" else Evidence()
    judge: Any = LLMJudge(CountingEngine(counted), VerdictMethod(), tokenizer=chosen.tokenizer, evidence=evidence)
    if way == "cascade":
        judge = CascadeJudge(SymbolicJudge(), judge)
    await judge.start()
    return judging(judge), judge.aclose


def rate(tokens: tuple[float, float], shape: str) -> float:
    """Responses a second."""
    computed, written = tokens
    weights = weights_of(shape)
    computing = computed * 2 * weights / (OPERATIONS * SHARE_OF_OPERATIONS)
    writing = written * weights * BYTES_OF_WEIGHT / (BANDWIDTH * SHARE_OF_BANDWIDTH) / WRITING_AT_ONCE
    return 1 / (computing + writing)


def weights_of(shape: str) -> float:
    """Of the layers, which every token goes through."""
    hidden, intermediate, layers, heads, kv_heads, _ = SHAPES[shape]
    attention = 2 * hidden * hidden + 2 * hidden * hidden * kv_heads // heads
    return layers * (attention + 3 * hidden * intermediate)


if __name__ == "__main__":
    main()
