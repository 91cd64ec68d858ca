"""CONTRIBUTING.md: the way of a request, and every file that it names, are those of the code."""

from __future__ import annotations

import ast
import re
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
TEXT = (REPOSITORY / "CONTRIBUTING.md").read_text(encoding="utf-8")
ROOMS = ("service", "annotations", "trainer_client")


def way() -> list[str]:
    """The modules that the way of a request names, as it goes through them."""
    block = TEXT.partition("    POST /v1/score\n")[2].partition("\n\n")[0]
    return re.findall(r"[\w/]+\.py", block)


def test_every_module_on_the_way_of_a_request_is_there():
    named = way()
    assert {
        "api/listener.py",
        "scoring/scorer.py",
        "scoring/worksheet.py",
        "scoring/combine.py",
        "api/score.py",
    } <= set(named)
    assert not [name for name in named if not any((REPOSITORY / at / name).is_file() for at in ("service", "."))]


def test_the_scorer_imports_what_the_way_names_behind_it():
    tree = ast.parse((REPOSITORY / "service" / "scoring" / "scorer.py").read_text(encoding="utf-8"))
    imported = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    called = ("scoring/worksheet.py", "scoring/flights.py", "judges/base.py", "rewards/grading.py")
    behind = [name for name in way() if name in called]
    assert len(behind) >= 4
    for name in behind:
        assert f"perception_reward.service.{name.removesuffix('.py').replace('/', '.')}" in imported


def test_every_file_and_folder_that_it_names_is_there():
    named = re.findall(r"`((?:service|annotations|trainer_client|tests|deploy)/[\w/.]*)`", TEXT)
    assert len(named) > 15
    assert not [name for name in named if not (REPOSITORY / name).exists()]


def test_a_file_of_tests_is_named_for_a_module_or_says_what_it_holds():
    tests = [path for room in ROOMS for path in (REPOSITORY / "tests" / room).rglob("test_*.py")]
    assert len(tests) > 200
    assert not [str(path) for path in tests if not (_module(path).is_file() or _says_what_it_holds(path))]


def _module(path: Path) -> Path:
    name = path.name.removeprefix("test_")
    return REPOSITORY / path.parent.relative_to(REPOSITORY / "tests") / ("__init__.py" if name == "init.py" else name)


def _says_what_it_holds(path: Path) -> bool:
    return ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) is not None
