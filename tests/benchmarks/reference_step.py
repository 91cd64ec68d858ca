"""A training step's rewards beside the reference's own reward manager, on the same judge server.

    git clone https://github.com/tongxiao2002/Perception-R1 /tmp/perception-r1
    make bench-step STEP="--reference /tmp/perception-r1"               # a tiny judge with random weights, on the CPU
    make bench-step STEP="--reference CHECKOUT --url http://judge:8000 --model NAME --tokenizer FOLDER"

The reference is its `CustomRewardManager` as its checkout has it, with the settings of its training script (format,
accuracy by math-verify, n-gram penalty, judge), its own prompt, limits and OpenAI client; only modules that none of
this needs are stood in for. Ours is what EasyR1 calls, the nearest to that manager among today's trainers: the client,
and a service in a process of its own. Both begin with the token ids of the step's responses and end with a reward each.

A step is so many problems with five facts, and eight responses to each of about 3 kB: real MATH-V responses put
together, with some of the problem's facts said. All are new to the judge server, whose prefix cache is emptied before
each way. *Again* is the same step once more: the reference finds the server's prefix cache warm, ours the verdicts.
The reference gets a new OpenAI client for every step: it makes one for all, and that takes connections from one event
loop into the next, where requests that meet them fail, and the step with them (seen with openai 3.54 on Python 3.11).

The tiny judge has random weights: no score means anything, and it would write up to the 512 tokens that the reference
allows an answer. `--answer-tokens` is what the server writes at most, by default what the reference's form takes for
five facts; 0 lets it write on. The reference's own parameters are as they are.

Then one request to the judge fails, by a proxy in between: with one status 500, and with 500 each time it is repeated.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import io
import json
import os
import platform
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import islice
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import torch
from failing_proxy import Failing, failing_proxy
from labelled import rows
from measures import table
from pages import write_between
from places import arguments
from stand_ins import Timer, standing_in
from statements import problems, read_facts
from tiny_judge import JudgeServer, tiny_judge

from perception_reward.trainer_client.trainers.easyr1 import compute_score
from service import service

SEED, GROUP, FACTS, CHARACTERS = 2026, 8, 5, 2900
# `<info1>1</info1>` and its line break take about a dozen.
ANSWER_TOKENS = 12 * FACTS + 4
FAILING_PROBLEMS = 2
WAYS = {"client and service, verdict": "openai", "client and service, cascade": "cascade:openai"}

Scores = list[float]
Score = Callable[["Step"], Scores]


@dataclass(frozen=True)
class Problem:
    id: str
    facts: list[str]
    answer: str


@dataclass(frozen=True)
class Step:
    """For each rollout its problem; `ids` and `mask`: (rollouts, tokens)."""

    problems: list[Problem]
    ids: torch.Tensor
    mask: torch.Tensor

    def first(self, rollouts: int) -> Step:
        return Step(self.problems[:rollouts], self.ids[:rollouts], self.mask[:rollouts])


@dataclass(frozen=True)
class Spent:
    """Seconds on the clock, and of CPU in the judge server and in the reward's own processes."""

    clock: float
    judge: float
    own: float


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--reference", type=Path, required=True, help="checkout of tongxiao2002/Perception-R1")
    parser.add_argument("--url", help="a vLLM server that runs, without /v1; a tiny one is started if not given")
    parser.add_argument("--model", help="the served model's name")
    parser.add_argument("--tokenizer", help="its tokenizer's folder or name; the model's name if not given")
    parser.add_argument("--problems", type=int, default=128, help=f"of a step; {GROUP} responses to each")
    parser.add_argument("--reference-problems", type=int, help="fewer for the reference, whose time is then scaled")
    parser.add_argument("--answer-tokens", type=int, default=ANSWER_TOKENS, help="of the tiny judge; 0: no limit")
    parser.add_argument("--markdown", type=Path, help="write the tables between this file's markers")
    chosen = parser.parse_args()
    with judge_server(chosen) as judge:
        text = "\n\n".join(report(judge, chosen))
    print(text)
    if chosen.markdown:
        write_between(chosen.markdown, "step", text)


