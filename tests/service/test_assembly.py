from __future__ import annotations

import asyncio
import logging
from datetime import datetime, timezone
from pathlib import Path

import pytest

from perception_reward.annotations.figures import Counts, Figures
from perception_reward.annotations.file_store import FileStore
from perception_reward.annotations.jsonl import write_jsonl
from perception_reward.annotations.model import Annotation
from perception_reward.service.assembly import PRELOAD, assemble, preload_of
from perception_reward.service.judges.calibration import Adjustment, Calibration
from perception_reward.service.judges.symbolic.judge import SymbolicJudge
from perception_reward.service.settings import SettingsError, load
from perception_reward.trainer_client.wire import Fact, Origin, ScoreItem, ScoreRequest


def calibration(folder: Path, judge: str) -> str:
    file = folder / "calibration.json"
    file.write_text(Calibration(judge=judge, every=Adjustment(threshold=0.4)).model_dump_json())
    return str(file)


async def test_the_judge_is_calibrated_where_the_setting_says_so(tmp_path: Path):
    own = SymbolicJudge().info.fingerprint
    service = assemble(load(workers=1, judge_calibration=calibration(tmp_path, own)), preload=())
    async with service.running():
        assert service.judge.info.fingerprint.startswith(f"{own}+calibration/")


async def test_a_calibration_for_another_judge_ends_the_start_with_one_line(tmp_path: Path):
    service = assemble(load(workers=1, judge_calibration=calibration(tmp_path, "other/1")), preload=())
    with pytest.raises(SettingsError, match=r"fitted for the judge other/1"):
        async with service.running():
            pass


@pytest.mark.parametrize(
    ("origins", "level", "words"),
    [
        (("seen", "given"), logging.INFO, "without perception: 1 annotations"),
        (("given", "derived"), logging.WARNING, "no annotation has a seen fact"),
    ],
)
async def test_the_load_report_says_how_many_annotations_show_no_seeing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, origins: tuple[Origin, ...], level: int, words: str
):
    facts = [Fact(id="f", text="AB = 5.", origin=origin) for origin in origins]
    path = tmp_path / "annotations.jsonl"
    write_jsonl(path, [Annotation(id=fact.origin, facts=[fact]) for fact in facts])
    service = assemble(load(workers=1, annotations=str(path)), preload=())
    with caplog.at_level(logging.INFO, "perception_reward"):
        async with service.running():
            pass
    (record,) = [record for record in caplog.records if words in record.getMessage()]
    assert record.levelno == level


@pytest.mark.parametrize(("mark_given", "perception"), [(False, 0.5), (True, 0.0)])
async def test_what_the_question_gives_is_marked_at_the_start_where_the_setting_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, mark_given: bool, perception: float
):
    facts = [Fact(id="f1", text="Segment AB has length 5."), Fact(id="f2", text="Segment CD has length 8.")]
    path = tmp_path / "annotations.jsonl"
    write_jsonl(path, [Annotation(id="a", question="AB = 5. Find CD.", facts=facts)])
    service = assemble(load(workers=1, annotations=str(path), mark_given=mark_given), preload=())
    request = ScoreRequest(items=[ScoreItem(annotation_id="a", response="AB = 5. Find CD.")])
    with caplog.at_level(logging.INFO, "perception_reward"):
        async with service.running():
            answer = await service.scorer.score(request, asyncio.get_running_loop().time() + 60)
    assert answer.results[0].components["perception"] == perception
    assert f"{2 - mark_given} seen, 0 derived and {int(mark_given)} given" in caplog.text


@pytest.mark.parametrize("name", ["none.jsonl", "none.jsonl.gz", "none.parquet", "."])
async def test_annotations_that_cannot_be_read_are_named_with_their_setting_and_what_to_give(tmp_path: Path, name: str):
    service = assemble(load(workers=1, annotations=str(tmp_path / name)), preload=())
    with pytest.raises(SettingsError, match=r"--annotations.*\.jsonl, \.jsonl\.gz or \.parquet files") as error:
        async with service.running():
            pass
    assert str(tmp_path / name) in str(error.value)


@pytest.mark.parametrize("content", ["", "\n", "[]", "id,answer\n"])
async def test_files_without_an_annotation_are_refused(tmp_path: Path, content: str):
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text(content)
    service = assemble(load(workers=1, annotations=f"{tmp_path / 'a.csv'},{tmp_path / 'b.csv'}"), preload=())
    with pytest.raises(SettingsError, match=r"--annotations.*a\.csv, b\.csv: there is no annotation in it"):
        async with service.running():
            pass


@pytest.mark.parametrize("setting", ["judge_calibration", "audit"])
def test_a_file_that_holds_something_else_is_named_with_its_setting(tmp_path: Path, setting: str):
    file = tmp_path / "file.json"
    file.write_text("{}")
    with pytest.raises(SettingsError, match=setting) as error:
        assemble(load(workers=1, **{setting: str(file)}), preload=())
    assert str(file) in str(error.value)


async def test_annotations_that_were_never_evaluated_are_told_and_good_figures_are_not(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    path = tmp_path / "a.jsonl"
    annotation = Annotation(id="a", facts=[Fact(id="f", text="Segment AB has length 5.")])
    write_jsonl(path, [annotation])
    async with assemble(load(workers=1, annotations=str(path)), preload=()).running() as _:
        pass
    assert "never held against a gold standard" in caplog.text
    caplog.clear()
    store = FileStore([path])
    await store.start()
    version = (await store.header()).version or ""
    total = Counts(facts=9, right=9, gold=9, found=9)
    now = datetime(2026, 1, 1, tzinfo=timezone.utc)
    await store.record(
        Figures(version=version, gold="g", gold_version="w", method="symbolic", created=now, problems=1, total=total)
    )
    async with assemble(load(workers=1, annotations=str(path)), preload=()).running() as _:
        pass
    assert not [entry for entry in caplog.records if entry.levelno >= logging.WARNING]


def test_workers_import_the_public_codes_library_only_for_profiles_that_grade_with_it():
    assert preload_of(load(profile="perception-r1-parity")) == PRELOAD
    (left_out,) = set(PRELOAD) - set(preload_of(load()))
    assert left_out.endswith("warm_parity")
