"""`perception-reward annotations evaluate`: what is told, and where it is kept."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

from click.testing import Result
from typer.testing import CliRunner

from perception_reward.annotations.figures import Header
from perception_reward.annotations.file_store import FileStore
from perception_reward.service.cli.main import app


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["annotations", *map(str, arguments)])


def write(path: Path, **problems: list[str]) -> Path:
    rows: list[dict[str, Any]] = [
        {"id": name, "facts": [{"id": f"f{n}", "text": text, "kind": "length"} for n, text in enumerate(texts)]}
        for name, texts in problems.items()
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


async def header_of(path: Path) -> Header:
    store = FileStore([path])
    await store.start()
    return await store.header()


def test_figures_are_told_and_kept_in_the_header_and_the_rest_of_the_file_stays(tmp_path: Path):
    store = write(tmp_path / "store.jsonl", p=["Segment AB has length 5.", "Segment BC has length 8."])
    gold = write(tmp_path / "gold.jsonl", p=["Segment BA has length 5."], q=["Segment BA has length 5."])
    before = [json.loads(line) for line in store.read_text().splitlines()]
    done = run("evaluate", store, gold, "--record", "--differences", tmp_path / "told.txt")
    assert done.exit_code == 0, done.stderr
    assert ["length", "2", "1", "0.500", "1.000"] in [line.split() for line in done.stdout.splitlines()]
    assert "1 problems that only the gold standard has are left out, such as 'q'" in done.stdout
    assert (tmp_path / "told.txt").read_text() == "p: only in the store: Segment BC has length 8.\n"
    again = run("evaluate", store, gold, "--differences", tmp_path / "told.txt")
    assert (again.exit_code, "pass --force" in again.stderr) == (2, True)
    assert run("evaluate", store, gold, "--differences", store, "--force").exit_code == 2
    assert [json.loads(line) for line in store.read_text().splitlines()[1:]] == before
    header = asyncio.run(header_of(store))
    assert header.figures is not None
    assert (header.figures.total.precision, header.figures.version) == (0.5, header.version)
    checked = run("validate", store)
    assert (checked.exit_code, "evaluated against gold.jsonl (symbolic):" in checked.stdout) == (0, True)


def test_a_file_that_was_cut_since_its_header_was_written_is_no_valid_one(tmp_path: Path):
    store = write(tmp_path / "store.jsonl", p=["Segment AB has length 5."], q=["Segment BC has length 8."])
    assert run("evaluate", store, store, "--record").exit_code == 0
    store.write_text("".join(store.read_text().splitlines(keepends=True)[:2]))
    done = run("validate", store)
    assert (done.exit_code, "it was edited or cut short since" in done.stdout) == (1, True)


def test_a_judge_is_asked_of_what_is_left_over_only_where_it_is_named(tmp_path: Path):
    store = write(tmp_path / "store.jsonl", p=["The side joining A and B measures 5.", "BC = 9."])
    gold = write(tmp_path / "gold.jsonl", p=["Segment AB has length 5."])
    assert "0.000" in run("evaluate", store, gold).stdout
    judged = run("evaluate", store, gold, "--judge", "symbolic")
    assert judged.exit_code == 0, judged.stderr
    assert ["length", "2", "1", "0.500", "1.000"] in [line.split() for line in judged.stdout.splitlines()]
    assert "matched: symbolic, then symbolic (" in judged.stdout


def test_stores_without_a_problem_in_common_are_told(tmp_path: Path):
    done = run("evaluate", write(tmp_path / "a.jsonl", p=["A."]), write(tmp_path / "b.jsonl", q=["A."]))
    assert (done.exit_code, "have no problem in common" in done.stderr) == (1, True)
    assert run("evaluate", tmp_path / "none.jsonl", tmp_path / "b.jsonl").exit_code == 2


def test_problems_that_name_their_points_otherwise_are_told(tmp_path: Path):
    store = write(tmp_path / "store.jsonl", p=["Segment AB has length 5.", "AB is perpendicular to BC."])
    gold = write(tmp_path / "gold.jsonl", p=["Segment PQ has length 5.", "PQ is perpendicular to QR."])
    done = run("evaluate", store, gold)
    assert (
        "1 problems name their points otherwise than the gold standard, such as 'p' (A, B, C for P, Q, R)"
        in done.stdout
    )
