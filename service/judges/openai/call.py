"""One HTTP request to a judge server."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Call:
    """The path below the endpoint's URL, and a JSON body."""

    path: str
    body: bytes
