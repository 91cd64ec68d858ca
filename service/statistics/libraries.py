"""scipy and statsmodels, which only comparing and planning need: the extra `[report]` brings them."""

from __future__ import annotations

import importlib
from typing import Any


def library(name: str) -> Any:
    """The module, loaded when it is first needed. Raises `ImportError`, in a line that says what to install."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise ImportError(
            f"statistics need scipy and statsmodels (no module {error.name}): pip install 'perception-reward[report]'"
        ) from error