def judge_server(chosen: argparse.Namespace) -> contextlib.AbstractContextManager[JudgeServer]:
    if chosen.url:
        return contextlib.nullcontext(JudgeServer(chosen.url, chosen.model, chosen.tokenizer or chosen.model))
    return tiny_judge([*prose(chosen.data), *_prompts(chosen.reference)], chosen.answer_tokens or None)


def report(judge: JudgeServer, chosen: argparse.Namespace) -> Iterator[str]:
    from transformers import AutoTokenizer

    tokenizer: Any = AutoTokenizer.from_pretrained(judge.tokenizer)
    made = list(islice(make_problems(chosen.data), chosen.problems + FAILING_PROBLEMS + 1))
    texts = prose(chosen.data)
    step, failing, first = (
        make_step(part, texts, tokenizer) for part in (made[: chosen.problems], made[chosen.problems : -1], made[-1:])
    )
    theirs = step.first((chosen.reference_problems or chosen.problems) * GROUP)
    reference = Reference(chosen.reference, judge, tokenizer)
    lines = [compared("reference", reference, judge, theirs, first, len(step.problems))]
    failures = [["reference", *(failed(reference, judge, failing, kind) for kind in ("once", "always"))]]
    with tempfile.TemporaryDirectory() as folder:
        annotations = Path(folder) / "annotations.jsonl"
        annotations.write_text("".join(json.dumps(annotation(problem)) + "\n" for problem in made))
        for name, kind in WAYS.items():
            with Service.started(kind, judge.url, judge, annotations, tokenizer) as ours:
                lines.append(compared(name, ours, judge, step, first, len(step.problems)))
            cells: list[str] = []
            for how in ("once", "always"):
                with failing_proxy(judge.url, how) as (url, proxy):
                    with Service.started(kind, url, judge, annotations, tokenizer) as ours:
                        cells.append(told(ours, failing))
                    cells[-1] += f" ({proxy.failed} x 500)"
            failures.append([name, *cells])
    yield conditions(judge, chosen, step)
    yield table(["way", "rollouts", "cold", "again", "CPU of the judge server, cold", "own CPU, cold"], lines)
    yield f"One request to the judge fails, in a step of {len(failing.problems)} rollouts:"
    yield table(["way", "one status 500", "500 at every try"], failures)


def compared(name: str, score: Score, judge: JudgeServer, step: Step, first: Step, wanted: int) -> list[str]:
    judge.forget()
    # What all questions share is computed before anything is timed.
    score(first)
    cold, again = spent(score, step, judge), spent(score, step, judge)
    size = len(step.problems)

    def shown(seconds: float) -> str:
        return (
            f"{seconds:.1f} s"
            if size == wanted
            else f"{seconds:.1f} s (scaled to {wanted}: {seconds * wanted / size:.0f} s)"
        )

    line = [name, str(size), shown(cold.clock), shown(again.clock), shown(cold.judge), shown(cold.own)]
    print(line, file=sys.stderr, flush=True)
    return line


def spent(score: Score, step: Step, judge: JudgeServer) -> Spent:
    clock, judged, own = time.perf_counter(), _cpu(judge.pid), _own_cpu(judge.pid)
    scores = score(step)
    found = Spent(time.perf_counter() - clock, _cpu(judge.pid) - judged, _own_cpu(judge.pid) - own)
    assert len(scores) == len(step.problems)
    return found


def _cpu(pid: int | None) -> float:
    """CPU seconds of a process and all below it; 0 where the server is not ours."""
    if pid is None:
        return 0.0
    process = psutil.Process(pid)
    return sum(_seconds(each) for each in (process, *process.children(recursive=True)))


