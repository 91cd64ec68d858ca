"""Ray itself, on this machine: killed as a whole, robbed of an actor, fed what cannot be scored. `make test-ray`."""

from __future__ import annotations

import json
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
# So many that most of them are still to be scored when the first are written.
MANY = 40_000
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
def test_what_is_killed_in_the_middle_loses_doubles_and_changes_no_row(tmp_path: Path, killed: str):
    items, out = table(tmp_path / "items", rows(MANY), files=48), tmp_path / "results"
    process = subprocess.Popen(command(items, out), stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 300
    while not any(out.glob("*.parquet")):
        assert process.poll() is None, "it was killed too late"
        assert time.monotonic() < deadline
        time.sleep(0.05)
    if killed == "driver":
        process.kill()
        process.wait()
        assert (tmp_path / "results.checkpoint").is_dir(), "it was killed too late"
        done = score(items, out)
        assert done.returncode == 0, done.stderr[-2000:]
        assert f"{MANY} rows scored" in done.stderr
    else:
        os.kill(actors(process.pid)[0], signal.SIGKILL)
        assert process.wait(timeout=500) == 0
    keys = Counter(row["key"] for row in found(out))
    assert len(keys) == MANY
    assert set(keys.values()) == {1}
    assert {one.id: one for one in read_results(out)} == local(items, tmp_path / "results.jsonl")


def actors(driver: int) -> list[int]:
    import psutil

    below = psutil.Process(driver).children(recursive=True)
    return [one.pid for one in below if "MapWorker" in one.name() or "MapWorker" in " ".join(one.cmdline())]


def test_a_poisoned_row_is_missing_with_its_fault_and_its_neighbours_are_scored(tmp_path: Path):
    records = [{**row, "facts": FACTS} for row in rows(40)]
    records[3]["response"] = None
    records[4]["response"] = "AB = 5"
    items, out = table(tmp_path / "items", records, files=1), tmp_path / "results"
    done = score(items, out, "--explain")
    assert done.returncode == 0, done.stderr[-2000:]
    assert "40 rows scored" in done.stderr
    assert "1 missing" in done.stderr
    there = {row["key"]: row for row in found(out)}
    assert {key for key, row in there.items() if row["status"] == "missing"} == {3}
    assert there[3]["reason"] == "unreadable"
    assert "response" in json.loads(there[3]["extra"])["fault"]
    (fact,) = json.loads(there[4]["explained"])["facts"]
    assert (fact["text"], fact["verdict"], fact["words"]) == (FACTS[0]["text"], "stated", "AB = 5")


@pytest.mark.parametrize(
    ("options", "status", "words"),
    [
        (["--url", "http://127.0.0.1:9"], 1, "http://127.0.0.1:9"),
        (["--judge", "no-such"], 2, "no judge is called 'no-such'"),
        (["--judge", "openai:http://127.0.0.1:9#none", "--judge-tokenizer", "/none"], 1, "Ray has given up"),
    ],
)
def test_a_judge_that_no_actor_could_start_with_is_told_in_a_line(
    tmp_path: Path, options: list[str], status: int, words: str
):
    done = score(table(tmp_path / "items", rows(10), files=1), tmp_path / "results", *options)
    assert done.returncode == status, done.stderr[-2000:]
    assert words in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr


def test_a_full_disk_ends_the_job_in_a_line_and_it_goes_on_once_there_is_room(tmp_path: Path):
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(disk)], capture_output=True).returncode:
        pytest.skip("no file system can be mounted here")
    try:
        items, out = table(tmp_path / "items", rows(6_000), files=16), disk / "results"
        done = score(items, out, "--explain")
        assert done.returncode == 1, done.stderr[-2000:]
        assert "error: Ray has given up: " in done.stderr
        assert "No space left on device" in done.stderr.splitlines()[-1]
        subprocess.run(["mount", "-o", "remount,size=64m", str(disk)], check=True)
        done = score(items, out, "--explain")
        assert done.returncode == 0, done.stderr[-2000:]
        assert Counter(row["key"] for row in found(out)) == Counter(range(6_000))
    finally:
        subprocess.run(["umount", str(disk)], check=True)


@pytest.mark.parametrize(
    ("records", "options", "words"),
    [
        ([{**row, "key": row["key"] // 2} for row in rows(10)], [], "5 rows have a key that another row has"),
        (rows(10), ["--limit", "3"], "would choose other records when the job goes on"),
        (rows(10), ["--sample", "3"], "would choose other records when the job goes on"),
        (rows(10), ["--map", "id=none"], "have no column of ids"),
        ([{"key": n, "response": ["a", "b"]} for n in range(3)], ["--map", "response=response.*"], "several responses"),
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
