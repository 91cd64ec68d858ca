"""One of the processes of a training run with TRL; torchrun starts them.

    train_in_processes.py MODEL SAID TOLD

MODEL: the folder of a model and its tokenizer. SAID: a JSON file with what the completions of each step are taken to
be, a list for each process, so that the rewards are known beforehand; null belongs to an annotation that the service
does not have. TOLD: the folder into which each process writes what it saw. MISSPELT_IN, in the environment: the process
whose column has another name.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import datasets
import transformers
import trl

from perception_reward.trainer_client.trainers.trl import reward

model, said, told = sys.argv[1], json.loads(Path(sys.argv[2]).read_text()), Path(sys.argv[3])
process, processes = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
# The service of the tests outlives a run: each has labels of its own.
os.environ["PERCEPTION_REWARD_RUN"] = f"{os.environ.get('MISSPELT_IN', 'process')}-{process}"
seen: dict[str, Any] = {"rewards": [], "advantages": [], "extra": []}


def perception_reward(prompts: Any, completions: Any, trainer_state: Any, **columns: Any) -> list[float | None]:
    """TRL's call, about what was said, and what it returned."""
    texts = said[trainer_state.global_step][process]
    assert len(texts) == len(completions)
    name = "problem_id" if os.environ.get("MISSPELT_IN") == str(process) else "annotation_id"
    del columns["annotation_id"]
    columns |= {name: ["unknown" if text is None else "triangle/1" for text in texts], "answer": ["13"] * len(texts)}
    answers = [[{"role": "assistant", "content": text or ""}] for text in texts]
    seen["rewards"].append(reward(prompts, answers, trainer_state=trainer_state, **columns))
    return seen["rewards"][-1]


class Seen(transformers.TrainerCallback):
    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        logged = trainer._logs
        seen["advantages"].append(list(logged["advantages"]))
        seen["extra"].append({name: list(values) for name, values in logged["extra"].items()})


trainer = trl.GRPOTrainer(
    model,
    reward_funcs=perception_reward,
    args=trl.GRPOConfig(
        output_dir=str(told / "run"),
        # A group for all processes together.
        num_generations=sum(map(len, said[0])),
        per_device_train_batch_size=len(said[0][process]),
        max_completion_length=8,
        max_steps=len(said),
        logging_steps=1,
        report_to=[],
        use_cpu=True,
        save_strategy="no",
        beta=0.0,
    ),
    train_dataset=datasets.Dataset.from_list(
        [{"prompt": [{"role": "user", "content": "What is AC?"}], "annotation_id": "triangle/1"}] * 4
    ),
    callbacks=[Seen()],
)
trainer.train()
assert trainer.accelerator.num_processes == processes
seen["history"] = [entry for entry in trainer.state.log_history if "reward" in entry]
(told / f"{process}.json").write_text(json.dumps(seen))
