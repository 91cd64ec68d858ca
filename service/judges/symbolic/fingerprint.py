"""The fingerprint of the rules: a hash over the package's source, so that no changed rule leaves old verdicts cached.

It is the same on every machine that has the same source, whatever its line ends.
"""

from __future__ import annotations

import hashlib
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable


@cache
def rules_fingerprint() -> str:
    """Sixteen hexadecimal digits for this package's modules as installed; raises `RuntimeError` without sources."""
    return fingerprint_of(resources.files(__package__ or ""))


def fingerprint_of(package: Traversable) -> str:
    """Sixteen hexadecimal digits for the names and the text of all modules of a package's folder."""
    modules = sorted((entry for entry in package.iterdir() if entry.name.endswith(".py")), key=lambda one: one.name)
    if not modules:
        raise RuntimeError(f"{package} holds no Python sources to tell its rules by; install them beside the bytecode")
    digest = hashlib.sha256()
    for module in modules:
        text = module.read_bytes().replace(b"\r\n", b"\n")
        digest.update(f"{module.name}:{len(text)}\n".encode() + text)
    return digest.hexdigest()[:16]
