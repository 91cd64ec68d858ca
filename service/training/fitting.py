"""Teaching a model: TRL's trainer on rows of prompts, of all weights or of low-rank adapters (PEFT) beside them.

    fit(Plan(base="…"), rows, out, say)     # the taught model and its tokenizer are in `out`, as `vllm:OUT` serves it

A run that was killed goes on from its last whole checkpoint, with the same rows in the same order, and ends with the
same weights as one that was not.
"""

from __future__ import annotations

import json
import re
import shutil
import warnings
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from hashlib import blake2b
from importlib import import_module
from pathlib import Path
from typing import Any, Literal

from perception_reward.service.training.rows import IGNORED, Row

# What they hold is untyped here, since the environment that is type-checked lacks them.
datasets: Any = import_module("datasets")
peft: Any = import_module("peft")
safetensors: Any = import_module("safetensors")
torch: Any = import_module("torch")
transformers: Any = import_module("transformers")
trl: Any = import_module("trl")

_LAYER = re.compile(r"\.(?:layers|h|blocks)\.(\d+)\.")
# Room for two checkpoints, while one takes the other's place, and for the model itself.
_CHECKPOINTS = 2
# Attention takes the rows' own mask where its logits move by no more than rounding.
_SAME = 1e-2


class Refused(ValueError):
    """Nothing is taught; the message says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How a model is taught. freeze: the lowest layers that stay as they are. rank: of the adapters, for `lora`."""

    base: str
    how: Literal["lora", "full"] = "lora"
    rank: int = 16
    freeze: int = 0
    epochs: float = 2.0
    learning_rate: float = 2e-4
    rows_a_step: int = 1
    save_every: int = 50
    seed: int = 0


@contextmanager
def quietly() -> Generator[None]:
    """Without the libraries' bars, and what they warn about one another."""
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        yield


def load(name: str, *, exact: bool) -> Any:
    """The model `name`, a folder or a hub's name, on the accelerator if there is one, in bfloat16 where that is faster.
    exact: in single precision."""
    dtype = torch.float32 if exact or not _in_half() else torch.bfloat16
    auto = transformers.AutoModelForCausalLM
    try:
        try:
            # The rows' mask is one that this implementation of attention takes.
            model: Any = auto.from_pretrained(name, dtype=dtype, attn_implementation="sdpa")
        except ValueError:
            model = auto.from_pretrained(name, dtype=dtype)
    except (OSError, ValueError) as error:
        raise Refused(f"the model {name!r} cannot be loaded: {str(error).partition(chr(10))[0]}") from None
    return model.to("cuda") if torch.cuda.is_available() else model


def _in_half() -> bool:
    """Whether the accelerator, or the processor where there is none, computes in bfloat16 by itself."""
    if torch.cuda.is_available():
        return torch.cuda.is_bf16_supported()
    # Others have instructions for it too, and are faster in single precision.
    return bool(torch.cpu.get_capabilities().get("amx_bf16"))


def shares_beginnings(model: Any, row: Row, alone: Row) -> bool:
    """Whether a row's last prompt is to the model what it is `alone`."""
    with torch.inference_mode():
        found = [model(**inputs(one, model.device)).logits[0, -2] for one in (row, alone)]
    return bool(torch.dist(found[0], found[1]) <= _SAME * torch.linalg.vector_norm(found[1]))


def inputs(row: Row, device: Any = "cpu") -> dict[str, Any]:
    """A row as the model reads it: tokens, and where it holds several prompts, their positions and who sees whom."""
    beginning, *rests = row["seq_lengths"]
    if len(rests) == 1:
        tokens = torch.tensor([row["input_ids"]], device=device)
        return {"input_ids": tokens, "attention_mask": torch.ones_like(tokens)}
    positions = [*range(beginning), *(beginning + place for length in rests for place in range(length))]
    part = torch.tensor([0] * beginning + [number for number, length in enumerate(rests, 1) for _ in range(length)])
    seen = torch.ones(len(part), len(part), dtype=torch.bool).tril() & ((part == 0) | (part == part[:, None]))
    return {
        "input_ids": torch.tensor([row["input_ids"]], device=device),
        "position_ids": torch.tensor([positions], device=device),
        "attention_mask": seen[None, None].to(device),
    }


def _collated(batch: Sequence[Row]) -> dict[str, Any]:
    (row,) = batch
    return inputs(row) | {"labels": torch.tensor([row["labels"]])}


def fit(plan: Plan, rows: Sequence[Row], out: Path, say: Callable[[str], None]) -> None:
    """Teach `rows` and write the model into `out`. Raises `Refused`, and OSError where the disk fails."""
    work = out / "training"
    _claim(work, plan, rows)
    model = load(plan.base, exact=plan.how == "full")
    adapters = _prepared(model, plan)
    gpu = torch.cuda.is_available()
    config = trl.SFTConfig(
        output_dir=str(work),
        per_device_train_batch_size=1,
        gradient_accumulation_steps=plan.rows_a_step,
        num_train_epochs=plan.epochs,
        learning_rate=plan.learning_rate,
        lr_scheduler_type="linear",
        warmup_steps=0.05,
        save_steps=plan.save_every,
        save_total_limit=_CHECKPOINTS,
        logging_steps=plan.save_every,
        max_length=None,
        gradient_checkpointing=gpu,
        bf16=_in_half(),
        use_cpu=not gpu,
        seed=plan.seed,
        report_to="none",
        disable_tqdm=True,
        dataset_num_proc=None,
    )
    dataset = datasets.Dataset.from_list([dict(row) for row in rows])
    tokenizer: Any = transformers.AutoTokenizer.from_pretrained(plan.base)
    trainer: Any = _Trainer(
        model=model,
        args=config,
        train_dataset=dataset,
        data_collator=_collated,
        peft_config=adapters,
        processing_class=tokenizer,
        callbacks=[_Told(say)],
    )
    trainer.remove_callback(transformers.PrinterCallback)
    last = _last_checkpoint(work)
    say(f"teaching {len(rows)} rows" + (f", from {last.name} on" if last else ""))
    with _told():
        trainer.train(resume_from_checkpoint=str(last) if last else None)
        taught = trainer.model.merge_and_unload() if adapters else trainer.model
        taught.to(_stored(plan.base)).save_pretrained(out)
    # As the base has it: the judge is asked in the same tokens.
    transformers.AutoTokenizer.from_pretrained(plan.base).save_pretrained(out)


