"""TRL itself, training tiny models of random weights with the reward of a real service."""

from __future__ import annotations

import contextlib
import json
import math
import os
import pickle
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

import pytest

pytestmark = [pytest.mark.trl, pytest.mark.timeout(600), pytest.mark.filterwarnings("default")]

trl = pytest.importorskip("trl")
datasets = pytest.importorskip("datasets")
transformers = pytest.importorskip("transformers")
image = pytest.importorskip("PIL.Image")

from perception_reward.trainer_client.missing import COMPONENTS  # noqa: E402
from perception_reward.trainer_client.trainers.trl import configured  # noqa: E402

GENERATIONS = 4
NOBODY = "http://127.0.0.1:9"
CONTROL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
VISION = ("<|vision_start|>", "<|vision_end|>", "<|image_pad|>", "<|video_pad|>")
TEMPLATE = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{% if m['content'] is string %}{{ m['content'] }}"
    "{% else %}{% for c in m['content'] %}{% if c['type'] == 'image' %}<|vision_start|><|image_pad|><|vision_end|>"
    "{% else %}{{ c['text'] }}{% endif %}{% endfor %}{% endif %}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
CLOSED = "AB = 5 and the angle ABC is 90°.\n</think>\n<answer>\n\\boxed{13}\n</answer>"
TEXT_MODEL = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 2048,
}


def make_tokenizer() -> Any:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=300, special_tokens=[*CONTROL, *VISION], initial_alphabet=alphabet, show_progress=False
    )
    bpe.train_from_iterator(["AB is 5"], trainer)
    tokenizer = transformers.PreTrainedTokenizerFast(
        tokenizer_object=bpe, eos_token="<|im_end|>", pad_token="<|endoftext|>"
    )
    tokenizer.chat_template = TEMPLATE
    return tokenizer


def qwen_vl(tokenizer: Any) -> tuple[Any, Any]:
    """A Qwen2.5-VL of 0.1 M parameters and its processor, without the video part, which needs torchvision."""

    class Processor(transformers.Qwen2_5_VLProcessor):
        def __init__(self, image_processor: Any = None, tokenizer: Any = None, chat_template: Any = None) -> None:
            self.image_token, self.video_token = "<|image_pad|>", "<|video_pad|>"
            self.image_token_id = tokenizer.convert_tokens_to_ids(self.image_token)
            self.video_token_id = tokenizer.convert_tokens_to_ids(self.video_token)
            transformers.ProcessorMixin.__init__(self, image_processor, tokenizer, chat_template=chat_template)

    ids = {token: tokenizer.convert_tokens_to_ids(token) for token in (*CONTROL, *VISION)}
    config = transformers.Qwen2_5_VLConfig(
        text_config=TEXT_MODEL
        | {
            "vocab_size": len(tokenizer),
            "rope_scaling": {"type": "mrope", "mrope_section": [1, 1, 2]},
            "bos_token_id": None,
            "eos_token_id": ids["<|im_end|>"],
            "pad_token_id": ids["<|endoftext|>"],
        },
        vision_config={
            "depth": 2,
            "hidden_size": 32,
            "intermediate_size": 64,
            "num_heads": 2,
            "out_hidden_size": 32,
            "patch_size": 14,
            "fullatt_block_indexes": [1],
            "window_size": 56,
        },
        image_token_id=ids["<|image_pad|>"],
        video_token_id=ids["<|video_pad|>"],
        vision_start_token_id=ids["<|vision_start|>"],
        vision_end_token_id=ids["<|vision_end|>"],
    )
    images = transformers.Qwen2VLImageProcessorPil(min_pixels=28 * 28, max_pixels=56 * 56)
    return transformers.Qwen2_5_VLForConditionalGeneration(config), Processor(images, tokenizer, TEMPLATE)


def rows(annotation_ids: Sequence[str]) -> Any:
    return datasets.Dataset.from_list(
        [
            {
                "prompt": [{"role": "user", "content": f"What is AC in figure {number}?"}],
                "image": image.new("RGB", (56, 56), (number * 20, 0, 0)),
                "annotation_id": annotation_id,
                "answer": "13",
            }
            for number, annotation_id in enumerate(annotation_ids)
        ]
    )


def present(rewards: Sequence[float | None]) -> list[float]:
    return [reward for reward in rewards if reward is not None]


def advantages(rewards: Sequence[float | None]) -> list[float]:
    """GRPO's, by hand: against the mean and standard deviation of the group's present rewards; 0 where missing."""
    known = present(rewards)
    spread = stdev(known) if len(known) > 1 else 0.0
    return [0.0 if reward is None else (reward - fmean(known)) / (spread + 1e-4) for reward in rewards]


