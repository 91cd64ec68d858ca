"""What stands on the disk at every moment: safe at a commit, cut back to one after a kill, whole at the end."""

from __future__ import annotations

import errno
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from perception_reward.annotations.outputs import OutputRefused, part_of
from perception_reward.service.batch import outputs
from perception_reward.service.batch.chunks import Chunk, Scored, Tally
from perception_reward.service.batch.layouts import OURS
from perception_reward.service.batch.outputs import Output, missing_of
from perception_reward.service.batch.results import line_of, packed_rows, read_results, row_of
from perception_reward.service.batch.rollouts import Rollout
from perception_reward.trainer_client.wire import Components, ItemResult, ScoreItem

PLAN = {"judge": "one", "--limit": "None"}
PARTS = Components(format=1.0, accuracy=None, perception=None, repetition=0.0)
NAMES = ["results.jsonl", "results.jsonl.gz", "results.jsonl.zst", "results.parquet"]


@pytest.fixture(autouse=True)
def _by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is committed unless a test says so."""
    monkeypatch.setattr(outputs, "EVERY", 3600)


def piece(number: int, out: Path, *, missing: bool = False) -> tuple[Chunk, Scored]:
    """One rollout and its result."""
    rollout = Rollout(ScoreItem(id=f"r-{number}", response="x"), {"n": number}, step=number)
    reason = "judge_timeout" if missing else None
    result = ItemResult(
        id=f"r-{number}",
        status="missing" if missing else "ok",
        score=None if missing else 0.5,
        components=PARTS,
        facts=None,
        reason=reason,
    )
    tally = Tally()
    tally.add([result])
    made = packed_rows([row_of(rollout, result, None)]) if out.suffix == ".parquet" else line_of(rollout, result, None)
    side: list[dict[str, Any]] = [{"line": 0, "id": result.id, "reason": reason}] if missing else []
    data = made.encode() if isinstance(made, str) else made
    return Chunk(0, "a.jsonl", "line", OURS, [(number + 1, {})], (0, number + 1)), Scored([data], 1, tally, side)


def test_a_table_has_the_components_of_the_profile_also_where_a_part_does_not_know_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    out = tmp_path / "results.parquet"
    with Output(out, PLAN, replace=False) as output:
        for number, parts in enumerate([PARTS, {**PARTS, "mine": 0.25}, PARTS]):
            monkeypatch.setitem(globals(), "PARTS", parts)
            output.write(*piece(number, out))
            output.commit()
        output.finish()
    assert [result.components.get("mine") for result in read_results(out)] == [None, 0.25, None]
    assert all(result.components["format"] == PARTS["format"] for result in read_results(out))


def ids(out: Path) -> list[str | None]:
    return [result.id for result in read_results(out)]


@pytest.mark.parametrize("name", NAMES)
def test_a_run_goes_on_behind_the_last_commit_of_one_that_was_killed(tmp_path: Path, name: str):
    out = tmp_path / name
    with Output(out, PLAN, replace=False) as output:
        for number in range(3):
            output.write(*piece(number, out, missing=number == 1))
        output.commit()
        output.write(*piece(3, out, missing=True))
        # Killed here: what is behind the commit may be on the disk or not.
    if part_of(out).is_file():
        with part_of(out).open("ab") as torn:
            torn.write(b"torn")
    else:
        (part_of(out) / "00000001.parquet").write_bytes(b"torn")
    assert not out.exists()
    with Output(out, PLAN, replace=False) as output:
        assert (output.done.place, output.done.records, output.done.tally.items) == (3, 3, 3)
        for number in range(3, 6):
            output.write(*piece(number, out, missing=number == 4))
        output.finish()
    assert ids(out) == [f"r-{number}" for number in range(6)]
    side = [json.loads(line) for line in missing_of(out).read_text().splitlines()]
    assert [(row["line"], row["id"]) for row in side] == [(1, "r-1"), (4, "r-4")]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([name, missing_of(out).name])


def test_results_of_a_table_keep_every_field(tmp_path: Path):
    for name in ("results.jsonl", "results.parquet"):
        with Output(tmp_path / name, PLAN, replace=False) as output:
            output.write(*piece(0, tmp_path / name, missing=True))
            output.write(*piece(1, tmp_path / name))
            output.finish()
    assert list(read_results(tmp_path / "results.jsonl")) == list(read_results(tmp_path / "results.parquet"))


def test_a_part_of_another_plan_is_refused_and_replaced_by_force(tmp_path: Path):
    out = tmp_path / "results.jsonl"
    with Output(out, PLAN, replace=False) as output:
        output.write(*piece(0, out))
        output.commit()
    other = {**PLAN, "judge": "two"}
    with pytest.raises(OutputRefused, match=r"begun with another judge; .* --force"):
        Output(out, other, replace=False)
    with Output(out, other, replace=True) as output:
        assert output.done.records == 0


def test_a_part_that_nothing_tells_of_is_not_replaced_unasked(tmp_path: Path):
    out = tmp_path / "results.jsonl"
    part_of(out).write_text("somebody's", encoding="utf-8")
    with pytest.raises(OutputRefused, match="move it away, or pass --force"):
        Output(out, PLAN, replace=False)
    assert part_of(out).read_text(encoding="utf-8") == "somebody's"


@pytest.mark.parametrize("name", ["results.jsonl", "results.parquet"])
def test_two_runs_do_not_write_one_file(tmp_path: Path, name: str):
    with (
        Output(tmp_path / name, PLAN, replace=False),
        pytest.raises(OutputRefused, match="being written by another run"),
    ):
        Output(tmp_path / name, PLAN, replace=False)


def test_a_kill_between_the_two_names_loses_nothing(tmp_path: Path):
    out = tmp_path / "results.jsonl"
    with Output(out, PLAN, replace=False) as output:
        output.write(*piece(0, out, missing=True))
        output.commit()
    part_of(missing_of(out)).replace(missing_of(out))
    with Output(out, PLAN, replace=False) as output:
        output.finish()
    assert len(missing_of(out).read_text().splitlines()) == len(ids(out)) == 1


def test_a_side_table_without_a_row_is_not_there(tmp_path: Path):
    out = tmp_path / "results.jsonl"
    missing_of(out).write_text("of an earlier run\n", encoding="utf-8")
    with Output(out, PLAN, replace=True) as output:
        output.write(*piece(0, out))
        output.finish()
    assert [path.name for path in tmp_path.iterdir()] == ["results.jsonl"]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 kB."""
    (disk := tmp_path / "disk").mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)], capture_output=True)
    if mounted.returncode:
        pytest.skip("file systems cannot be mounted here")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


@pytest.mark.parametrize("name", ["results.jsonl", "results.parquet"])
def test_a_full_disk_loses_nothing(small_disk: Path, name: str):
    out, ballast = small_disk / name, small_disk / "ballast"
    with Output(out, PLAN, replace=False) as output:
        output.write(*piece(0, out))
        output.commit()
        ballast.write_bytes(os.urandom(1 << 12))
        with pytest.raises(OSError, match="No space left") as caught:  # noqa: PT012
            for number in range(1, 10_000):
                output.write(*piece(number, out))
                output.commit()
    assert caught.value.errno == errno.ENOSPC
    subprocess.run(["mount", "-o", "remount,size=1m", str(small_disk)], check=True)
    with Output(out, PLAN, replace=False) as output:
        reached = output.done.records
        assert reached > 0
        output.write(*piece(reached, out))
        output.finish()
    assert ids(out) == [f"r-{number}" for number in range(reached + 1)]
