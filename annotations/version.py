"""A store's version: the same for the same annotations, in whatever order, form and place they are kept.

    version = Version.of(read_annotations(path).values())
    str(version)                                            # "5f0c1b8e9a7d2c34"
    version.without(old).having(new)                        # as if all of them had been read again

It is the sum of the annotations' SHA-256 digests, so that a change costs as much as what it changes. It tells what has
been edited from what has not; it is no signature.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from typing_extensions import Self

from perception_reward.annotations.model import Annotation

_MODULUS = 1 << 256
# Hexadecimal digits of a version as it is told: of a million stores, two would share one by chance once in 10^7 times.
DIGITS = 16


@dataclass(frozen=True, slots=True)
class Version:
    """count: annotations. total: the sum of their digests."""

    count: int = 0
    total: int = 0

    @classmethod
    def of(cls, annotations: Iterable[Annotation]) -> Self:
        """The version of all `annotations`, whose ids are distinct."""
        count = total = 0
        for annotation in annotations:
            count, total = count + 1, total + digest(annotation)
        return cls(count, total % _MODULUS)

    def having(self, *annotations: Annotation) -> Self:
        """With `annotations`, which were not there."""
        added = sum(map(digest, annotations))
        return type(self)(self.count + len(annotations), (self.total + added) % _MODULUS)

    def without(self, *annotations: Annotation) -> Self:
        """Without `annotations`, which were there."""
        taken = sum(map(digest, annotations))
        return type(self)(self.count - len(annotations), (self.total - taken) % _MODULUS)

    def with_all(self, other: Version) -> Self:
        """Of two stores that have no annotation in common, together."""
        return type(self)(self.count + other.count, (self.total + other.total) % _MODULUS)

    def stored(self) -> str:
        """As text that `read` takes."""
        return f"{self.count}:{self.total:x}"

    @classmethod
    def read(cls, stored: str) -> Self:
        """What `stored` wrote. Raises `ValueError`."""
        count, _, total = stored.partition(":")
        return cls(int(count), int(total, 16))

    def __str__(self) -> str:
        return hashlib.sha256(self.stored().encode()).hexdigest()[:DIGITS]


def digest(annotation: Annotation) -> int:
    """A number for the content of one annotation."""
    content = annotation.model_dump_json(exclude_defaults=True).encode()
    return int.from_bytes(hashlib.sha256(content).digest(), "big")