class Recorder:
    """A reward function that keeps what `inner` returned. TRL logs under its name."""

    __name__ = "perception_reward"

    def __init__(self, inner: Callable[..., list[float | None]]) -> None:
        self._inner = inner
        self.rewards: list[list[float | None]] = []

    def __call__(self, *args: Any, **columns: Any) -> list[float | None]:
        self.rewards.append(self._inner(*args, **columns))
        return self.rewards[-1]


def trainer_of(tmp_path: Path, reward: Any, data: Any, steps: int, callbacks: Sequence[Any] = ()) -> Any:
    model, processor = qwen_vl(make_tokenizer())
    arguments = trl.GRPOConfig(
        output_dir=str(tmp_path / "run"),
        per_device_train_batch_size=GENERATIONS,
        num_generations=GENERATIONS,
        max_completion_length=12,
        max_steps=steps,
        logging_steps=1,
        learning_rate=1e-3,
        report_to=[],
        use_cpu=True,
        save_strategy="no",
        shuffle_dataset=False,
        beta=0.0,
    )
    return trl.GRPOTrainer(
        model,
        reward_funcs=reward,
        args=arguments,
        train_dataset=data,
        processing_class=processor,
        callbacks=list(callbacks),
    )


def test_training_survives_a_judge_that_dies_and_advantages_are_right(
    tmp_path: Path, judge: Any, judged: Any, ready: Callable[[str], None]
) -> None:
    seen: list[list[float]] = []

    class Night(transformers.TrainerCallback):
        """The judge is gone from step 2 to step 4."""

        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            seen.append(list(trainer._logs["advantages"]))
            if state.global_step == 2:
                judge.stop()
            if state.global_step == 4:
                judge.start()
                ready(judged.url)

    recorder = Recorder(configured(judged.url, run="night"))
    data = rows(
        ["triangle/1", "triangle/1", "triangle/1", "triangle/1", "triangle/unknown", "triangle/1", "triangle/1"]
    )
    trainer = trainer_of(tmp_path, recorder, data, steps=7, callbacks=[Night()])
    trainer.train()

    assert len(recorder.rewards) == 7
    for found, rewards in zip(seen, recorder.rewards, strict=True):
        assert found == pytest.approx(advantages(rewards), abs=1e-6)
    asleep, unknown = recorder.rewards[2:4], recorder.rewards[4]
    assert asleep == [[None] * GENERATIONS] * 2
    assert unknown == [None] * GENERATIONS
    awake = [reward for rewards in (*recorder.rewards[:2], *recorder.rewards[5:]) for reward in rewards]
    assert len({reward for reward in awake if reward is not None}) > 1

    history = [entry for entry in trainer.state.log_history if "reward" in entry]
    assert [entry["perception_reward/missing"] for entry in history][2:5] == [1.0, 1.0, 1.0]
    told = [entry.get("perception_reward/perception") for entry in history]
    assert told[2:5] == [None] * 3
    assert all(0.0 <= value <= 1.0 for value in told if value is not None)
    assert any(value is not None for value in told)


def test_a_thought_that_the_processors_template_opens_counts_as_opened(tmp_path: Path, served: str) -> None:
    def well_formed(prompts: Any, completions: Any, **columns: Any) -> list[float | None]:
        said = [[{"role": "assistant", "content": CLOSED}] for _ in completions]
        return configured(served)(prompts=prompts, completions=said, **columns)

    recorder = Recorder(well_formed)
    trainer = trainer_of(tmp_path, recorder, rows(["triangle/1"]), steps=1)
    trainer.train()
    trainer.processing_class.chat_template = TEMPLATE.replace("assistant\n", "assistant\n<think>\n")
    trainer.train()
    unopened, opened = recorder.rewards
    assert unopened == [pytest.approx(1.6)] * GENERATIONS
    assert opened == [pytest.approx(1.7)] * GENERATIONS


def test_an_asynchronous_reward_trains_after_being_pickled(tmp_path: Path, served: str) -> None:
    reward = pickle.loads(pickle.dumps(configured(served, asynchronous=True)))
    trainer = trainer_of(tmp_path, reward, rows(["triangle/1"]), steps=1)
    trainer.train()
    (entry,) = [entry for entry in trainer.state.log_history if "reward" in entry]
    assert entry["rewards/perception_reward/mean"] == pytest.approx(entry["reward"])
    assert entry["perception_reward/missing"] == 0.0
    assert math.isfinite(entry["perception_reward/perception"])


