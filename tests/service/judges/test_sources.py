"""The fingerprint changes with every rule and with nothing else."""

from __future__ import annotations

from pathlib import Path
from shutil import copytree

import pytest

from perception_reward.annotations.language import numbers
from perception_reward.service.judges.sources import LANGUAGE, fingerprint_of, fingerprint_of_folders
from perception_reward.service.judges.symbolic import judge

RULES = judge.__package__ or ""
BOTH = fingerprint_of(RULES, LANGUAGE)


@pytest.fixture
def language(tmp_path: Path) -> Path:
    """A copy of the language's sources, to change."""

    return Path(copytree(Path(numbers.__file__).parent, tmp_path / "language"))


def with_rules(language: Path) -> str:
    return fingerprint_of_folders(Path(judge.__file__).parent, language)


def test_a_copy_of_the_sources_has_their_fingerprint(language: Path) -> None:
    assert with_rules(language) == BOTH == judge.SymbolicJudge().info.fingerprint


def test_line_ends_and_bytecode_do_not_count(language: Path) -> None:
    for module in language.rglob("*.py"):
        module.write_bytes(module.read_bytes().replace(b"\n", b"\r\n"))
    (language / "__pycache__").mkdir(exist_ok=True)
    (language / "numbers.cpython-311.pyc").write_bytes(b"\0")
    assert with_rules(language) == BOTH


@pytest.mark.parametrize("name", ["numbers.py", "geometry/items.py"])
def test_any_change_of_any_module_counts(language: Path, name: str) -> None:
    with (language / name).open("a", encoding="utf-8") as module:
        module.write("\n")
    assert with_rules(language) != BOTH


def test_renaming_or_adding_a_module_counts(language: Path) -> None:
    (language / "numbers.py").rename(language / "amounts.py")
    renamed = with_rules(language)
    (language / "further.py").touch()
    assert len({BOTH, renamed, with_rules(language)}) == 3


def test_a_package_without_sources_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="no Python sources"):
        fingerprint_of_folders(tmp_path)
