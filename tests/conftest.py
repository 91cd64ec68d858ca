"""Fixtures that every test may use."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data sets, which the repository does not contain; tests that need it skip without it."""
    folder = Path(os.environ.get("PERCEPTION_REWARD_SHARED_DATA", REPOSITORY.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no data sets at {folder}; set PERCEPTION_REWARD_SHARED_DATA")
    return folder
