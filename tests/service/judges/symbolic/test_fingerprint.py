"""The fingerprint changes with every rule and with nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from perception_reward.service.judges.symbolic import judge
from perception_reward.service.judges.symbolic.fingerprint import fingerprint_of, rules_fingerprint


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A copy of the rules' sources, to change."""
    for module in Path(judge.__file__).parent.glob("*.py"):
        (tmp_path / module.name).write_bytes(module.read_bytes())
    return tmp_path


def test_a_copy_of_the_rules_has_their_fingerprint(package: Path) -> None:
    assert fingerprint_of(package) == rules_fingerprint() == judge.SymbolicJudge().info.fingerprint


def test_line_ends_and_bytecode_do_not_count(package: Path) -> None:
    for module in package.glob("*.py"):
        module.write_bytes(module.read_bytes().replace(b"\n", b"\r\n"))
    (package / "__pycache__").mkdir()
    (package / "moods.cpython-311.pyc").write_bytes(b"\0")
    assert fingerprint_of(package) == rules_fingerprint()


@pytest.mark.parametrize("name", ["lexicon.py", "moods.py", "values.py"])
def test_any_change_of_any_module_counts(package: Path, name: str) -> None:
    with (package / name).open("a", encoding="utf-8") as module:
        module.write("\n")
    assert fingerprint_of(package) != rules_fingerprint()


def test_renaming_or_adding_a_module_counts(package: Path) -> None:
    (package / "moods.py").rename(package / "stances.py")
    renamed = fingerprint_of(package)
    (package / "further.py").touch()
    assert len({rules_fingerprint(), renamed, fingerprint_of(package)}) == 3


def test_a_package_without_sources_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="no Python sources"):
        fingerprint_of(tmp_path)
