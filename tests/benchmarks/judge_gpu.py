"""How many responses a second the in-process judge decides about: shape x method x response length x facts.

    python tests/benchmarks/judge_gpu.py                      # 1.5B, 7B and 32B in turn, on the GPU
    python tests/benchmarks/judge_gpu.py --shape tiny         # on anything, to see that it runs

Runs in an environment with the service and vLLM. The weights are random (`--load-format dummy`) in the shapes of
Qwen2.5, so nothing is downloaded and no verdict means anything; what a step computes is the same. The tokenizer is made
on the spot and takes about one token a word. Responses are new in every cell, so what hits the prefix cache is what a
response's facts share, and the prompt's head. `paper` writes freely, and random weights never stop: it writes what the
form takes, %(tokens)s tokens a fact. The time includes rendering and tokenizing. Each cell runs once to warm up and
then `--repeats` times; the median counts.

Writes judge_gpu.json and judge_gpu.md into `--out`.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import itertools
import json
import platform
import random
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from importlib.resources import files
from pathlib import Path
from typing import Any

from perception_reward.service.judges.base import Health, JudgeTask
from perception_reward.service.judges.llm.engine import Choice, LogProbs, Writing, Written
from perception_reward.service.judges.llm.judge import LLMJudge
from perception_reward.service.judges.llm.methods import make_method
from perception_reward.service.judges.vllm.arguments import parse_arguments
from perception_reward.service.judges.vllm.engine import VLLMEngine
from perception_reward.service.judges.vllm.factory import vllm_engine
from perception_reward.trainer_client.wire import Fact

# `<info1>1</info1>` and its line break.
PAPER_TOKENS_PER_FACT = 12

SECONDS_PER_RUN = 3600.0

# hidden, intermediate, layers, heads, key-value heads, tied embeddings: config.json of Qwen2.5-{1.5B,7B,32B}-Instruct
SHAPES: dict[str, tuple[int, int, int, int, int, bool]] = {
    "tiny": (128, 256, 2, 2, 2, True),
    "1.5b": (1536, 8960, 28, 12, 2, True),
    "7b": (3584, 18944, 28, 28, 4, False),
    "32b": (5120, 27648, 64, 40, 8, False),
}

CHAT_TEMPLATE = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)

_TEXT = (
    "the segment angle circle triangle point line radius length measures degrees because therefore figure is parallel "
    "perpendicular to equals of and with at from square root sum area we see that side meets midpoint chord tangent"
)
WORDS = _TEXT.split()


@dataclass(frozen=True, slots=True)
class Cell:
    """One measurement. prefix_hits: the share of prompt tokens that the prefix cache held; the others were computed."""

    shape: str
    method: str
    response_tokens: int
    facts: int
    responses: int
    seconds: float
    responses_per_second: float
    facts_per_second: float
    prompt_tokens_per_response: float
    computed_tokens_per_response: float
    prefix_hits: float


class Started:
    """An engine that several judges share: started and closed by none of them."""

    def __init__(self, engine: VLLMEngine, *, most: int | None = None, first_alone: bool = False) -> None:
        self._engine, self._most, self._first_alone = engine, most, first_alone
        self.name, self.model, self.identity = engine.name, engine.model, engine.identity
        self.capacity = engine.capacity

    async def choose(self, choice: Choice, affinity: str, deadline: float) -> tuple[LogProbs, ...]:
        if not self._first_alone:
            return await self._engine.choose(choice, affinity, deadline)
        first = await self._engine.choose(replace(choice, suffixes=choice.suffixes[:1]), affinity, deadline)
        rest = replace(choice, suffixes=choice.suffixes[1:])
        return first + await self._engine.choose(rest, affinity, deadline)

    async def write(self, writing: Writing, affinity: str, deadline: float) -> Written:
        if self._most is not None:
            writing = replace(writing, most=self._most)
        return await self._engine.write(writing, affinity, deadline)

    async def health(self) -> Health:
        return await self._engine.health()

    async def start(self) -> None: ...

    async def aclose(self) -> None: ...


def make_model(folder: Path, shape: str) -> None:
    hidden, intermediate, layers, heads, kv_heads, tied = SHAPES[shape]
    config = {
        "architectures": ["Qwen2ForCausalLM"],
        "model_type": "qwen2",
        "hidden_size": hidden,
        "intermediate_size": intermediate,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "num_key_value_heads": kv_heads,
        "max_position_embeddings": 32768,
        "vocab_size": 4096 if shape == "tiny" else 151936 if shape == "1.5b" else 152064,
        "hidden_act": "silu",
        "rms_norm_eps": 1e-6,
        "rope_theta": 1e6,
        "tie_word_embeddings": tied,
        "torch_dtype": "bfloat16",
    }
    (folder / "config.json").write_text(json.dumps(config))
    make_tokenizer(folder)


def make_tokenizer(folder: Path) -> None:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    prompts = files("perception_reward.service.judges.llm") / "prompts"
    texts = [each.read_text(encoding="utf-8") for each in prompts.iterdir() if each.name.endswith(".txt")]
    texts.append(" ".join([*WORDS, "Yes No Unknown AB BC CD DE EF FG GH HA 1 2 3 4 5 6 7 8 9"]))
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=4000,
        special_tokens=["<|endoftext|>", "<|im_start|>", "<|im_end|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    bpe.train_from_iterator(texts * 50 + ["\nYes\nNo\nUnknown"] * 50, trainer)
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=bpe, eos_token="<|im_end|>")
    tokenizer.chat_template = CHAT_TEMPLATE
    tokenizer.save_pretrained(folder)


def tasks(source: random.Random, tokens: int, facts: int, groups: int, size: int) -> list[JudgeTask]:
    """Groups of responses to one problem each: the same facts, responses of their own."""
    made: list[JudgeTask] = []
    for number in range(groups):
        asked = tuple(
            Fact(id=f"f{n}", text=f"the length of segment AB is {source.randint(1, 9)} degrees and {n}.")
            for n in range(facts)
        )
        group = f"{source.random()}/{number}"
        made += [JudgeTask(" ".join(source.choices(WORDS, k=tokens)), asked, group) for _ in range(size)]
    return made


async def run(judge: LLMJudge, work: Sequence[JudgeTask]) -> float:
    loop = asyncio.get_running_loop()
    began = time.perf_counter()
    async for _ in judge.judge(work, loop.time() + SECONDS_PER_RUN):
        pass
    return time.perf_counter() - began


async def measure(engine: VLLMEngine, options: argparse.Namespace, shape: str) -> list[Cell]:
    source = random.Random(1)
    cells: list[Cell] = []
    for method, facts in itertools.product(options.methods, options.facts):
        most = PAPER_TOKENS_PER_FACT * facts if method == "paper" else None
        judge = LLMJudge(
            Started(engine, most=most, first_alone=options.first_alone), make_method(method), tokenizer=engine.model
        )
        await judge.start()
        for tokens in options.lengths:
            await run(judge, tasks(source, tokens, facts, 1, options.group))
            before, times = replace(engine.prefix), []
            for _ in range(options.repeats):
                times.append(await run(judge, tasks(source, tokens, facts, options.groups, options.group)))
            cells.append(cell(shape, method, tokens, facts, options, times, before, engine.prefix))
            print(json.dumps(asdict(cells[-1])), flush=True)
    return cells


def cell(
    shape: str,
    method: str,
    tokens: int,
    facts: int,
    options: argparse.Namespace,
    times: list[float],
    before: Any,
    now: Any,
) -> Cell:
    responses = options.groups * options.group
    seconds = statistics.median(times)
    asked, hits = now.tokens - before.tokens, now.cached - before.cached
    return Cell(
        shape=shape,
        method=method,
        response_tokens=tokens,
        facts=facts,
        responses=responses,
        seconds=round(seconds, 3),
        responses_per_second=round(responses / seconds, 2),
        facts_per_second=round(responses * facts / seconds, 1),
        prompt_tokens_per_response=round(asked / (responses * len(times)), 1),
        computed_tokens_per_response=round((asked - hits) / (responses * len(times)), 1),
        prefix_hits=round(hits / asked, 4),
    )


async def measure_shape(options: argparse.Namespace, shape: str) -> list[Cell]:
    with tempfile.TemporaryDirectory(prefix=f"judge-{shape}-") as folder:
        make_model(Path(folder), shape)
        arguments = {"load_format": "dummy", "max_model_len": 8192, **parse_arguments(options.engine_arg)}
        engine = vllm_engine(f"vllm:{folder}", arguments=arguments, concurrency=options.concurrency, restart=False)
        await engine.start()
        try:
            return await measure(engine, options, shape)
        finally:
            await engine.aclose()
            gc.collect()


def device() -> str:
    import torch

    if torch.cuda.is_available():
        return f"{torch.cuda.device_count()} x {torch.cuda.get_device_name(0)}"
    return f"CPU, {torch.get_num_threads()} threads ({platform.machine()})"


def table(report: dict[str, Any]) -> Iterator[str]:
    yield f"{report['device']}, vLLM {report['vllm']}, {report['date']}; groups of {report['group']}, random weights."
    yield "Tokens of all prompts, and those of them that were computed: per response."
    yield ""
    yield "| shape | method | response tokens | facts | responses/s | facts/s | tokens | computed | prefix hits |"
    yield "|---|---|---|---|---|---|---|---|---|"
    for row in report["cells"]:
        yield (
            f"| {row['shape']} | {row['method']} | {row['response_tokens']} | {row['facts']} "
            f"| {row['responses_per_second']} | {row['facts_per_second']} | {row['prompt_tokens_per_response']} "
            f"| {row['computed_tokens_per_response']} | {row['prefix_hits']:.1%} |"
        )


def main() -> None:
    options = arguments()
    cells: list[Cell] = []
    for shape in options.shape:
        cells += asyncio.run(measure_shape(options, shape))
    from vllm import __version__

    report = {
        "device": device(),
        "vllm": __version__,
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
        "group": options.group,
        "engine_arguments": options.engine_arg,
        "cells": [asdict(each) for each in cells],
    }
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "judge_gpu.json").write_text(json.dumps(report, indent=1) + "\n")
    text = "\n".join(table(report)) + "\n"
    (options.out / "judge_gpu.md").write_text(text)
    print(text)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=(__doc__ or "") % {"tokens": PAPER_TOKENS_PER_FACT},
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--shape", nargs="+", choices=SHAPES, default=["1.5b", "7b", "32b"])
    parser.add_argument(
        "--methods", nargs="+", choices=["verdict", "joint", "paper"], default=["verdict", "joint", "paper"]
    )
    parser.add_argument("--lengths", nargs="+", type=int, default=[256, 1024, 2048], help="tokens of a response")
    parser.add_argument("--facts", nargs="+", type=int, default=[2, 4, 8])
    parser.add_argument("--group", type=int, default=8, help="responses of one group")
    parser.add_argument("--groups", type=int, default=16, help="groups of one run")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--concurrency", type=int, default=256, help="responses at the engine at once")
    parser.add_argument("--first-alone", action="store_true", help="ask about a response's other facts after its first")
    parser.add_argument("--engine-arg", action="append", default=[], metavar="KEY=VALUE", help="passed on to vLLM")
    parser.add_argument("--out", type=Path, default=Path("build/judge_gpu"))
    return parser.parse_args()


if __name__ == "__main__":
    main()
