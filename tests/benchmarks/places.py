"""Where the benchmarks find what they read: the repository, and the real data sets beside it."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("PERCEPTION_REWARD_SHARED_DATA", REPOSITORY.parent / "shared" / "data"))


def arguments(documentation: str | None) -> argparse.ArgumentParser:
    """A parser for a benchmark with this docstring that reads the data sets: it has `--data`."""
    parser = argparse.ArgumentParser(description=documentation.splitlines()[0] if documentation else "")
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the real data sets")
    return parser
