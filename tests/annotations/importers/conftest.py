"""How an importer is tried: rows of a layout, as a file or a folder, and what becomes of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from perception_reward.annotations.importers.model import Options
from perception_reward.annotations.importers.registry import IMPORTERS
from perception_reward.annotations.importers.run import ImportReport, NoFacts, import_annotations
from perception_reward.annotations.model import Annotation

Imported = tuple[list[Annotation], ImportReport]
Import = Callable[..., Imported]


@pytest.fixture
def imported(tmp_path: Path) -> Import:
    """`imported("clevr", text)`, or with files by their names for a folder; or the path of what is there."""

    def run(layout: str, source: str | dict[str, str] | Path, name: str = "rows.json", **columns: str) -> Imported:
        path = source if isinstance(source, Path) else tmp_path / (name if isinstance(source, str) else "folder")
        if isinstance(source, str):
            path.write_text(source, encoding="utf-8")
        elif isinstance(source, dict):
            path.mkdir()
            for file, content in source.items():
                (path / file).write_text(content, encoding="utf-8")
        report, found = ImportReport(), list[Annotation]()
        try:
            found += import_annotations(IMPORTERS[layout], path, report, Options(columns))
        except NoFacts:
            assert not report.facts
        return found, report

    return run


@pytest.fixture
def real_rows(shared_data: Path) -> Path:
    """The folder of real rows for importers; tests skip without it."""
    folder = shared_data / "importers"
    if not folder.is_dir():
        pytest.skip(f"no rows at {folder}")
    return folder
