from __future__ import annotations

import os
from pathlib import Path

import pytest

from perception_reward.annotations.outputs import OutputRefused, check_json_lines, check_outputs, written


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "in.jsonl"
    path.write_text("precious", encoding="utf-8")
    return path


def hard_link(source: Path) -> Path:
    os.link(source, link := source.with_name("hard.jsonl"))
    return link


def soft_link(source: Path) -> Path:
    (link := source.with_name("soft.jsonl")).symlink_to(source)
    return link


def relative(source: Path) -> Path:
    return Path(os.path.relpath(source))


def roundabout(source: Path) -> Path:
    (source.parent / "folder").mkdir()
    return source.parent / "folder" / ".." / source.name


def kept(source: Path) -> Path:
    """The part of this name is the input itself."""
    source.rename(part := source.with_name("results.jsonl.part"))
    source.symlink_to(part)
    return source.with_name("results.jsonl")


def write(out: Path, text: str, failure: BaseException | None = None, **how: bool) -> None:
    with written(out, **how) as part:  # pyright: ignore[reportArgumentType]
        part.write_text(text, encoding="utf-8")
        if failure is not None:
            raise failure


@pytest.mark.parametrize("replace", [False, True])
@pytest.mark.parametrize("spelling", [Path, hard_link, soft_link, relative, roundabout, kept])
def test_what_is_read_is_never_replaced(source: Path, spelling: object, replace: bool):
    out = spelling(source)  # pyright: ignore[reportCallIssue]
    with pytest.raises(OutputRefused, match="which is read; name another file"):
        check_outputs([out], read=[source], replace=replace, keep=True)
    assert source.read_text(encoding="utf-8") == "precious"


def test_what_exists_is_replaced_only_where_that_was_asked_for(tmp_path: Path, source: Path):
    out = tmp_path / "out.jsonl"
    check_outputs([out], read=[source], replace=False)
    out.touch()
    with pytest.raises(OutputRefused, match=r"out\.jsonl exists; .* --force"):
        check_outputs([out], read=[source], replace=False)
    check_outputs([out], read=[source], replace=True)


def test_a_link_that_leads_nowhere_is_there_too(tmp_path: Path):
    (tmp_path / "out").symlink_to(tmp_path / "gone")
    with pytest.raises(OutputRefused, match="exists"):
        check_outputs([tmp_path / "out"], replace=False)


@pytest.mark.parametrize(
    ("names", "words"),
    [(["a", "a"], "two outputs"), (["a", "./a"], "two outputs"), (["."], "folder"), (["none/a"], "there is no folder")],
)
def test_outputs_that_cannot_be_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, names: list[str], words: str
):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(OutputRefused, match=words):
        check_outputs([Path(name) for name in names], replace=True)


def test_a_name_that_promises_another_form_is_refused():
    check_json_lines(Path("a.jsonl"), Path("a"), Path("a.jsonl.gz"))
    with pytest.raises(OutputRefused, match=r"is JSON Lines, not Parquet; name it a\.jsonl"):
        check_json_lines(Path("a.parquet"))


def test_a_file_is_whole_or_not_there(tmp_path: Path):
    out = tmp_path / "out"
    with written(out, replace=False) as part:
        part.write_text("whole", encoding="utf-8")
        assert not out.exists()
    assert out.read_text(encoding="utf-8") == "whole"
    with pytest.raises(KeyboardInterrupt):
        write(out, "half", KeyboardInterrupt(), replace=True)
    assert out.read_text(encoding="utf-8") == "whole"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out"]


def test_what_appears_meanwhile_is_not_replaced(tmp_path: Path):
    out = tmp_path / "out"
    work = written(out, replace=False)
    work.__enter__().write_text("mine", encoding="utf-8")
    out.write_text("theirs", encoding="utf-8")
    with pytest.raises(OutputRefused, match="has appeared"):
        work.__exit__(None, None, None)
    assert out.read_text(encoding="utf-8") == "theirs"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_device_is_written_to_and_stays_a_device():
    check_outputs([Path("/dev/null")], read=[Path("/dev/null")], replace=False)
    with written(Path("/dev/null"), replace=True) as path:
        path.write_text("gone", encoding="utf-8")
    assert not Path("/dev/null").is_file()
