"""`perception-reward annotations export`: from every form of store to every other, and back."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from perception_reward.service.cli.main import app

FACT = {"id": "f", "text": "Segment AB has length 5.", "kind": "length", "weight": 2.0}


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["annotations", *map(str, arguments)])


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "source.jsonl"
    rows = [{"id": "a", "answer": 5, "facts": [FACT]}, {"id": "b", "answer": ["1", "one"], "choices": {"A": "1"}}]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert run("evaluate", path, path, "--record").exit_code == 0
    return path


def test_a_store_goes_through_every_form_and_comes_back_the_same(
    tmp_path: Path, source: Path, start_redis: Callable[..., Any]
):
    redis_url, last = start_redis().url, tmp_path / "c.jsonl"
    steps = [source, tmp_path / "a.parquet", tmp_path / "folder", redis_url, tmp_path / "b.jsonl.gz", last]
    for one, other in pairwise(steps):
        done = run("export", one, other)
        assert done.exit_code == 0, done.stderr
        assert "2 annotations, version " in done.stdout
    assert last.read_bytes() == source.read_bytes()
    assert run("diff", source, redis_url).exit_code == 0
    assert run("validate", last).exit_code == 0


def test_what_is_there_is_replaced_only_with_force(tmp_path: Path, source: Path, start_redis: Callable[..., Any]):
    redis_url, other = start_redis().url, tmp_path / "other.jsonl"
    other.write_text(json.dumps({"id": "z", "facts": [FACT]}) + "\n")
    for to in (tmp_path / "a.parquet", tmp_path / "folder", redis_url):
        assert run("export", other, to, "--force").exit_code == 0
        refused = run("export", source, to)
        assert refused.exit_code in (1, 2)
        assert "--force" in refused.stderr
        assert run("export", source, to, "--force").exit_code == 0
        assert run("diff", source, to).exit_code == 0


def test_nothing_is_written_of_a_store_that_is_empty_or_not_there(tmp_path: Path):
    (tmp_path / "empty.jsonl").write_text("")
    assert "holds no annotation" in run("export", tmp_path / "empty.jsonl", tmp_path / "a.parquet").stderr
    assert run("export", tmp_path / "none.jsonl", tmp_path / "a.parquet").exit_code == 1
    assert "JSON Lines, not CSV" in run("export", tmp_path / "empty.jsonl", tmp_path / "a.csv").stderr
    assert not (tmp_path / "a.parquet").exists()
