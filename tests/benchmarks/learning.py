"""Does training on the reward teach a policy to see? Two runs from one start, with and without perception.

    make bench-learning                     # inside a TRL environment, with a service of its own; some minutes

The figure is in the prompt, in words, so that a text policy of 0.1 M parameters can be trained on two cores: three
segments with their lengths, and a question whose answer is one of them. The policy begins with the right form and,
but for one response in five, numbers of its own invention (imitation), and is then trained with TRL's GRPO on the
service's reward: once with its default profile, once with accuracy and format alone. Both runs have the same seed,
data and start. What counts is the perception component of both, as TRL logs it: whether the policy says what is in
the figure.

Prints the curves as JSON and draws them into `--plot`.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast, Qwen2Config, Qwen2ForCausalLM, set_seed
from trl import GRPOConfig, GRPOTrainer

from perception_reward.trainer_client.trainers.trl import configured

SEGMENTS = ("AB", "BC", "CD")
LENGTHS = [str(length) for length in range(2, 10)]
FORM = ["<think>", "=", ",", "</think>", "<answer>", "\\boxed{", "}", "</answer>", "Find", "?", "figure:"]
WORDS = ["<pad>", "<end>", *FORM, *SEGMENTS, *LENGTHS]
RESPONSE_TOKENS = 18
# Share of the imitated responses that say what is in the figure.
SIGHTED = 0.2

PROFILES = """
[answer-only]
base = "perception-r1"
description = "Accuracy and format alone."
weights = { perception = 0.0, repetition = 0.0 }
"""


def make_tokenizer() -> Any:
    words = Tokenizer(models.WordLevel({word: place for place, word in enumerate(WORDS)}, unk_token="<pad>"))
    words.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return PreTrainedTokenizerFast(tokenizer_object=words, pad_token="<pad>", eos_token="<end>")


def figure(dice: random.Random) -> dict[str, str]:
    return {segment: dice.choice(LENGTHS) for segment in SEGMENTS}


def prompt_of(lengths: dict[str, str], asked: str) -> str:
    told = " , ".join(f"{segment} = {length}" for segment, length in lengths.items())
    return f"figure: {told} Find {asked} ?"


def response_of(lengths: dict[str, str], answer: str) -> str:
    told = " , ".join(f"{segment} = {length}" for segment, length in lengths.items())
    return f"<think> {told} </think> <answer> \\boxed{{ {answer} }} </answer> <end>"


def problems(count: int, seed: int) -> list[dict[str, Any]]:
    dice = random.Random(seed)
    rows: list[dict[str, Any]] = []
    for _ in range(count):
        lengths, asked = figure(dice), dice.choice(SEGMENTS)
        facts = [
            {"id": segment, "text": f"Segment {segment} has length {length}.", "kind": "length"}
            for segment, length in lengths.items()
        ]
        rows.append({"prompt": prompt_of(lengths, asked), "facts": facts, "answer": lengths[asked]})
    return rows


def shown(dice: random.Random) -> str:
    """A prompt with a response to imitate, which looks at the figure one time in five."""
    lengths, asked = figure(dice), dice.choice(SEGMENTS)
    if dice.random() < SIGHTED:
        return f"{prompt_of(lengths, asked)} {response_of(lengths, lengths[asked])}"
    return f"{prompt_of(lengths, asked)} {response_of(figure(dice), dice.choice(LENGTHS))}"


def imitate(tokenizer: Any, steps: int, seed: int) -> Any:
    """A policy that has the form, and mostly numbers of its own invention."""
    set_seed(seed)
    dice = random.Random(seed)
    config = Qwen2Config(
        vocab_size=len(WORDS),
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=4,
        max_position_embeddings=64,
        eos_token_id=1,
        pad_token_id=0,
        bos_token_id=None,
    )
    model = Qwen2ForCausalLM(config)
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3)
    for _ in range(steps):
        tokens = tokenizer([shown(dice) for _ in range(64)], return_tensors="pt").input_ids
        loss = model(input_ids=tokens, labels=tokens).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return model


def train(folder: Path, tokenizer: Any, start: Path, url: str, profile: str, options: argparse.Namespace) -> list[dict]:
    """TRL's log of one run."""
    arguments = GRPOConfig(
        output_dir=str(folder / profile),
        per_device_train_batch_size=options.prompts * options.generations,
        num_generations=options.generations,
        max_completion_length=RESPONSE_TOKENS + 2,
        max_steps=options.steps,
        logging_steps=1,
        learning_rate=options.learning_rate,
        lr_scheduler_type="constant",
        beta=0.0,
        report_to=[],
        use_cpu=True,
        save_strategy="no",
        seed=options.seed,
        disable_tqdm=True,
    )
    trainer = GRPOTrainer(
        Qwen2ForCausalLM.from_pretrained(start),
        reward_funcs=configured(url, profile=profile, run=f"learning-{profile}"),
        args=arguments,
        train_dataset=Dataset.from_list(problems(options.problems, options.seed)),
        processing_class=tokenizer,
    )
    trainer.train()
    return [entry for entry in trainer.state.log_history if "reward" in entry]


