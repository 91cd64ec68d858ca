"""What a model is asked with, as the command line and a configuration file say it."""

from __future__ import annotations

import json
import os
from typing import Annotated, Any, cast

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from perception_reward.annotations.pipeline.asks import Sampling
from perception_reward.annotations.pipeline.endpoint import RETRIES
from perception_reward.annotations.pipeline.limits import Limits
from perception_reward.annotations.pipeline.work import Asked

# Where the key is looked for when none is named.
KEY_VARIABLE = "OPENAI_API_KEY"


def _pair(value: object) -> object:
    """`0.15,0.6` as a pair."""
    return value.split(",") if isinstance(value, str) else value


def _mapping(value: object) -> object:
    try:
        return json.loads(value) if isinstance(value, str) and value.strip() else value
    except ValueError as error:
        raise ValueError(f"is no JSON object ({error})") from None


def _address(value: str) -> str:
    if not value.startswith(("http://", "https://")):
        raise ValueError(f"{value!r} begins neither with http:// nor with https://")
    return value


class ModelConfig(BaseModel):
    """A model behind an OpenAI-compatible endpoint, and the limits within which it is asked."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: Annotated[str, AfterValidator(_address)] = Field(
        description="The endpoint's base URL, such as http://127.0.0.1:8000/v1."
    )
    model: str = Field(min_length=1, description="The model's name there.")
    api_key_env: str = Field(
        default=KEY_VARIABLE, description="The variable that holds the endpoint's key, if it wants one."
    )
    temperature: float = Field(default=0.0, ge=0.0, le=2.0, description="Of sampling.")
    top_p: float = Field(default=1.0, gt=0.0, le=1.0, description="Of sampling.")
    max_tokens: int = Field(default=2048, ge=1, description="The most tokens of one reply.")
    seed: int = Field(default=0, ge=0, description="Of sampling; sample N is asked with the seed + N.")
    extra: Annotated[dict[str, Any], BeforeValidator(_mapping)] = Field(
        default_factory=dict[str, Any], description="More fields of every request, as JSON, such as vLLM's top_k."
    )
    concurrency: int = Field(default=32, ge=1, le=4096, description="Requests at once.")
    rate: float | None = Field(default=None, gt=0.0, description="The most requests a minute.")
    token_budget: int | None = Field(
        default=None, ge=1, description="The most tokens, read and written, over all runs."
    )
    cost_budget: float | None = Field(
        default=None, gt=0.0, description="The most to spend over all runs; needs a price."
    )
    price: Annotated[tuple[float, float], BeforeValidator(_pair)] = Field(
        default=(0.0, 0.0), description="Of a million tokens read, and written, such as 0.15,0.60."
    )
    deadline: float = Field(default=600.0, gt=0.0, description="Seconds for a request with all its repetitions.")
    retries: int = Field(default=RETRIES, ge=0, description="Times that a request is repeated that fails in passing.")
    leave_out_missing: bool = Field(
        default=False, description="Drop rows without a reply, with the reason, instead of ending without an output."
    )

    def asked(self) -> Asked:
        """Raises `ValueError` for a budget without a price."""
        if self.cost_budget is not None and not any(self.price):
            raise ValueError("a cost budget needs the price of a million tokens, such as --price 0.15,0.60")
        limits = Limits(self.concurrency, self.rate, self.token_budget, self.cost_budget, self.price)
        sampling = Sampling(self.model, self.temperature, self.top_p, self.max_tokens, self.seed, self.extra)
        return Asked(
            self.url,
            sampling,
            limits,
            os.environ.get(self.api_key_env, ""),
            self.deadline,
            self.retries,
            self.leave_out_missing,
        )


def complaint(error: Any) -> str:
    """The first fault of a `ValidationError`, by the option's name."""
    first = cast("dict[str, Any]", error.errors(include_url=False, include_input=False)[0])
    return f"{str(first['loc'][0]).replace('_', '-')}: {first['msg'].removeprefix('Value error, ')}"
