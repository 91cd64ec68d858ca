"""What tells changed rules from old ones: a hash over the source of packages, so that no changed rule leaves old
verdicts cached.

    fingerprint_of("perception_reward.annotations.language")    # sixteen hexadecimal digits

It is the same on every machine that has the same source, whatever its line ends.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable

LANGUAGE = "perception_reward.annotations.language"
"""What every judge that reads text itself depends on."""


@cache
def fingerprint_of(*packages: str) -> str:
    """Sixteen hexadecimal digits for the modules of packages as installed; raises `RuntimeError` without sources."""
    return fingerprint_of_folders(*map(resources.files, packages))


def fingerprint_of_folders(*packages: Traversable) -> str:
    """Sixteen hexadecimal digits for the names and the text of all modules, and of the numbers fitted for them, below
    packages' folders."""
    digest = hashlib.sha256()
    for package in packages:
        modules = list(_modules(package))
        if not modules:
            raise RuntimeError(
                f"{package} holds no Python sources to tell its rules by; install them beside the bytecode"
            )
        for module in modules:
            text = module.read_bytes().replace(b"\r\n", b"\n")
            digest.update(f"{module.name}:{len(text)}\n".encode() + text)
    return digest.hexdigest()[:16]


def _modules(folder: Traversable) -> Iterator[Traversable]:
    for entry in sorted(folder.iterdir(), key=lambda one: one.name):
        if entry.is_dir():
            yield from _modules(entry)
        elif entry.name.endswith((".py", ".toml")):
            yield entry
