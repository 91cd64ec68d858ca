from __future__ import annotations

import stat
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from perception_reward.service import rollout_log
from perception_reward.service.cli.main import app
from perception_reward.service.report.compare import Rule
from perception_reward.service.report.live import Growing
from perception_reward.service.report.rows import Results
from perception_reward.service.rollout_log import RolloutLog
from perception_reward.trainer_client.wire import Components, ItemResult, ScoreRequest

COMPONENTS = Components(format=1.0, accuracy=1.0, perception=None, repetition=0.0)


def request(groups: int, rollouts: int = 4, step: int = 1) -> ScoreRequest:
    items = [{"response": f"{g}.{n}", "group": f"group-{g}"} for g in range(groups) for n in range(rollouts)]
    return ScoreRequest.model_validate({"run": "r", "step": step, "items": items})


def results(body: ScoreRequest) -> list[tuple[int, ItemResult]]:
    blank = ItemResult(id=None, status="ok", score=1.0, components=COMPONENTS, facts=None, reason=None)
    return [(index, blank) for index in range(len(body.items))]


def counted() -> tuple[Counter[str], Callable[[str, int], None]]:
    counts: Counter[str] = Counter()

    def count(outcome: str, number: int) -> None:
        counts[outcome] += number

    return counts, count


def test_whole_groups_are_taken_and_about_as_many_as_asked_for(tmp_path: Path):
    counts, count = counted()
    log = RolloutLog(tmp_path, 0.2, 64, count)
    body = request(500)
    log.add(body, results(body))
    log.close()
    (file,) = tmp_path.iterdir()
    sizes = Counter(row.field("group") for row in Results([str(file)]))
    assert set(sizes.values()) == {4}
    assert 60 <= len(sizes) <= 140
    assert counts == {"written": 4 * len(sizes)}
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_the_oldest_files_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    seconds = iter(range(10_000))
    monkeypatch.setattr(rollout_log.time, "strftime", lambda *_: f"{next(seconds):05}")
    counts, count = counted()
    log = RolloutLog(tmp_path, 1.0, 8, count)
    body = request(1, rollouts=1)
    body.items[0] = body.items[0].model_copy(update={"response": "x" * 2_000_000})
    for _ in range(30):
        log.add(body, results(body))
    log.close()
    sizes = [file.stat().st_size for file in tmp_path.iterdir()]
    assert len(sizes) == rollout_log.FILES
    assert counts == {"written": 30}


def test_a_disk_that_fails_costs_rows_which_are_counted_and_told_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
):
    counts, count = counted()
    log = RolloutLog(tmp_path, 1.0, 8, count)
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("this system has no /dev/full")
    log._file.close()
    monkeypatch.setattr(log, "_file", full.open("ab", buffering=0))
    body = request(2)
    for _ in range(3):
        log.add(body, results(body))
    log.close()
    assert counts == {"dropped": 24}
    assert caplog.text.count("rollouts are not logged") == 1


async def test_what_is_scored_is_found_in_the_files(serve: Callable[..., Any], tmp_path: Path):
    here = await serve(rollout_log=tmp_path / "log", rollout_log_share=1.0)
    body = {
        "run": "geo", "step": 3,
        "items": [{"id": "a", "group": "g", "response": "AB = 5 \ufffd", "answer": 5,
                   "facts": [{"id": "f", "text": "AB = 5."}]}],
    }  # fmt: skip
    async with httpx.AsyncClient(base_url=here.url) as client:
        assert (await client.post("/v1/score", json=body)).status_code == 200
        assert (await client.post("/v1/score/stream", json=body)).status_code == 200
    here.service.rollout_log.close()
    (file,) = (tmp_path / "log").iterdir()
    rows = list(Results([str(file)]))
    assert len(rows) == 2
    for row in rows:
        told = {name: row.field(name) for name in ("id", "run", "step", "group", "answer")}
        assert told == {"id": "a", "run": "geo", "step": "3", "group": "g", "answer": "5"}
        assert str(row.field("response")).startswith("AB = 5 ")
        assert [(fact.id, fact.text) for fact in row.facts] == [("f", "AB = 5.")]


async def test_a_report_and_a_look_take_the_folder_as_it_is(serve: Callable[..., Any], tmp_path: Path):
    here = await serve(rollout_log=tmp_path / "log", rollout_log_share=1.0)
    fact = {"id": "f", "text": "Segment AB has length 5."}
    said = ("Segment AB has length 5.", "Segment AB has length 7.")
    items = [{"id": f"{n}", "group": "g", "response": text, "facts": [fact]} for n, text in enumerate(said)]
    async with httpx.AsyncClient(base_url=here.url) as client:
        assert (await client.post("/v1/score", json={"run": "geo", "step": 3, "items": items})).status_code == 200
    here.service.rollout_log.close()
    folder, page = str(tmp_path / "log"), tmp_path / "page.html"
    done = CliRunner().invoke(app, ["report", f"geo={folder}", "-o", str(page)])
    assert done.exit_code == 0, done.output
    for part in ("Rewards of geo", "Segment AB has length 7.", "2 rollouts"):
        assert part in page.read_text(encoding="utf-8")
    assert Growing(folder, Rule()).read().items == 2
