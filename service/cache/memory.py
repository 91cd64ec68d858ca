"""The cache in this process's memory: least recently used entries leave first, and bytes are the bound."""

from __future__ import annotations

import sys
from collections import OrderedDict
from collections.abc import Iterable, Sequence

# What CPython 3.11 spends on an OrderedDict entry besides the two objects: a list node, its slot in the
# dictionary and the index, at the mean fill between two resizes. A test holds it against tracemalloc.
ENTRY_OVERHEAD = 112


class MemoryCache:
    """At most `max_bytes` of keys and values, all overhead counted. Belongs to one event loop."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._bytes = 0
        self._entries: OrderedDict[bytes, bytes] = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def size(self) -> int:
        """Bytes in use."""
        return self._bytes

    def get_many(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """The values of `keys` in order, None where there is none."""
        values = [self._entries.get(key) for key in keys]
        for key, value in zip(keys, values, strict=True):
            if value is not None:
                self._entries.move_to_end(key)
        return values

    def put_many(self, pairs: Iterable[tuple[bytes, bytes]]) -> None:
        """Keep `pairs`, at the cost of what was used least recently."""
        for key, value in pairs:
            self._drop(key)
            self._entries[key] = value
            self._bytes += _cost(key, value)
        while self._bytes > self._max_bytes:
            self._drop(next(iter(self._entries)))

    def _drop(self, key: bytes) -> None:
        value = self._entries.pop(key, None)
        if value is not None:
            self._bytes -= _cost(key, value)


def _cost(key: bytes, value: bytes) -> int:
    return sys.getsizeof(key) + sys.getsizeof(value) + ENTRY_OVERHEAD