def text_model(tmp_path: Path) -> Path:
    """The folder of a Qwen2 of random weights and its tokenizer."""
    tokenizer, folder = make_tokenizer(), tmp_path / "model"
    config = transformers.Qwen2Config(
        vocab_size=len(tokenizer), eos_token_id=2, pad_token_id=0, bos_token_id=None, **TEXT_MODEL
    )
    transformers.Qwen2ForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def launch(command: Sequence[str], environment: dict[str, str]) -> tuple[int, str]:
    """A launcher's exit status, and what it prints. One that takes too long is ended with all that it has started."""
    process = subprocess.Popen(
        command,
        env=os.environ | {"HF_HUB_OFFLINE": "1", "CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": "1"} | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        told, _ = process.communicate(timeout=500)
    except BaseException:
        # torchrun's processes are in sessions of their own: it ends them itself.
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(60)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        raise
    return process.returncode, told


def launched(command: Sequence[str], environment: dict[str, str]) -> str:
    """What a launcher prints that succeeds."""
    status, told = launch(command, environment)
    assert status == 0, told[-3000:]
    return told


def grpo(tmp_path: Path, row: dict[str, Any], steps: int) -> list[str]:
    """The command of a run of `steps` on copies of one row."""
    data = tmp_path / "data"
    data.mkdir()
    row = {"prompt": [{"role": "user", "content": "What is AC?"}], **row}
    (data / "train.jsonl").write_text((json.dumps(row) + "\n") * 4)
    options = {
        "model_name_or_path": text_model(tmp_path),
        "dataset_name": data,
        "output_dir": tmp_path / "run",
        "reward_funcs": "perception_reward.trainer_client.trainers.trl.reward",
        "per_device_train_batch_size": 4,
        "num_generations": 4,
        "max_completion_length": 8,
        "max_steps": steps,
        "logging_steps": 1,
        "report_to": "none",
        "save_strategy": "no",
        "use_cpu": True,
    }
    command = [str(Path(sys.executable).parent / "trl"), "grpo"]
    return command + [text for name, value in options.items() for text in (f"--{name}", str(value))]


def test_the_command_line_takes_the_reward_by_its_name(tmp_path: Path, served: str) -> None:
    command = grpo(tmp_path, {"annotation_id": "triangle/1"}, steps=1)
    assert "perception_reward/missing/judge_timeout" in launched(command, {"PERCEPTION_REWARD_URL": served})


STEP = "'perception_reward/missing'"


def test_a_misspelt_column_ends_a_run_at_its_first_batch(tmp_path: Path, served: str) -> None:
    command = grpo(tmp_path, {"problem_id": "triangle/1", "answer": "13"}, steps=5)
    status, told = launch(command, {"PERCEPTION_REWARD_URL": served})
    assert status != 0
    assert STEP not in told
    assert (
        "errors.DataError: no row of the first batch names facts; it has answer, problem_id. "
        "Did you mean: problem_id -> annotation_id?"
    ) in told


def test_a_wrong_address_or_key_ends_a_run_before_its_first_rollout(tmp_path: Path, keyed_service: Any) -> None:
    command = grpo(tmp_path, {"annotation_id": "triangle/1"}, steps=5)
    for environment, expected in (
        ({"PERCEPTION_REWARD_URL": NOBODY}, f"errors.ServiceUnavailable: no service to ask for scores: {NOBODY}: "),
        ({"PERCEPTION_REWARD_API_KEY": "another"}, "errors.Unauthorized: "),
    ):
        status, told = launch(command, environment)
        assert status != 0
        assert "0/5" not in told  # the bar of its steps
        assert STEP not in told
        (line,) = [line for line in told.splitlines() if expected in line]
        assert "PERCEPTION_REWARD_URL" in line


def test_a_service_that_dies_in_the_middle_is_told_and_the_run_goes_on(
    tmp_path: Path, start_process: Callable[..., Any], annotations_file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    service = start_process("--annotations", str(annotations_file), "--workers", "1")

    class Death(transformers.TrainerCallback):
        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            if state.global_step == 2:
                service.stop()

    reward = configured(service.url, timeout=2.0)
    trainer = trainer_of(tmp_path, reward, rows(["triangle/1"] * 5), steps=5, callbacks=[Death()])
    trainer.train()
    history = [entry for entry in trainer.state.log_history if "reward" in entry]
    assert [entry["perception_reward/missing"] for entry in history] == [0.0, 0.0, 1.0, 1.0, 1.0]
    assert [entry["perception_reward/missing/service_unavailable"] for entry in history] == [0.0, 0.0, 1.0, 1.0, 1.0]
    told = [message for message in caplog.messages if message.startswith("perception_reward: ")]
    assert told[0].startswith(f"perception_reward: {service.url}: ")
    assert "perception_reward: 4 of the 12 scores so far are missing (service_unavailable 4)" in told


OPENED = "I see that AB = 5 and the angle ABC is 90°.</think>\n<answer>\\boxed{13}</answer>"


@pytest.mark.parametrize("prefix", [None, "<think>"])
def test_a_template_that_opens_the_thought_is_told_until_its_prefix_is_said(
    tmp_path: Path, served: str, caplog: pytest.LogCaptureFixture, prefix: str | None
) -> None:
    reward = configured(served, run=f"opened {prefix}", prefix=prefix)

    def said(prompts: Any, completions: Any, **columns: Any) -> list[float | None]:
        """TRL's call, about what a policy says whose template ends with <think>."""
        return reward(prompts, [[{"role": "assistant", "content": OPENED}]] * len(completions), **columns)

    trainer = trainer_of(tmp_path, said, rows(["triangle/1"] * 5), steps=5)
    trainer.train()
    history = [entry for entry in trainer.state.log_history if "reward" in entry]
    assert [entry["perception_reward/format"] for entry in history] == [0.0 if prefix is None else 1.0] * 5
    warned = [message for message in caplog.messages if "prefix" in message]
    assert len(warned) == (1 if prefix is None else 0)


def test_one_of_two_processes_that_stops_does_not_leave_the_other_waiting(tmp_path: Path, served: str) -> None:
    # The first process sees rows without facts alone, the second one others as well.
    said = [[[ONE_FACT, ONE_FACT], [BOTH_FACTS, None]]] * 3
    (tmp_path / "said.json").write_text(json.dumps(said))
    status, told = launch(in_processes(tmp_path), {"PERCEPTION_REWARD_URL": served, "MISSPELT_IN": "0"})
    assert status != 0
    assert "Did you mean: problem_id -> annotation_id?" in told


def in_processes(tmp_path: Path) -> list[str]:
    """The command of a run in two processes, of what is in `said.json`."""
    script, model = Path(__file__).with_name("train_in_processes.py"), text_model(tmp_path)
    torchrun = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    return [sys.executable, *torchrun, str(script), str(model), str(tmp_path / "said.json"), str(tmp_path)]


ONE_FACT, BOTH_FACTS, NEITHER = "AB = 5.", "AB = 5, angle ABC = 90 degrees.", "I see nothing."
IN_TAGS = f"<think>{ONE_FACT}</think>\n<answer>\\boxed{{12}}</answer>"


def test_two_processes_that_share_a_group_have_its_advantages_and_its_means(tmp_path: Path, served: str) -> None:
    # Step, process, completion; None is missing. In the second step, one process has no score at all.
    said = [[[IN_TAGS, BOTH_FACTS], [NEITHER, None]], [[ONE_FACT, BOTH_FACTS], [None, None]]]
    (tmp_path / "said.json").write_text(json.dumps(said))
    launched(in_processes(tmp_path), {"PERCEPTION_REWARD_URL": served})

    first, second = (json.loads((tmp_path / f"{process}.json").read_text()) for process in range(2))
    assert first["rewards"] == [[pytest.approx(0.45), pytest.approx(0.7)], [pytest.approx(0.35), pytest.approx(0.7)]]
    assert second["rewards"] == [[0.0, None], [None, None]]
    for process in (first, second):
        for step, rewards in enumerate(([0.45, 0.7, 0.0, None], [0.35, 0.7, None, None])):
            assert process["advantages"][step] == pytest.approx(advantages(rewards), abs=1e-6)
            assert process["history"][step]["reward"] == pytest.approx(fmean(present(rewards)))
    told = [{name: entry[f"perception_reward/{name}"] for name in COMPONENTS} for entry in first["history"]]
    assert told[0] == pytest.approx({"format": 0.25, "accuracy": 0.0, "perception": 0.5, "repetition": 0.0})
    assert told[1] == pytest.approx({"format": 0.0, "accuracy": 0.0, "perception": 0.75, "repetition": 0.0})
    assert [entry["perception_reward/missing"] for entry in first["history"]] == [0.25, 0.5]
    assert [column for step in first["extra"] for column in step["perception_reward/perception"]] == pytest.approx(
        [0.5, 1.0, 0.0, math.nan, 0.5, 1.0, math.nan, math.nan], nan_ok=True
    )
    with urllib.request.urlopen(f"{served}/metrics", timeout=60) as answer:
        metrics = answer.read().decode()
    for run in ("process-0", "process-1"):
        assert f'perception_reward_items_total{{profile="perception-r1",run="{run}"}} 4.0' in metrics


def test_the_completions_that_trl_logs_are_read_as_its_layout(
    tmp_path: Path, score_files: Callable[[Path], Any]
) -> None:
    def half(completions: Any, **_: Any) -> list[float]:
        return [0.5] * len(completions)

    trainer = trainer_of(tmp_path, half, rows(["triangle/1", "triangle/1"]), steps=2)
    trainer.log_completions = True
    (tmp_path / "run" / "completions").mkdir(parents=True)
    trainer.train()
    told, results = score_files(tmp_path / "run" / "completions")
    assert "TRL: response from completion, step, prompt (2 files)" in told
    assert [one["step"] for one in results] == [1] * GENERATIONS + [2] * GENERATIONS
    assert {one["extra"]["half"] for one in results} == {0.5}
    assert len({one["group"] for one in results}) == 2
