"""A tiny model taught for real: TRL, PEFT and torch, in an environment of their own."""

from __future__ import annotations

import asyncio
import math
import os
import signal
import subprocess
import sys
import time
from importlib.resources import as_file, files
from pathlib import Path

import pytest

from perception_reward.service.audit.figures import AuditReport
from perception_reward.service.judges.calibration import load_calibration
from perception_reward.service.settings import load
from perception_reward.trainer_client.wire import Fact

pytestmark = [pytest.mark.train, pytest.mark.timeout(900)]

# More threads than one get in one another's way on such a model.
ONE = os.environ | {"OMP_NUM_THREADS": "1"}
SMALL = [
    *("--most", "2", "--probes", "1", "--epochs", "2", "--held-out", "0.3"),
    *("--rows-a-step", "2", "--save-every", "2"),
]


def command(base: Path, out: Path, *more: str) -> list[str]:
    with as_file(files("perception_reward.service.demo") / "annotations.jsonl") as annotations:
        named = ["--annotations", str(annotations), "--row-tokens", "8192"]
    return [sys.executable, "-m", "perception_reward.service.cli", "judge", "train", str(base), str(out), *named, *more]


def taught(base: Path, out: Path, *more: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(command(base, out, *SMALL, *more), capture_output=True, text=True, timeout=600, env=ONE)
    assert done.returncode == 0, done.stderr
    return done


def weights(folder: Path) -> bytes:
    return (folder / "model.safetensors").read_bytes()


def answered(folder: Path) -> float:
    """The probability that a judge answers at all."""
    from perception_reward.service.judges.base import JudgeTask
    from perception_reward.service.judges.llm.engine import Choice
    from perception_reward.service.judges.llm.verdict import VerdictMethod
    from perception_reward.service.judges.llm.vocabulary import Vocabulary
    from perception_reward.service.training.engine import PlainEngine
    from perception_reward.service.training.fitting import load as load_model

    method = VerdictMethod()
    method.load(Vocabulary(str(folder)))
    ask = method.render(JudgeTask("AB = 5.", (Fact(id="f", text="Segment AB has length 5."),))).ask
    assert isinstance(ask, Choice)
    (odds,) = asyncio.run(PlainEngine(load_model(str(folder), exact=True), "m").choose(ask, "", 0.0))
    return sum(math.exp(value) for value in odds.values())


@pytest.fixture(scope="module")
def whole(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("taught") / "judge"
    taught(tiny_model, out)
    return out


def test_the_folder_holds_a_model_that_loads_its_tokenizer_and_a_card(whole: Path, tiny_model: Path):
    from transformers import AutoModelForCausalLM, AutoTokenizer

    AutoModelForCausalLM.from_pretrained(whole)
    assert AutoTokenizer.from_pretrained(whole).chat_template
    assert weights(whole) != weights(tiny_model)
    card = (whole / "README.md").read_text(encoding="utf-8")
    for said in (
        "license: apache-2.0",
        "| paraphrase |",
        "| starting: chart |",
        "| content-free |",
        "three-way accuracy",
    ):
        assert said in card
    for name in ("base.json", "report.json"):
        AuditReport.model_validate_json((whole / "audit" / name).read_bytes())
    told = load(judge_config=whole / "judge.toml")
    assert told.judge == f"cascade:vllm:{whole}"
    assert told.judge_calibration == whole / "calibration.json"
    assert load_calibration(told.judge_calibration).judge is None
    assert not (whole / "training").exists()


def test_a_run_that_was_killed_ends_with_the_weights_of_one_that_was_not(whole: Path, tiny_model: Path, tmp_path: Path):
    out = tmp_path / "judge"
    process = subprocess.Popen(
        command(tiny_model, out, *SMALL),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        env=ONE,
    )
    until = time.monotonic() + 300
    while not list(out.glob("training/checkpoint-*/trainer_state.json")) and process.poll() is None:
        assert time.monotonic() < until
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert not (out / "README.md").exists()
    assert ", from checkpoint-" in taught(tiny_model, out).stderr
    assert weights(out) == weights(whole)


def test_all_weights_can_be_taught_but_those_of_frozen_layers(tiny_model: Path, tmp_path: Path):
    from safetensors.torch import load_file

    out = tmp_path / "judge"
    taught(tiny_model, out, "--how", "full", "--freeze", "1", "--learning-rate", "0.01")
    before, after = (load_file(folder / "model.safetensors") for folder in (tiny_model, out))
    moved = {name for name in before if not before[name].equal(after[name])}
    assert any(".layers.1." in name for name in moved)
    assert not any(".layers.0." in name or "embed" in name for name in moved)
    # Of 512 tokens it has learnt that three are answers.
    assert answered(out) > 5 * answered(tiny_model)


def test_what_cannot_be_taught_is_told_in_a_line(tiny_model: Path, tmp_path: Path):
    done = subprocess.run(command(tiny_model, tmp_path / "judge", "--freeze", "2"), capture_output=True, text=True)
    assert done.returncode == 1
    assert "has 2 layers; --freeze leaves at least one" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_calibration_that_does_no_better_leaves_the_models_word_as_it_is():
    from perception_reward.service.judges.base import JudgeInfo, Verdict
    from perception_reward.service.training.course import calibration_of

    calibration, worth = calibration_of([], JudgeInfo("plain", "m", "verdict", "plain/verdict/0"), seed=0)
    assert (calibration.judge, worth) == (None, None)
    said = Verdict("contradicted", 0.2, certainty=0.7, contradiction=0.7)
    assert calibration.reading(Fact(id="f", text="The cup is red."))(said).probability == pytest.approx(0.2)
