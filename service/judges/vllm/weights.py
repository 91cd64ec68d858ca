"""Which weights a model's folder holds: a model that was trained further under the same name is another judge."""

from __future__ import annotations

from hashlib import blake2b
from pathlib import Path

# Read of each file: its size, and so many blocks of so many bytes, evenly spread. Training moves every weight, so that
# this tells as much as gigabytes would.
BLOCKS, BLOCK_BYTES = 64, 4096
SUFFIXES = frozenset({".safetensors", ".bin", ".pt", ".gguf", ".json"})


def digest(folder: Path) -> str:
    """16 hexadecimal digits, the same for every copy of the folder. ValueError where a file cannot be read."""
    found = blake2b(digest_size=8)
    for path in sorted(folder.iterdir()):
        if path.suffix in SUFFIXES and path.is_file():
            found.update(_sampled(path))
    return found.hexdigest()


def _sampled(path: Path) -> bytes:
    size = path.stat().st_size
    found = blake2b(f"{path.name},{size}".encode("utf-8", "surrogateescape"))
    try:
        with path.open("rb") as file:
            for block in range(BLOCKS):
                file.seek(size * block // BLOCKS)
                found.update(file.read(BLOCK_BYTES))
    except OSError as error:
        raise ValueError(f"{path} of the judge model cannot be read: {error.strerror}") from None
    return found.digest()
