"""What a trainer can say that sets nothing but a URL: `/slime?profile=sum&run=geo-7b&on_missing=native`."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field, field_validator

from perception_reward.trainer_client.tokens import opened_thought
from perception_reward.trainer_client.wire import Identifier, Prefix, ScoreItem, ScoreRequest

# What becomes of an item whose score is missing, for a trainer that can only be told a number.
OnMissing = Literal["native", "raise", "zero"]


class UrlOptions(BaseModel):
    """The options that every trainer's URL may carry. Others are refused: a misspelt one would do nothing."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    profile: str | None = Field(default=None, max_length=64, description="How components become one score.")
    run: Identifier | None = Field(default=None, description="The run's label, for logs and metrics.")
    step: int | None = Field(default=None, ge=0, description="For profiles with a schedule.")

    prefix: Prefix | None = Field(
        default=None,
        description="What the prompt's template has written of every response, such as `<think>`, where the trainer "
        "sends no prompt to see it in.",
    )

    @field_validator("prefix")
    @classmethod
    def _opens_a_thought(cls, value: str | None) -> str | None:
        if value and not opened_thought(value):
            raise ValueError("opens no thought; it is <think> where a template does")
        return value

    def request(self, items: list[ScoreItem]) -> ScoreRequest:
        return ScoreRequest(profile=self.profile, run=self.run, step=self.step, prefix=self.prefix, items=items)


class RaisingOptions(UrlOptions):
    """Options of a trainer that has no word for a missing score unless it is set up for one."""

    on_missing: OnMissing = Field(
        default="raise",
        description="`raise`: 503, which the trainer tries again. `native`: NaN, with which the trainer's own filter "
        "drops the whole group; only where that filter is on. `zero`: the number 0.",
    )


RaisingOptionsDep = Annotated[RaisingOptions, Query()]