class _Trainer(trl.SFTTrainer):
    """Only the answers' tokens are predicted: those of the prompts between them would take most of the time, at a
    hundred thousand words each."""

    def compute_loss(
        self, model: Any, inputs: dict[str, Any], return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        (labels,) = inputs.pop("labels")
        answers = (labels != IGNORED).nonzero().flatten()
        outputs = model(**inputs, use_cache=False, logits_to_keep=answers - 1)
        loss = torch.nn.functional.cross_entropy(outputs.logits[0].float(), labels[answers], reduction="sum")
        loss = loss / (len(answers) if num_items_in_batch is None else num_items_in_batch)
        return (loss, outputs) if return_outputs else loss


class _Told(transformers.TrainerCallback):
    """Says now and then how far it is."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **more: Any) -> None:
        if logs and "loss" in logs:
            self._say(f"step {state.global_step} of {state.max_steps}: loss {float(logs['loss']):.3f}")


def check(plan: Plan, model: Any, out: Path) -> None:
    """Raise `Refused` where `model`, the base, has too few layers for the plan, or the disk too little room."""
    layers = 1 + max(
        (int(found[1]) for name, _ in model.named_parameters() if (found := _LAYER.search(name))), default=0
    )
    if plan.freeze >= layers:
        raise Refused(f"{plan.base} has {layers} layers; --freeze leaves at least one to be taught")
    weights = sum(one.numel() for one in model.parameters())
    # A checkpoint holds all weights and two moments of each in single precision, or those of adapters, a fiftieth.
    checkpoint = weights * 12 if plan.how == "full" else weights * 12 // 50
    needed = _CHECKPOINTS * checkpoint + weights * _stored(plan.base).itemsize
    if (free := shutil.disk_usage(out).free) < needed:
        raise Refused(
            f"{out} has {free / 2**30:.1f} GiB free, and training takes some {needed / 2**30:.1f} GiB; make room, "
            "name a folder on another disk, or teach adapters (--how lora)"
        )


def _stored(base: str) -> Any:
    """The precision in which the base is stored, and what was taught too."""
    return transformers.AutoConfig.from_pretrained(base).dtype or torch.float32


def _prepared(model: Any, plan: Plan) -> Any:
    """Freeze what stays; the adapters, where these are taught."""
    if plan.how == "full":
        for name, weights in model.named_parameters():
            found = _LAYER.search(name)
            weights.requires_grad_(not (found and int(found[1]) < plan.freeze))
        model.get_input_embeddings().weight.requires_grad_(plan.freeze == 0)
        return None
    frozen = "|".join(map(str, range(plan.freeze)))
    return peft.LoraConfig(
        r=plan.rank,
        lora_alpha=2 * plan.rank,
        target_modules="all-linear",
        exclude_modules=rf".*\.(?:layers|h|blocks)\.(?:{frozen})\..*" if frozen else None,
        task_type="CAUSAL_LM",
    )


def _claim(work: Path, plan: Plan, rows: Sequence[Row]) -> None:
    """Note what is taught, and refuse to go on with something else."""
    content = json.dumps([asdict(plan) | {"save_every": 0}, list(rows)], sort_keys=True)
    digest = blake2b(content.encode(), digest_size=8).hexdigest()
    note = work / "run.json"
    work.mkdir(parents=True, exist_ok=True)
    if note.exists() and json.loads(note.read_text()).get("digest") != digest:
        raise Refused(
            f"{work.parent} holds a training of other data or settings that has not ended; name another folder, or "
            "pass --force to begin anew"
        )
    note.write_text(json.dumps({"digest": digest} | asdict(plan)))


def _last_checkpoint(work: Path) -> Path | None:
    """The last one that was written to its end: what a kill left of one is removed."""
    found = sorted(work.glob("checkpoint-*"), key=lambda path: int(path.name.rpartition("-")[2]))
    for path in reversed(found):
        # The trainer writes it last.
        if _is_whole(path / "trainer_state.json"):
            return path
        shutil.rmtree(path)
    return None


def _is_whole(state: Path) -> bool:
    try:
        json.loads(state.read_text())
    except (OSError, ValueError):
        return False
    return True


@contextmanager
def _told() -> Generator[None]:
    try:
        yield
    except torch.OutOfMemoryError as error:
        raise Refused(
            "the accelerator's memory is too small; set a smaller --row-tokens, teach fewer weights (--how lora, "
            f"--freeze), or take a smaller model ({str(error).partition('.')[0]})"
        ) from None
    except safetensors.SafetensorError as error:
        raise Refused(f"the weights cannot be written: {error}") from None
