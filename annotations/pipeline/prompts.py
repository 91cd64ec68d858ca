"""Prompts: text files beside the code, or a user's own in their place.

    prompt = Prompt.read("select", folder)
    prompt.filled(question="What is {answer}?", sentences="1. AB = 5.")

`{name}` is replaced in one pass, so that a text which itself holds `{answer}` pulls nothing in; other braces stay as
they are. The version is the file's name and the digest of its text.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from typing_extensions import Self

_PLACE = re.compile(r"\{([a-z_]+)\}")


class PromptFault(ValueError):
    """A prompt's file cannot be used; the message says why."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """A text with placeholders. version: `select-3f2a9c10`."""

    name: str
    text: str
    version: str

    @classmethod
    def read(cls, name: str, folder: Path | None = None, needs: tuple[str, ...] = ()) -> Self:
        """`folder/name.txt` where there is one, else the package's. needs: placeholders without which it makes no
        sense.

        Raises `PromptFault`.
        """
        own = folder / f"{name}.txt" if folder is not None else None
        try:
            packaged = resources.files(__name__.rpartition(".")[0]).joinpath("prompts", f"{name}.txt")
            text = (own if own is not None and own.exists() else packaged).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise PromptFault(f"{own or name}: cannot be read ({error})") from None
        if lacking := [f"{{{need}}}" for need in needs if f"{{{need}}}" not in text]:
            raise PromptFault(f"{own or name}: lacks {', '.join(lacking)}, where the data is put")
        text = text.strip()
        return cls(name, text, f"{name}-{hashlib.sha256(text.encode()).hexdigest()[:8]}")

    def filled(self, **values: str) -> str:
        """The text with each `{name}` of `values` replaced."""
        return _PLACE.sub(lambda place: values.get(place[1], place[0]), self.text)