def _own_cpu(judge: int | None) -> float:
    """CPU seconds of this process, of its children that have ended, and of all that run but the judge server."""
    spent = os.times()
    others = [child for child in psutil.Process().children() if child.pid != judge]
    return sum(spent[:4]) + sum(_cpu(child.pid) for child in others)


def _seconds(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return times.user + times.system


def failed(reference: Reference, judge: JudgeServer, step: Step, how: Failing) -> str:
    with failing_proxy(judge.url, how) as (url, proxy):
        text = told(reference.at(url), step)
    return f"{text} ({proxy.failed} x 500)"


def told(score: Score, step: Step) -> str:
    try:
        scores = score(step)
    except Exception as error:
        return f"no rollout has a reward: {type(error).__name__}: {error}"
    missing = getattr(score, "missing", 0)
    kept = len(scores) - missing
    return (
        f"all {kept} rollouts have their reward" if not missing else f"{kept} of {len(scores)} have; {missing} missing"
    )


class Reference:
    """Its manager, with the settings of `examples/run_qwen2_5_vl_7b_geo3k_visual_swanlab.sh`."""

    def __init__(self, checkout: Path, judge: JudgeServer, tokenizer: Any) -> None:
        os.environ["VLLM_MODEL_NAME"] = judge.model
        self._module, package = load_manager(checkout)
        config = package.RewardConfig(
            score_function="boxed_math_verify",
            use_visual_reward=True,
            visual_reward_factor=0.7,
            use_ngram_penalty=True,
        )
        self._manager = package.CustomRewardManager(tokenizer, config)
        self._url = judge.url

    def at(self, url: str) -> Reference:
        """It asks this server from now on."""
        self._url = url
        return self

    def __call__(self, step: Step) -> Scores:
        made = self._module.async_client
        self._module.async_client = type(made)(
            base_url=f"{self._url}/v1", api_key=made.api_key, max_retries=made.max_retries
        )
        columns = {
            "ground_truth": [problem.answer for problem in step.problems],
            "visual_key_info": ["\n".join(_tagged(problem.facts)) for problem in step.problems],
        }
        batch = {"responses": step.ids, "response_mask": step.mask}
        with contextlib.redirect_stdout(io.StringIO()):
            rewards, _ = self._manager(SimpleNamespace(batch=batch, non_tensor_batch=columns))
        return rewards.sum(dim=-1).tolist()


def load_manager(checkout: Path) -> tuple[Any, Any]:
    """(the module that asks the judge, the package of the manager), from the checkout."""
    if not (checkout / "verl" / "workers" / "reward" / "custom.py").is_file():
        raise SystemExit(f"{checkout} is no checkout of tongxiao2002/Perception-R1")
    stubs: dict[str, dict[str, Any]] = {
        "codetiming": {"Timer": Timer},
        "mathruler": {},
        "mathruler.grader": {"extract_boxed_content": None, "grade_answer": None},
        "ray": {},
        "verl.protocol": {"DataProto": object},
    }
    sys.path.insert(0, str(checkout))
    with standing_in(stubs):
        package = importlib.import_module("verl.workers.reward")
    return importlib.import_module("verl.utils.reward_score.math_with_visual"), package


def _tagged(facts: Sequence[str]) -> Iterator[str]:
    for number, fact in enumerate(facts, 1):
        yield f"<info{number}>{fact}</info{number}>"


class Service:
    """What EasyR1 calls, and the service behind it."""

    def __init__(self, url: str, tokenizer: Any) -> None:
        self._url = url
        self._tokenizer = tokenizer
        self.missing = 0

    @classmethod
    @contextlib.contextmanager
    def started(cls, kind: str, url: str, judge: JudgeServer, annotations: Path, tokenizer: Any) -> Iterator[Service]:
        options = ["--judge", f"{kind}:{url}#{judge.model}", "--judge-tokenizer", judge.tokenizer]
        options += ["--annotations", str(annotations), "--request-timeout", "3600"]
        with service(*options, pinned=False) as served:
            yield cls(served.url, tokenizer)

    def __call__(self, step: Step) -> Scores:
        # What EasyR1's manager does before it calls the function.
        kept = [ids[: int(mask.sum())] for ids, mask in zip(step.ids, step.mask, strict=True)]
        texts = self._tokenizer.batch_decode(kept, skip_special_tokens=True)
        inputs = [
            {
                "response": text,
                "response_length": len(ids),
                "ground_truth": json.dumps({"annotation_id": problem.id, "answer": problem.answer}),
            }
            for text, ids, problem in zip(texts, kept, step.problems, strict=True)
        ]
        scores = compute_score(inputs, base_url=self._url, timeout=3600.0)
        self.missing = sum(int(each["missing"]) for each in scores)
        return [each["overall"] for each in scores]


def prose(data: Path) -> list[str]:
    return [row["response"] for row in rows(data / "math_v" / "gemini-pro-vision-cot.jsonl")]


def _prompts(checkout: Path) -> list[str]:
    """Both judges' instructions, so that either takes as many tokens a word as with a real tokenizer."""
    from importlib.resources import files

    ours = files("perception_reward.service.judges.llm") / "prompts"
    texts = [each.read_text(encoding="utf-8") for each in ours.iterdir() if each.name.endswith(".txt")]
    theirs = checkout / "verl" / "utils" / "reward_score" / "math_with_visual.py"
    return [*texts, theirs.read_text(encoding="utf-8")]


def make_problems(data: Path) -> Iterator[Problem]:
    annotations = [row for row in rows(data / "geometry3k" / "annotations.jsonl") if row["logic_forms"]]
    for number, forms in enumerate(problems(annotations, len(annotations), SEED)):
        facts = list(read_facts(forms).values())
        if len(facts) >= FACTS:
            yield Problem(f"problem-{number}", facts[:FACTS], str(number + 2))


def annotation(problem: Problem) -> dict[str, Any]:
    facts = [{"id": f"f{number}", "text": text} for number, text in enumerate(problem.facts, 1)]
    return {"id": problem.id, "question": "See the figure.", "answer": problem.answer, "facts": facts}


def make_step(made: Sequence[Problem], texts: Sequence[str], tokenizer: Any) -> Step:
    dice = random.Random(made[0].id)
    each = [problem for problem in made for _ in range(GROUP)]
    encoded = [tokenizer.encode(_response(problem, texts, dice), add_special_tokens=False) for problem in each]
    lengths = [len(ids) for ids in encoded]
    ids = torch.tensor([ids + [0] * (max(lengths) - len(ids)) for ids in encoded])
    return Step(each, ids, (torch.arange(max(lengths)) < torch.tensor(lengths)[:, None]).long())


def _response(problem: Problem, texts: Sequence[str], dice: random.Random) -> str:
    """Some of the facts said, some prose, an answer that is right every other time; in the form that both ask for."""
    said = [fact for fact in problem.facts if dice.random() < 0.5]
    parts = [f"Attempt {dice.randrange(10**6)}.", *said]
    while sum(map(len, parts)) < CHARACTERS:
        parts.append(dice.choice(texts))
    thought = "\n".join(parts)[:CHARACTERS]
    answer = problem.answer if dice.random() < 0.5 else "1"
    return f"<think>\n{thought}\n</think>\n<answer>\n\\boxed{{{answer}}}\n</answer>"


def conditions(judge: JudgeServer, chosen: argparse.Namespace, step: Step) -> str:
    name = f"a tiny random model, at most {chosen.answer_tokens or 512} tokens an answer" if judge.pid else judge.model
    return (
        f"{date.today():%Y-%m-%d}, {os.cpu_count()} cores ({platform.machine()}), load average "
        f"{os.getloadavg()[0]:.0f}; {len(step.problems)} rollouts ({chosen.problems} problems x {GROUP}) of "
        f"{step.mask.sum(dim=1).float().mean():.0f} tokens, {FACTS} facts each; judge: vLLM, {name}."
    )


if __name__ == "__main__":
    main()
