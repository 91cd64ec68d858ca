"""What a wheel takes along, held to what the folders contain: an editable install does not show what is left out."""

from __future__ import annotations

from pathlib import Path

import tomllib

REPOSITORY = Path(__file__).resolve().parents[2]
FOLDERS = ("annotations", "service", "trainer_client")
# Modules, and what stands in the pages of the repository alone.
PAGES = {".py", ".md", ".svg", ".png", ".webp"}


def test_every_package_is_in_the_wheel() -> None:
    settings = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]
    found = {path.parent.relative_to(REPOSITORY) for name in FOLDERS for path in (REPOSITORY / name).rglob("*.py")}
    expected = {".".join(("perception_reward", *folder.parts)) for folder in found}
    assert sorted(settings["packages"]) == sorted(expected)


def test_every_file_that_is_no_module_is_in_the_wheel_or_a_page() -> None:
    settings = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]
    patterns = settings["package-data"]
    for name in FOLDERS:
        for path in (REPOSITORY / name).rglob("*"):
            if path.is_dir() or "__pycache__" in path.parts or path.suffix in PAGES:
                continue
            package = path.parent
            while not (package / "__init__.py").exists():
                package = package.parent
            module = ".".join(("perception_reward", *package.relative_to(REPOSITORY).parts))
            inside = path.relative_to(package)
            wanted = [*patterns["*"], *patterns.get(module, [])]
            assert any(inside.match(pattern) for pattern in wanted), f"{path.relative_to(REPOSITORY)} is left out"
