"""Trajectories of a real multimodal engine. Random weights: what is written means nothing, that it was seen does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

pytest.importorskip("openai")
pillow = pytest.importorskip("PIL.Image")

from perception_reward.service.cli.annotations import app  # noqa: E402

# Starting an engine takes longer than other tests do.
pytestmark = [pytest.mark.vllm, pytest.mark.timeout(700)]

# The side of what is one token to the model.
TOKEN = 28


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def image(path: Path, width: int, height: int, colour: str) -> str:
    pillow.new("RGB", (width * TOKEN, height * TOKEN), colour).save(path)
    return path.name


def test_images_travel_to_the_model_and_are_counted(vision_server: Any, tmp_path: Path) -> None:
    images = {
        "small": [image(tmp_path / "small.png", 2, 2, "red")],
        "other": [image(tmp_path / "other.png", 2, 2, "blue")],
        "wide": [image(tmp_path / "wide.png", 5, 3, "red")],
        "both": ["small.png", "wide.png"],
        "scaled": [image(tmp_path / "large.png", 40, 40, "red")],
        "none": [],
    }
    problems = [{"id": name, "question": "Find AB.", "answer": "5", "images": names} for name, names in images.items()]
    source, made = tmp_path / "problems.jsonl", tmp_path / "made.jsonl"
    source.write_text("".join(json.dumps(one) + "\n" for one in problems), encoding="utf-8")
    arguments = ["--url", f"{vision_server.url}/v1", "--model", "tiny", "--max-tokens", "16", "--concurrency", "1"]
    arguments += ["--most-pixels", str(20 * 20 * TOKEN * TOKEN), "--text-only"]
    told = CliRunner().invoke(app, ["trajectories", str(source), str(made), *arguments])
    assert told.exit_code == 0, told.output
    # What the server has read of each request, in the order in which they were asked.
    read = dict(zip(images, (one["tokens"][0] for one in lines(tmp_path / "made.journal.jsonl")[1:]), strict=True))
    of_images = {name: count - read["none"] for name, count in read.items()}
    # Each image stands between two marks.
    assert of_images == {
        "small": 2 * 2 + 2,
        "other": 2 * 2 + 2,
        "wide": 5 * 3 + 2,
        "both": 2 * 2 + 5 * 3 + 4,
        "scaled": 20 * 20 + 2,
        "none": 0,
    }
    responses = {one["id"]: one["response"] for one in lines(made)} | {
        one["id"]: one["detail"] for one in lines(tmp_path / "made.dropped.jsonl")
    }
    assert len(responses) == len(images)
    # The same words about another colour, and about nothing, get other answers: the pixels were read.
    assert len({responses[name] for name in ("small", "other", "none")}) == 3
