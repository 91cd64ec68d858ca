"""The file of a judge's settings that `--judge-config` reads."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from perception_reward.annotations.outputs import written

# The file of a taught model's calibration, in its folder.
CALIBRATION = "calibration.json"


def write_config(path: Path, settings: Mapping[str, object], comment: str, *, replace: bool = True) -> None:
    """TOML with `settings`, texts and numbers, under a comment of whole lines."""
    lines = [f"# {line}" for line in comment.splitlines()]
    # A string or number of JSON is one of TOML.
    lines += [f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in settings.items()]
    with written(path, replace=replace) as part:
        part.write_text("\n".join(lines) + "\n", encoding="utf-8")
