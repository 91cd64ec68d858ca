"""The packaged catalogue: families of attacks, their honest twins, and the characters that they are spelt with: what a
reader sees may stay, what a program reads does not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from importlib.resources import files
from typing import Literal

import tomllib
from pydantic import BaseModel, ConfigDict, Field

from perception_reward.trainer_client.wire import Label

Spelling = Literal["plain", "fullwidth", "homoglyph", "zero-width", "tag", "reversed"]

_ZERO_WIDTH = "\u200b\u200c\u200d\u2060"
# Cyrillic and Greek letters drawn like Latin ones.
_LOOK_ALIKES = str.maketrans(
    "ABCEHIJKMNOPSTXYZaceijopsxy",
    "\u0410\u0412\u0421\u0415\u041d\u0406\u0408\u041a\u041c\u039d\u041e\u0420\u0405\u0422\u0425\u03a5\u0396"
    "\u0430\u0441\u0435\u0456\u0458\u043e\u0440\u0455\u0445\u0443",
)


SPELLINGS: Mapping[Spelling, Callable[[str], str]] = {
    "plain": lambda text: text,
    "fullwidth": lambda text: "".join(chr(ord(one) + 0xFEE0) if "!" <= one <= "~" else one for one in text),
    "homoglyph": lambda text: text.translate(_LOOK_ALIKES),
    "zero-width": lambda text: "".join(one + _ZERO_WIDTH[at % len(_ZERO_WIDTH)] for at, one in enumerate(text)),
    "tag": lambda text: "".join(chr(0xE0000 + ord(one)) for one in text if " " <= one <= "~"),
    "reversed": lambda text: f"\u202e{text[::-1]}\u202c",
}


Place = Literal["alone", "blocks", "before", "after", "answer"]


class Entry(BaseModel):
    """What attacks and twins have in common; `catalogue.toml` says what the fields mean."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    description: str
    texts: tuple[str, ...] = Field(min_length=1)
    places: tuple[Place, ...] = ("blocks", "before")
    spellings: tuple[Spelling, ...] = ("plain",)
    times: int = Field(default=1, ge=1)
    beyond_cap: bool = False
    outside: bool = False
    most: int | None = Field(default=None, ge=1, description="The most probes of it, for what is long.")


class Family(Entry):
    """A family of attacks. `expected` is the right verdict, never `stated`: an attack that earns it lifts the score."""

    expected: Literal["absent", "contradicted"]
    paid: bool = False
    defence: str


class Twin(Entry):
    """Honest responses that look like attacks."""

    twin: Literal["defence", "disguise", "policy"]

    @property
    def family(self) -> str:
        """The name of its probes' family."""
        return f"{self.twin}: {self.name}"

    @property
    def expected(self) -> Label | None:
        return None if self.twin == "policy" else "stated"


@cache
def families() -> tuple[Family, ...]:
    """The attacks, in the order of the file."""
    return tuple(Family.model_validate(entry) for entry in _read("catalogue.toml")["family"])


@cache
def twins() -> tuple[Twin, ...]:
    """The twins, in the order of the file."""
    return tuple(Twin.model_validate(entry) for entry in _read("twins.toml")["twin"])


def _read(name: str) -> dict[str, list[object]]:
    return tomllib.loads(files("perception_reward.service.audit.attacks").joinpath(name).read_text("utf-8"))
