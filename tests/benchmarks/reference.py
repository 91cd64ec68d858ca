"""Side by side with the reference's way of asking: its own prompt, request and parser, on the same engine and model.

    git clone https://github.com/tongxiao2002/Perception-R1 /tmp/perception-r1
    python tests/benchmarks/reference.py --reference /tmp/perception-r1 --url http://127.0.0.1:8000 \
        --model NAME --tokenizer FOLDER [--tokens 256 1024] [--facts 2 8] [--group 8] [--repeats 3]

The reference's module is loaded from the checkout as it is; nothing of it is kept here. Its HTTP client is replaced by
a small one of the same interface, so that it needs no package of its own.

Speed: a group is so many responses to one problem, real competition solutions cut to the length, with some of the
problem's facts said in them; all are new to the engine, what every question shares is not. Judged responses per
second, the median of the repeats. Quality: the sure labelled pairs (`labelled.py`), all facts of a response at once
for the reference, whose answer of 0 or 1 is its score; a fact that it leaves out counts as 0, and is counted.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import importlib.util
import io
import os
import random
import statistics
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator, Sequence
from itertools import count
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import httpx
from labelled import Pair, labelled_pairs, rows
from measures import Judged, interval, stated_auc, table
from places import arguments
from stand_ins import Timer, standing_in
from statements import problems, read_facts

from perception_reward.service.judges.base import Judge, JudgeTask, Verdict
from perception_reward.service.judges.cascade.judge import CascadeJudge
from perception_reward.service.judges.llm.evidence import Evidence
from perception_reward.service.judges.llm.judge import LLMJudge
from perception_reward.service.judges.llm.verdict import VerdictMethod
from perception_reward.service.judges.openai.factory import openai_engine
from perception_reward.service.judges.symbolic.judge import SymbolicJudge
from perception_reward.trainer_client.wire import Fact

SEED = 2026
_MODULE = Path("verl") / "utils" / "reward_score" / "math_with_visual.py"

# A group's responses and facts in; for each response the score of every fact, None where there is none.
Scores = list[list[float | None]]
Ask = Callable[[Sequence[JudgeTask]], Awaitable[Scores]]


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--reference", type=Path, required=True, help="checkout of tongxiao2002/Perception-R1")
    parser.add_argument("--url", required=True, help="vLLM server, without /v1")
    parser.add_argument("--model", required=True, help="the served model's name")
    parser.add_argument("--tokenizer", help="the model's tokenizer folder; the model's name if not given")
    parser.add_argument("--tokens", type=int, nargs="+", default=[256, 1024], help="tokens of a response")
    parser.add_argument("--facts", type=int, nargs="+", default=[2, 8], help="facts of a problem")
    parser.add_argument("--group", type=int, default=8, help="responses to one problem")
    parser.add_argument("--repeats", type=int, default=3, help="groups a cell")
    parser.add_argument("--pairs", type=int, default=10**6, help="labelled pairs for the quality; 0 leaves it out")
    asyncio.run(run(parser.parse_args()))


async def run(chosen: argparse.Namespace) -> None:
    async with ways(chosen) as asks:
        if chosen.pairs:
            print(await quality(asks, chosen), flush=True)
        print(await speed(asks, chosen), flush=True)


@contextlib.asynccontextmanager
async def ways(chosen: argparse.Namespace) -> Any:
    """Each way of asking under its name, ready to be asked."""
    tokenizer = chosen.tokenizer or chosen.model

    def judge(evidence: Evidence | None) -> LLMJudge:
        engine = openai_engine(f"openai:{chosen.url}#{chosen.model}")
        return LLMJudge(engine, VerdictMethod(), tokenizer=tokenizer, evidence=evidence)

    judges: dict[str, Judge] = {
        "verdict, whole": judge(None),
        "verdict, selected": judge(Evidence()),
        "cascade, selected": CascadeJudge(SymbolicJudge(), judge(Evidence())),
    }
    async with contextlib.AsyncExitStack() as stack:
        for one in judges.values():
            await one.start()
            stack.push_async_callback(one.aclose)
        client = await stack.enter_async_context(httpx.AsyncClient(base_url=chosen.url, timeout=3600))
        module = load_reference(chosen.reference, client, chosen.model)
        yield {"reference": asking(module)} | {name: judging(one) for name, one in judges.items()}


def load_reference(checkout: Path, client: httpx.AsyncClient, model: str) -> ModuleType:
    """The reference's reward module, talking to `client`."""

    async def create(**request: Any) -> Any:
        # The reference leaves the model's time-outs and errors to its client.
        reply = await client.post("/v1/chat/completions", json=request)
        text = reply.raise_for_status().json()["choices"][0]["message"]["content"]
        return SimpleNamespace(choices=[SimpleNamespace(message=SimpleNamespace(content=text))])

    completions = SimpleNamespace(chat=SimpleNamespace(completions=SimpleNamespace(create=create)))
    stubs = {"openai": {"AsyncOpenAI": lambda **_: completions}, "codetiming": {"Timer": Timer}}
    source = checkout / _MODULE
    if not source.is_file():
        raise SystemExit(f"{source} is missing; give a checkout of tongxiao2002/Perception-R1")
    os.environ["VLLM_MODEL_NAME"] = model
    with standing_in(stubs):
        spec = importlib.util.spec_from_file_location("reference_reward", source)
        if spec is None or spec.loader is None:
            raise SystemExit(f"{source} cannot be loaded")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return module


