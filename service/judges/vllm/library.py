"""vLLM's own modules, imported where they are needed: that takes half a minute, and not every service has them.

What they hold is untyped here, since the environment that is type-checked lacks them.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Any


def installed() -> bool:
    return find_spec("vllm") is not None


def module(name: str) -> Any:
    """`vllm.NAME`."""
    return import_module(f"vllm.{name}")
