"""Ray itself, on this machine: killed as a whole, robbed of an actor, fed what cannot be scored. `make test-ray`."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from perception_reward.service.batch.results import read_results

pytestmark = [pytest.mark.ray, pytest.mark.timeout(600)]
FACTS = [{"id": "f", "text": "Segment AB has length 5."}]


def rows(count: int) -> list[dict[str, Any]]:
    return [
        {"key": number, "response": f"{number} " * 300 + "AB = 5, \\boxed{5}", "answer": "5", "step": number % 3}
        for number in range(count)
    ]


def table(path: Path, records: list[dict[str, Any]], files: int = 8) -> Path:
    path.mkdir()
    for number in range(files):
        pq.write_table(pa.Table.from_pylist(records[number::files]), path / f"{number}.parquet")
    return path


def command(*arguments: object) -> list[str]:
    engine = ["--engine", "ray", "--ray-actors", "2", "--map", "id=key"]
    return [sys.executable, "-m", "perception_reward.service.cli", "score", *map(str, arguments), *engine]


def score(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command(*arguments), capture_output=True, text=True, timeout=500)


def found(out: Path) -> list[dict[str, Any]]:
    return pq.read_table(out).to_pylist()


def local(items: Path, out: Path) -> dict[str | None, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "perception_reward.service.cli", "score", str(items), str(out), "--map", "id=key"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return {one.id: one for one in read_results(out)}


def test_results_are_those_of_the_local_engine_and_a_finished_job_is_not_replaced(tmp_path: Path):
    items, out = table(tmp_path / "items", rows(600)), tmp_path / "results"
    done = score(items, out)
    assert done.returncode == 0, done.stderr[-2000:]
    assert "600 rows scored" in done.stderr
    here = local(items, tmp_path / "results.jsonl")
    ray = {one.id: one for one in read_results(out)}
    assert ray == here
    assert sorted(path.name for path in tmp_path.iterdir()) == ["items", "results", "results.jsonl"]
    again = score(items, out)
    assert again.returncode == 2
    assert "exists; name another folder, or pass --force" in again.stderr


@pytest.mark.parametrize("killed", ["driver", "actor"])
def test_what_is_killed_in_the_middle_loses_and_doubles_no_row(tmp_path: Path, killed: str):
    items, out = table(tmp_path / "items", rows(6_000), files=16), tmp_path / "results"
    process = subprocess.Popen(command(items, out), stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 300
    while not any(out.glob("*.parquet")):
        assert process.poll() is None, "it was killed too late"
        assert time.monotonic() < deadline
        time.sleep(0.05)
    if killed == "driver":
        process.kill()
        process.wait()
        done = score(items, out)
        assert done.returncode == 0, done.stderr[-2000:]
    else:
        os.kill(actors(process.pid)[0], signal.SIGKILL)
        assert process.wait(timeout=500) == 0
    keys = Counter(row["key"] for row in found(out))
    assert len(keys) == 6_000
    assert set(keys.values()) == {1}


def actors(driver: int) -> list[int]:
    import psutil

    below = psutil.Process(driver).children(recursive=True)
    return [one.pid for one in below if "MapWorker" in one.name() or "MapWorker" in " ".join(one.cmdline())]


def test_a_poisoned_row_and_a_judge_that_is_not_there_are_missing_rows(tmp_path: Path):
    records = [{**row, "facts": FACTS} for row in rows(40)]
    records[3]["response"] = None
    items, out = table(tmp_path / "items", records, files=1), tmp_path / "results"
    assert score(items, out).returncode == 0
    assert [row["key"] for row in found(out) if row["reason"] == "unreadable"] == [3]
    dead = score(items, tmp_path / "dead", "--judge", "openai:http://127.0.0.1:9#none", "--request-timeout", "5",
                 "--judge-tokenizer", "none")  # fmt: skip
    assert (dead.returncode, "every score is missing" in dead.stderr) == (3, True) or dead.returncode == 1, dead.stderr


@pytest.mark.parametrize(
    ("records", "options", "words"),
    [
        ([{**row, "key": row["key"] // 2} for row in rows(10)], [], "5 rows have a key that another row has"),
        (rows(10), ["--limit", "3"], "would choose other records when the job goes on"),
        (rows(10), ["--sample", "3"], "would choose other records when the job goes on"),
        (rows(10), ["--map", "id=none"], "have no column of ids"),
    ],
)
def test_a_job_that_could_not_go_on_is_refused(tmp_path: Path, records: Any, options: list[str], words: str):
    done = subprocess.run(
        [*command(table(tmp_path / "items", records, files=1), tmp_path / "results"), *options],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2, done.stderr[-2000:]
    assert words in " ".join(done.stderr.split())


def test_a_plan_for_which_ray_turns_the_checkpoint_off_is_refused(tmp_path: Path):
    ray = pytest.importorskip("ray")
    from ray.data.checkpoint import CheckpointConfig

    from perception_reward.service.batch.ray_engine import RayRefused, nothing_turned_off

    ray.init(num_cpus=1, logging_level="error")
    context = ray.data.DataContext.get_current()
    try:
        context.checkpoint_config = CheckpointConfig("key", str(tmp_path / "checkpoint"))
        with pytest.raises(RayRefused, match="without a checkpoint"), nothing_turned_off():
            ray.data.read_parquet(str(table(tmp_path / "items", rows(3), files=1))).materialize()
    finally:
        context.checkpoint_config = None
        ray.shutdown()
