from __future__ import annotations

from pathlib import Path

from perception_reward.service.settings import read_judge_config
from perception_reward.service.training.configuration import write_config


def test_what_is_written_is_what_is_read(tmp_path: Path):
    settings = {"judge": 'vllm:/m "two" \\ ü\n', "judge_evidence": "whole", "max_response_chars": 4096}
    path = tmp_path / "judge.toml"
    write_config(path, settings, "Chosen on 12 pairs.\nOf two lines.")
    assert read_judge_config(path) == settings
    assert path.read_text(encoding="utf-8").startswith("# Chosen on 12 pairs.\n# Of two lines.\n")
