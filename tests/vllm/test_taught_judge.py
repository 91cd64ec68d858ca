"""A folder as `perception-reward judge train` writes it, served by its own settings on a real engine.

Teaching needs an environment of its own; here the folder is saved by what saves it there, with weights that are random.
"""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest

from perception_reward.service.judges.calibration import Adjustment, Calibration, Scale
from perception_reward.service.settings import Settings
from perception_reward.service.training.configuration import CALIBRATION, write_config

# Starting an engine takes longer than other tests do.
pytestmark = [pytest.mark.vllm, pytest.mark.timeout(900)]

SAVE = """
import sys
from transformers import AutoModelForCausalLM, AutoTokenizer
base, out = sys.argv[1:]
AutoModelForCausalLM.from_pretrained(base).save_pretrained(out)
AutoTokenizer.from_pretrained(base).save_pretrained(out)
"""
# Whatever a model of random weights says, read so it is sure of the fact.
SURE = Scale(bias=20.0)
ASKED = ("judge_evidence", "judge_grounding", "judge_language", "judge_scope", "max_response_chars")


@pytest.fixture
def taught(vllm_model: Path, vllm_python: str, tmp_path: Path) -> Path:
    folder = tmp_path / "judge"
    command = [vllm_python, "-c", SAVE, str(vllm_model), str(folder)]
    subprocess.run(command, check=True, capture_output=True, timeout=300)
    how = {name: Settings.model_fields[name].default for name in ASKED}
    judge = {"judge": f"cascade:vllm:{folder}", "judge_calibration": CALIBRATION}
    read = {"sure": Adjustment(stated=SURE, contradicted=Scale())}
    calibration = Calibration(judge=None, every=Adjustment(contradicted=Scale()), kinds=read)
    (folder / CALIBRATION).write_text(calibration.model_dump_json())
    write_config(folder / "judge.toml", judge | how, "As it was taught.")
    (folder / "audit").mkdir()
    (folder / "README.md").write_text("---\nlibrary_name: transformers\n---\n\n# A judge of visual facts\n")
    return folder


def test_a_taught_folder_is_served_by_its_settings_and_gives_verdicts(
    taught: Path,
    vllm_python: str,
    vllm_environment: dict[str, str],
    start_process: Any,
    monkeypatch: pytest.MonkeyPatch,
):
    for name, value in vllm_environment.items():
        monkeypatch.setenv(name, value)
    engine = ("--judge-engine-arg", "dtype=float32", "--judge-engine-arg", "enforce_eager=true")
    options = (*engine, "--judge-engine-arg", "max-model-len=4096", "--workers", "1", "--request-timeout", "400")
    service = start_process("--judge-config", str(taught / "judge.toml"), *options, python=vllm_python)
    facts = [
        {"id": "read", "text": "A dog lies on a sofa.", "kind": "sure"},
        {"id": "other", "text": "The lamp beside the sofa has 3 bulbs."},
        {"id": "unread", "text": "The kitchen has two windows."},
    ]
    item = {"response": "The brown dog sleeps on the sofa. A lamp is switched on beside it.", "facts": facts}
    reply = httpx.post(f"{service.url}/v1/score", json={"items": [item], "explain": True}, timeout=460)
    assert reply.status_code == 200, reply.text
    told = reply.json()
    assert told["judge"].startswith("cascade/")
    (result,) = told["results"]
    assert result["status"] == "ok", result
    read, other, unread = result["facts"]
    # By the rules alone, or by the model as it is, it would be far less likely.
    assert read["verdict"] == "stated"
    assert read["probability"] > 0.9
    assert "dog sleeps" in str(read["trace"])
    # By the model, but for what its settings keep from it: a text without the fact's number cannot state it.
    assert 0 < other["probability"] < 0.02
    assert unread["verdict"] == "absent"