def asking(module: ModuleType) -> Ask:
    """The reference's batch function; what its parser makes of every reply is caught on the way."""

    async def ask(tasks: Sequence[JudgeTask]) -> Scores:
        parse, parsed = module.extract_visual_scores, list[list[float]]()

        def catching(text: str) -> list[float]:
            parsed.append(parse(text))
            return parsed[-1]

        vars(module)["extract_visual_scores"] = catching
        wanted = ["\n".join(_tagged(task.facts)) for task in tasks]
        with contextlib.redirect_stdout(io.StringIO()):
            try:
                await module.batch_visual_key_info_reward([task.response for task in tasks], wanted)
            finally:
                vars(module)["extract_visual_scores"] = parse
        return [
            [scores[at] if at < len(scores) else None for at in range(len(task.facts))]
            for task, scores in zip(tasks, parsed, strict=True)
        ]

    return ask


def _tagged(facts: Sequence[Fact]) -> Iterator[str]:
    for number, fact in enumerate(facts, 1):
        yield f"<info{number}>{fact.text}</info{number}>"


def judging(judge: Judge) -> Ask:
    async def ask(tasks: Sequence[JudgeTask]) -> Scores:
        deadline = asyncio.get_running_loop().time() + 3600
        found: dict[int, list[float | None]] = {}
        async for index, outcomes in judge.judge(tasks, deadline):
            found[index] = [said.probability if isinstance(said, Verdict) else None for said in outcomes]
        return [found[index] for index in range(len(tasks))]

    return ask


async def quality(asks: dict[str, Ask], chosen: argparse.Namespace) -> str:
    """AUC of `stated` on the sure labelled pairs."""
    pairs = [pair for pair in labelled_pairs(chosen.data) if not pair.doubtful][: chosen.pairs]
    grouped: dict[str, list[Pair]] = defaultdict(list)
    for pair in pairs:
        grouped[pair.key].append(pair)
    tasks = [JudgeTask(group[0].response, _facts([pair.fact for pair in group])) for group in grouped.values()]
    lines: list[list[str]] = []
    for name, ask in asks.items():
        scores = [score for one in await ask(tasks) for score in one]
        flat = [pair for group in grouped.values() for pair in group]
        judged = [
            Judged(pair.problem, pair.group, pair.label, "absent", score or 0.0)
            for pair, score in zip(flat, scores, strict=True)
        ]
        low, high = interval(judged)
        missing = str(sum(score is None for score in scores))
        lines.append([name, str(len(flat)), f"{stated_auc(judged):.3f}", f"{low:.3f} to {high:.3f}", missing])
    return "Quality:\n\n" + table(["way", "pairs", "AUC stated", "95 % interval", "missing"], lines) + "\n"


async def speed(asks: dict[str, Ask], chosen: argparse.Namespace) -> str:
    from transformers import AutoTokenizer

    tokenizer: Any = AutoTokenizer.from_pretrained(chosen.tokenizer or chosen.model)
    groups = Groups(chosen.data, tokenizer)
    lines: list[list[str]] = []
    for ask in asks.values():
        # What all questions share is computed before anything is timed.
        await ask(groups.draw(64, 2, 1))
    for tokens in chosen.tokens:
        for facts in chosen.facts:
            rates = {name: await _rate(ask, groups, tokens, facts, chosen) for name, ask in asks.items()}
            cells = [f"{rate:.3f} ({rate / rates['reference']:.1f}x)" for rate in rates.values()]
            lines.append([str(tokens), str(facts), *cells])
            print(lines[-1], flush=True)
    header = ["tokens", "facts", *(f"{name}, responses/s" for name in asks)]
    return f"Speed, groups of {chosen.group}:\n\n" + table(header, lines)


async def _rate(ask: Ask, groups: Groups, tokens: int, facts: int, chosen: argparse.Namespace) -> float:
    rates: list[float] = []
    for _ in range(chosen.repeats):
        tasks = groups.draw(tokens, facts, chosen.group)
        began = time.perf_counter()
        await ask(tasks)
        rates.append(len(tasks) / (time.perf_counter() - began))
    return statistics.median(rates)


class Groups:
    """Groups of responses to made problems, no two alike."""

    def __init__(self, data: Path, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        self._rng = random.Random(SEED)
        self._number = count(1)
        self._prose = [row["response"] for row in rows(data / "math_v" / "gemini-pro-vision-cot.jsonl")]
        annotations = rows(data / "geometry3k" / "annotations.jsonl")
        self._facts = [list(read_facts(forms).values()) for forms in problems(annotations, 500, SEED)]

    def draw(self, tokens: int, facts: int, group: int) -> list[JudgeTask]:
        wanted = self._rng.choice([texts for texts in self._facts if len(texts) >= facts])[:facts]
        return [JudgeTask(self._response(wanted, tokens), _facts(wanted), "group") for _ in range(group)]

    def _response(self, facts: list[str], tokens: int) -> str:
        """The number in front keeps the engine from knowing the response."""
        said = [fact for fact in facts if self._rng.random() < 0.5]
        text = f"Attempt {next(self._number)}.\n" + "\n".join(said) + "\n"
        while len(ids := self._tokenizer.encode(text, add_special_tokens=False)) < tokens:
            text += self._rng.choice(self._prose) + "\n"
        return self._tokenizer.decode(ids[:tokens])


def _facts(texts: Sequence[str]) -> tuple[Fact, ...]:
    return tuple(Fact(id=str(number), text=text) for number, text in enumerate(texts))


if __name__ == "__main__":
    main()