def serve(folder: Path) -> tuple[subprocess.Popen[bytes], str]:
    """The service and its address. It logs into a file: a pipe that nobody reads would stop it when full."""
    (folder / "profiles.toml").write_text(PROFILES)
    python, log = os.environ.get("SERVICE_PYTHON", sys.executable), folder / "service.log"
    command = [python, "-m", "perception_reward.service.cli", "serve", "--port", "0", "--log-json"]
    command += ["--profiles", str(folder / "profiles.toml"), "--workers", "1"]
    with log.open("wb") as out:
        process = subprocess.Popen(command, stderr=out)
    for _ in range(600):
        for line in log.read_text().splitlines():
            if line.startswith("{") and line.endswith("}") and json.loads(line)["message"] == "listening":
                return process, json.loads(line)["address"]
        time.sleep(0.2)
    raise SystemExit(f"the service did not start: {log.read_text()}")


def draw(curves: dict[str, list[dict]], path: Path) -> None:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, panels = pyplot.subplots(1, 2, figsize=(9, 3.2), sharey=True)
    for panel, component in zip(panels, ("perception", "accuracy"), strict=True):
        for profile, entries in curves.items():
            values = [entry[f"perception_reward/{component}"] for entry in entries]
            panel.plot(smooth(values), label=profile)
        panel.set_title(component)
        panel.set_xlabel("step")
        panel.set_ylim(0, 1.02)
        panel.grid(alpha=0.3)
    panels[0].legend()
    figure.tight_layout()
    figure.savefig(path)


def smooth(values: list[float], width: int = 5) -> list[float]:
    return [sum(values[max(0, at - width + 1) : at + 1]) / min(width, at + 1) for at in range(len(values))]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=120)
    parser.add_argument("--prompts", type=int, default=8, help="prompts a step")
    parser.add_argument("--generations", type=int, default=8, help="responses a prompt")
    parser.add_argument("--problems", type=int, default=512)
    parser.add_argument("--imitation", type=int, default=800, help="steps of imitation at the start")
    parser.add_argument("--learning-rate", type=float, default=2e-4)
    parser.add_argument("--seed", type=int, default=17)
    parser.add_argument("--plot", type=Path, default=Path("build/learning.svg"))
    options = parser.parse_args()
    began = time.monotonic()
    tokenizer = make_tokenizer()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        imitate(tokenizer, options.imitation, options.seed).save_pretrained(folder / "start")
        process, url = serve(folder)
        try:
            curves = {
                profile: train(folder, tokenizer, folder / "start", url, profile, options)
                for profile in ("perception-r1", "answer-only")
            }
        finally:
            process.terminate()
            process.wait(30)
    options.plot.parent.mkdir(parents=True, exist_ok=True)
    draw(curves, options.plot)
    tail = max(1, options.steps // 10)
    found: dict[str, Any] = {
        profile: {
            component: {
                "first": round(sum(entry[f"perception_reward/{component}"] for entry in entries[:tail]) / tail, 3),
                "last": round(sum(entry[f"perception_reward/{component}"] for entry in entries[-tail:]) / tail, 3),
            }
            for component in ("perception", "accuracy", "format")
        }
        for profile, entries in curves.items()
    }
    found |= {"steps": options.steps, "seed": options.seed, "averaged over steps": tail}
    found |= {"seconds": round(time.monotonic() - began), "date": date.today().isoformat()}
    found |= {"machine": f"{platform.machine()}, {os.cpu_count()} cores"}
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
