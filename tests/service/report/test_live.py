"""Figures while results come in."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from perception_reward.service.metrics import Metrics, samples
from perception_reward.service.report.compare import Rule
from perception_reward.service.report.live import Figures, Growing, History, NotResults, of_metrics
from perception_reward.trainer_client.wire import Components, ItemResult


def result(accuracy: float | None, perception: float) -> ItemResult:
    return ItemResult(
        id=None,
        status="missing" if accuracy is None else "ok",
        score=None if accuracy is None else accuracy + perception,
        components=Components(format=1.0, accuracy=accuracy, perception=perception, repetition=-0.5),
        facts=None,
        reason="judge_timeout" if accuracy is None else None,
    )


def line(accuracy: float | None, perception: float) -> str:
    return result(accuracy, perception).model_dump_json() + "\n"


def test_a_run_is_read_out_of_what_a_service_counts():
    metrics = Metrics()
    metrics.scored("perception-r1", "mine", [result(1.0, 0.5), result(0.0, 0.25), result(None, 0.0)])
    metrics.scored("perception-r1", "other", [result(0.0, 0.0)])
    found, runs = of_metrics(samples(metrics.exposition().decode()), "mine")
    assert runs == {"mine", "other"}
    assert (found.items, found.missing) == (3, {"judge_timeout": 1})
    assert (found.mean("accuracy"), found.mean("repetition")) == (0.5, -0.5)
    assert found.mean("score") is None
    assert of_metrics(samples(metrics.exposition().decode()), None)[0].items == 4


def test_a_file_is_read_on_from_where_it_was_and_half_a_line_waits(tmp_path: Path):
    part = tmp_path / "results.jsonl.part"
    part.write_text(line(1.0, 1.0) + line(0.0, 1.0)[:20], encoding="utf-8")
    file = Growing(str(tmp_path / "results.jsonl"), Rule())
    assert file.read().items == 1
    with part.open("a", encoding="utf-8") as out:
        out.write(line(0.0, 1.0)[20:] + line(None, 0.0))
    found = file.read()
    assert (found.items, found.mean("accuracy"), found.missing) == (3, 0.5, {"judge_timeout": 1})
    assert found.quadrants == {(True, True): 1, (False, True): 1}
    part.rename(tmp_path / "results.jsonl")
    assert file.read() == found


def test_a_file_that_begins_anew_is_read_anew(tmp_path: Path):
    path = tmp_path / "results.jsonl"
    path.write_text(line(1.0, 1.0) * 3, encoding="utf-8")
    file = Growing(str(path), Rule())
    assert file.read().items == 3
    path.write_text(line(0.0, 0.0), encoding="utf-8")
    assert (file.read().items, file.read().mean("accuracy")) == (1, 0.0)


@pytest.mark.parametrize("content", [b'{"response": "x"}\n', b"\x1f\x8b\x08 packed\n", b"[1]\n"])
def test_what_is_no_file_of_results_is_told(tmp_path: Path, content: bytes):
    path = tmp_path / "other.jsonl"
    path.write_bytes(content)
    with pytest.raises(NotResults, match=r"other.jsonl"):
        Growing(str(path), Rule()).read()


def figures(items: int, total: float) -> Figures:
    return Figures(items, sums={"accuracy": total}, counts={"accuracy": items})


def test_lately_is_what_came_within_the_window():
    history = History(window=10)
    for at, items, total in ((0, 10, 0.0), (6, 20, 5.0), (12, 30, 15.0)):
        history.add(at, figures(items, total))
    assert history.now.mean("accuracy") == 0.5
    assert history.course("accuracy") == [0.5, 1.0]
    history.add(18, figures(40, 25.0))
    assert (history.lately().items, history.lately().mean("accuracy")) == (20, 1.0)
    assert history.rate() == pytest.approx(20 / 12)


def test_a_service_that_starts_again_counts_from_nothing():
    history = History(window=10)
    history.add(0, figures(100, 50.0))
    history.add(2, figures(5, 5.0))
    assert (history.restarts, history.now.mean("accuracy"), history.lately().items) == (1, 1.0, 0)


def test_no_item_is_no_figure():
    empty: Any = History(window=10)
    assert (empty.rate(), empty.course("accuracy"), empty.lately().mean("accuracy")) == (0.0, [], None)
    assert json.loads(line(None, 0.0))["score"] is None


def test_a_folder_is_watched_with_what_is_packed_and_what_is_half_written(tmp_path: Path):
    lines = [json.dumps({"id": str(n), "score": 1.0, "accuracy": 1.0}).encode() + b"\n" for n in range(6)]
    watched = Growing(str(tmp_path), Rule())
    with pytest.raises(FileNotFoundError):
        watched.read()
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(b"".join(lines[:2])))
    (tmp_path / "b.jsonl").write_bytes(lines[2])
    (tmp_path / "c.jsonl.part").write_bytes(lines[3] + lines[4][:9])
    (tmp_path / "c.jsonl.missing.jsonl.part").write_bytes(b'{"line": 1}\n')
    assert watched.read().items == 4
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(b"".join(lines[:3])))
    (tmp_path / "b.jsonl").unlink()
    (tmp_path / "c.jsonl.part").write_bytes(b"".join(lines[3:]))
    (tmp_path / "c.jsonl.part").replace(tmp_path / "c.jsonl")
    assert (watched.read().items, watched.read().mean("accuracy")) == (7, 1.0)
