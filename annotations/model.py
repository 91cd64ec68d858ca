"""An annotation: one problem's stored record of what its image shows."""

from __future__ import annotations

from pydantic import ConfigDict, Field, model_validator
from typing_extensions import Self

from perception_reward.trainer_client.reference import Answer, Choices
from perception_reward.trainer_client.wire import MOST_FACTS, Fact, Identifier, WireModel

MOST_IMAGES = 1024


class Provenance(WireModel):
    """Where an annotation comes from, so that a doubtful fact can be traced."""

    source: str | None = Field(default=None, description="Data set, file or person the facts were taken from.")
    method: str | None = Field(default=None, description="How the facts were made: `logic-forms`, `trajectories`, …")
    model: str | None = Field(default=None, description="The model that wrote them, if one did.")
    created: str | None = Field(default=None, description="ISO 8601 date.")
    prompt: str | None = Field(
        default=None, description="Names and versions of the prompts that the model was asked with."
    )
    settings: str | None = Field(default=None, description="How it was asked: temperature, seed, …")


class Annotation(WireModel):
    """One problem: its question, reference answer, image references and visual facts."""

    # Wire models are built when first used, for the clients' sake; a store builds its own at once.
    model_config = ConfigDict(defer_build=False)

    id: Identifier = Field(description="Unique in the store; an item names it as `annotation_id`.")
    question: str | None = Field(default=None, description="The problem's text.")
    answer: Answer | None = Field(default=None, description="Reference answer, or a list of alternatives.")
    choices: Choices | None = Field(
        default=None, description="The options A, B, C, … in order, or a mapping of labels to texts."
    )
    images: list[str] = Field(
        default_factory=list[str],
        max_length=MOST_IMAGES,
        fail_fast=True,
        description="References to the images; never their bytes.",
    )
    facts: list[Fact] = Field(
        default_factory=list[Fact], max_length=MOST_FACTS, fail_fast=True, description="What the image shows."
    )
    provenance: Provenance | None = None

    @model_validator(mode="after")
    def _fact_ids_are_unique(self) -> Self:
        seen: set[str] = set()
        for fact in self.facts:
            if fact.id in seen:
                raise ValueError(f"two facts share the id {fact.id!r}")
            seen.add(fact.id)
        return self
