"""The packaged catalogue: families of attacks, and their honest twins."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Literal

import tomllib
from pydantic import BaseModel, ConfigDict, Field

from perception_reward.service.audit.attacks.spelling import Spelling
from perception_reward.trainer_client.wire import Label

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
