from __future__ import annotations

from pathlib import Path

from typer.testing import CliRunner

from perception_reward.annotations.jsonl import write_jsonl
from perception_reward.annotations.model import Annotation
from perception_reward.service.cli.annotations import app
from perception_reward.trainer_client.wire import Fact


def test_stats_counts_over_all_files(tmp_path: Path) -> None:
    one, other = tmp_path / "one.jsonl", tmp_path / "other.jsonl"
    write_jsonl(one, [Annotation(id="a", facts=[Fact(id="f", text="AB = 5.", kind="length")])])
    write_jsonl(other, [Annotation(id="b", facts=[Fact(id="f", text="AB = 5.", kind="length", origin="given")])])
    done = CliRunner().invoke(app, ["stats", str(one), str(other)])
    assert done.exit_code == 0
    assert "2 annotations with 1 seen, 0 derived and 1 given facts" in done.output
    assert "without a seen fact, and so without perception: 1 annotations" in done.output


def test_stats_of_a_file_with_faults_names_them(tmp_path: Path) -> None:
    path = tmp_path / "wrong.jsonl"
    path.write_text('{"id": "a", "facts": [{"id": "f"}]}\n', encoding="utf-8")
    done = CliRunner().invoke(app, ["stats", str(path)])
    assert done.exit_code == 1
    assert "wrong.jsonl line 1: fact 'f' has no text" in done.output
