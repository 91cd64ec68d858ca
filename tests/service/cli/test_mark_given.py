"""What `annotations mark-given` finds out is written whole or not at all, and a run that was cut short goes on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from perception_reward.annotations.jsonl import read_annotations, to_json, write_jsonl
from perception_reward.annotations.model import Annotation
from perception_reward.service.cli import mark_given
from perception_reward.service.cli.annotations import app
from perception_reward.service.cli.mark_given import Marks, mark_file
from perception_reward.service.judges.base import Missing, Verdict
from perception_reward.trainer_client.wire import Fact


def problem(name: str, question: str | None = "AB = 5. Find x.") -> Annotation:
    facts = [Fact(id="f1", text="Segment AB has length 5."), Fact(id="f2", text="Segment CD has length 8.")]
    return Annotation(id=name, question=question, facts=facts)


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["mark-given", *map(str, arguments), "--workers", "1"])


def origins(path: Path) -> dict[str, list[str]]:
    return {one.id: [fact.origin for fact in one.facts] for one in read_annotations(path).values()}


def test_the_facts_that_the_question_gives_are_marked(tmp_path: Path) -> None:
    source, out = tmp_path / "in.jsonl", tmp_path / "out.jsonl.gz"
    write_jsonl(source, [problem("b"), problem("a", "Find x."), problem("c", None), problem("d", "AB = 6.")])
    before = source.read_bytes()
    done = run(source, out)
    assert done.exit_code == 0, done.output
    assert "2 facts marked that the question gives, 1 of them because it says otherwise" in done.output
    assert "4 annotations with 6 seen, 0 derived and 2 given facts" in done.output
    assert origins(out) == {
        "b": ["given", "seen"],
        "a": ["seen", "seen"],
        "c": ["seen", "seen"],
        "d": ["given", "seen"],
    }
    assert list(origins(out)) == ["b", "a", "c", "d"]
    assert source.read_bytes() == before
    assert names(tmp_path) == ["in.jsonl", "out.jsonl.gz"]


def test_nothing_is_replaced_unasked_and_the_input_never(tmp_path: Path) -> None:
    source, out = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    write_jsonl(source, [problem("a")])
    out.write_text("mine", encoding="utf-8")
    for arguments in ((source, out), (source, source), (source, source, "--force")):
        assert run(*arguments).exit_code == 2
    assert out.read_text(encoding="utf-8") == "mine"
    assert run(source, out, "--force").exit_code == 0
    assert origins(out) == {"a": ["given", "seen"]}


def test_a_file_without_annotations_is_no_success(tmp_path: Path) -> None:
    source, out = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_text("", encoding="utf-8")
    assert run(source, out).exit_code == 1
    assert not out.exists()


def test_a_fact_without_a_verdict_is_told_and_makes_the_exit_status_1(
    tmp_path: Path, scripted_judge: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    source, out = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    write_jsonl(source, [problem("a")])
    judge = scripted_judge(lambda task: [Missing("judge_timeout"), *told(task)[1:]])
    monkeypatch.setattr("perception_reward.service.assembly.make_judge", lambda *parts: judge)
    done = run(source, out)
    assert done.exit_code == 1
    assert "no verdict on a f1: judge_timeout" in done.output
    assert "1 facts have no verdict and stay as they were; --force asks about them again" in done.output
    assert origins(out) == {"a": ["seen", "seen"]}


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def told(task: Any) -> list[Verdict]:
    return [Verdict("stated" if "5" in fact.text and "5" in task.response else "absent", 0.5) for fact in task.facts]


async def marked(judge: Any, annotations: list[Annotation], out: Path, *, replace: bool = False) -> Marks:
    marks = Marks()
    await mark_file(judge, annotations, out, marks, max_response_chars=1000, replace=replace)
    return marks


async def test_what_a_run_cut_short_has_found_out_is_not_asked_again(
    tmp_path: Path, scripted_judge: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mark_given, "BATCH", 2)
    out = tmp_path / "out.jsonl"
    problems = [problem(name, f"{name}: AB = 5.") for name in "abcde"]

    def dies(task: Any) -> list[Verdict]:
        if task.response.startswith("d"):
            raise KeyboardInterrupt
        return told(task)

    with pytest.raises(KeyboardInterrupt):
        await marked(scripted_judge(dies), problems, out)
    assert not out.exists()
    changed = [problem("b", "b: changed") if one.id == "b" else one for one in problems]
    again = scripted_judge(told)
    marks = await marked(again, changed, out)
    assert [task.response[0] for batch in again.batches for task in batch] == ["b", "d", "e"]
    assert marks.recalled == 2
    assert origins(out) == {name: ["seen" if name == "b" else "given", "seen"] for name in "abcde"}
    assert names(tmp_path) == ["out.jsonl"]


async def test_a_last_line_cut_short_is_asked_again(tmp_path: Path, scripted_judge: Callable[..., Any]) -> None:
    out, problems = tmp_path / "out.jsonl", [problem("a"), problem("b")]
    await marked(scripted_judge(lambda task: [Missing("overloaded")] * 2), problems, out)
    (name,) = set(names(tmp_path)) - {"out.jsonl"}
    (tmp_path / name).write_text(to_json(problem("a")) + '\n{"id": "b", "quest', encoding="utf-8")
    judge = scripted_judge(told)
    assert (await marked(judge, problems, out, replace=True)).recalled == 1
    assert origins(out) == {"a": ["seen", "seen"], "b": ["given", "seen"]}


async def test_only_what_has_no_verdict_is_asked_again_with_force(
    tmp_path: Path, scripted_judge: Callable[..., Any]
) -> None:
    out, problems = tmp_path / "out.jsonl", [problem("a", "a: AB = 5."), problem("b", "b: AB = 5.")]
    judge = scripted_judge(
        lambda task: [Missing("judge_timeout"), *told(task)[1:]] if task.response[0] == "b" else told(task)
    )
    marks = await marked(judge, problems, out)
    assert marks.missing == ["b f1: judge_timeout"]
    assert "no verdict on b f1: judge_timeout" in list(marks.lines())
    assert origins(out) == {"a": ["given", "seen"], "b": ["seen", "seen"]}
    judge.decide = told
    judge.batches.clear()
    marks = await marked(judge, problems, out, replace=True)
    assert [task.response[0] for batch in judge.batches for task in batch] == ["b"]
    assert (marks.missing, marks.recalled) == ([], 1)
    assert origins(out) == {"a": ["given", "seen"], "b": ["given", "seen"]}
    assert names(tmp_path) == ["out.jsonl"]


async def test_what_another_judge_has_found_out_does_not_count(
    tmp_path: Path, scripted_judge: Callable[..., Any]
) -> None:
    out = tmp_path / "out.jsonl"
    await marked(scripted_judge(lambda task: [Missing("overloaded")] * 2), [problem("a")], out)
    other = scripted_judge(told)
    other.info = type(other.info)("scripted", None, "script", "scripted/2")
    assert (await marked(other, [problem("a")], out, replace=True)).recalled == 0
