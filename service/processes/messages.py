"""What the service, the fork server and the workers say to each other: values, pickled, each after its length."""

from __future__ import annotations

import io
import pickle
import struct
from collections.abc import Iterator
from dataclasses import dataclass, is_dataclass
from typing import Any, BinaryIO, TypeAlias

LENGTH = struct.Struct("!I")

# More than any outcome takes: 64 KiB of evidence for each of 256 facts.
MOST_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class Setup:
    """What every worker starts with.

    path: `sys.path`. readable: folders of code. memory_mb: limits a worker's address space.
    """

    path: list[str]
    readable: list[str]
    preload: tuple[str, ...]
    memory_mb: int


@dataclass(frozen=True, slots=True)
class Chunk:
    """Pickled payloads to call the pickled `function` with, one after the other.

    cpu_limit: seconds of computing for each.
    """

    function: bytes
    payloads: list[bytes]
    cpu_limit: float


@dataclass(frozen=True, slots=True)
class Returned:
    value: Any


@dataclass(frozen=True, slots=True)
class Raised:
    """`exhausted`: by a MemoryError. The worker then ends itself: its heap may be full of what it kept."""

    detail: str
    exhausted: bool = False


Outcome: TypeAlias = Returned | Raised


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a payload, and how long its worker had computed by then, in seconds of its whole life."""

    outcome: Outcome
    computed: float


def frame(value: object) -> bytes:
    """A value as it travels."""
    data = pickle.dumps(value, pickle.HIGHEST_PROTOCOL)
    return LENGTH.pack(len(data)) + data


def read_frame(stream: BinaryIO) -> Any:
    """The next value, from one who is trusted. EOFError at the end of the stream."""
    head = stream.read(LENGTH.size)
    if len(head) < LENGTH.size:
        raise EOFError
    return pickle.loads(stream.read(LENGTH.unpack(head)[0]))


def whole_frames(buffer: bytearray) -> Iterator[Any]:
    """The values that `buffer` holds whole, which are taken out of it. ValueError for what no worker says.

    A worker has read hostile text, and what it says is not trusted: plain values and the project's dataclasses alone
    are made of it.
    """
    start = 0
    while len(buffer) >= (body := start + LENGTH.size):
        length = LENGTH.unpack_from(buffer, start)[0]
        if length > MOST_BYTES:
            raise ValueError(f"a worker announced {length} bytes")
        if body + length > len(buffer):
            break
        start = body + length
        try:
            value = _PlainValues(io.BytesIO(memoryview(buffer)[body:start])).load()
        except Exception as error:
            raise ValueError(f"a worker said what cannot be read: {type(error).__name__}") from error
        yield value
    del buffer[:start]


# The dataclasses that workers have sent, by module and name; there are a few.
_KNOWN: dict[tuple[str, str], type] = {}


class _PlainValues(pickle.Unpickler):
    def find_class(self, module_name: str, global_name: str, /) -> Any:
        if (known := _KNOWN.get((module_name, global_name))) is not None:
            return known
        if module_name.partition(".")[0] == __name__.partition(".")[0]:
            found = super().find_class(module_name, global_name)
            if isinstance(found, type) and is_dataclass(found):
                _KNOWN[module_name, global_name] = found
                return found
        raise pickle.UnpicklingError(f"{module_name}.{global_name} is no plain value")
