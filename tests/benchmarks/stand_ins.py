"""Modules that the reference imports and does not need for what is measured, stood in for while its own are loaded."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import ModuleType
from typing import Any


@contextmanager
def standing_in(modules: Mapping[str, Mapping[str, Any]]) -> Iterator[None]:
    """`import` finds these modules, by name with what they hold; afterwards it finds what it found before."""
    before = {name: sys.modules.get(name) for name in modules}
    for name, held in modules.items():
        sys.modules[name] = ModuleType(name)
        vars(sys.modules[name]).update(held)
    try:
        yield
    finally:
        for name, known in before.items():
            del sys.modules[name]
            if known is not None:
                sys.modules[name] = known


class Timer:
    """What the reference reports its time with (`codetiming.Timer`)."""

    last = 0.0

    def __init__(self, name: str) -> None:
        self.name = name

    def __enter__(self) -> Timer:
        return self

    def __exit__(self, *_: object) -> None:
        pass
