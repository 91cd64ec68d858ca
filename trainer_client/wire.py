"""The wire models of version 1: what a trainer sends to `POST /v1/score` and what comes back.

They live with the client so that a trainer's environment needs nothing of the service; the service imports
them from here. Unknown fields are refused: a misspelt `anotation_id` would otherwise quietly turn a
perception reward off.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, model_validator
from typing_extensions import Self

Polarity = Literal["present", "distractor"]
Modality = Literal["visual", "textual"]
Label = Literal["stated", "contradicted", "absent"]
Reason = Literal[
    "judge_unavailable",
    "judge_timeout",
    "judge_unparseable",
    "unknown_annotation",
    "annotations_unavailable",
    "accuracy_timeout",
    "overloaded",
]
Component = Literal["format", "accuracy", "perception", "repetition"]

Identifier = Annotated[str, Field(min_length=1, max_length=512)]


class WireModel(BaseModel):
    """Frozen, closed to unknown fields, and without NaN or infinity."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Fact(WireModel):
    """One atomic visual statement about a problem's image, such as "Segment AB has length 5."."""

    id: Identifier = Field(description="Unique within its annotation.")
    text: str = Field(
        min_length=1, max_length=2000, pattern=r"\S", description="The statement, one sentence of plain text."
    )
    kind: str = Field(
        default="statement",
        min_length=1,
        max_length=64,
        description="What the statement is about: length, angle, arc, perpendicular, parallel, count, …",
    )
    weight: float = Field(default=1.0, ge=0.0, le=1000.0, description="Its share in the perception reward.")
    polarity: Polarity = Field(
        default="present",
        description="`present`: true of the image. `distractor`: a deliberately false neighbour.",
    )
    modality: Modality = Field(
        default="visual",
        description="`visual`: known from the figure only. `textual`: the question's text already gives it.",
    )


class ContentBlock(BaseModel):
    """One block of a chat message. Text blocks count; images and all other blocks are dropped."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    type: str = "text"
    text: str | None = None


class Message(BaseModel):
    """One chat message. The policy's words are those of role `assistant`, or of no role at all."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    role: str | None = None
    content: str | list[ContentBlock | str] | None = None


Response: TypeAlias = str | list[Message | ContentBlock | str]


class ScoreItem(WireModel):
    """One response to score."""

    id: Identifier | None = Field(default=None, description="Echoed in the result.")
    group: Identifier | None = Field(default=None, description="Responses to one prompt share a group.")
    annotation_id: Identifier | None = Field(default=None, description="The stored annotation to score against.")
    facts: list[Fact] | None = Field(default=None, description="Facts inline, instead of `annotation_id`.")
    response: Response = Field(description="A string, or chat messages or content blocks: their text is joined.")
    answer: str | None = Field(default=None, description="Reference answer; overrides the annotation's.")
    choices: list[str] | None = Field(
        default=None, max_length=26, description="The options A, B, C, … of a multiple-choice problem."
    )

    @model_validator(mode="after")
    def _one_source_of_facts(self) -> Self:
        if self.facts is not None and self.annotation_id is not None:
            raise ValueError("facts and annotation_id are both given; give one of them")
        if self.facts is not None and len({fact.id for fact in self.facts}) < len(self.facts):
            raise ValueError("two facts share an id; fact ids are unique within an item")
        return self


class ScoreRequest(WireModel):
    """The body of `POST /v1/score` and `POST /v1/score/stream`."""

    profile: str | None = Field(default=None, description="How components become one score; see `/v1/profiles`.")
    step: int | None = Field(default=None, ge=0, description="Training step; some profiles follow a schedule.")
    run: Identifier | None = Field(default=None, description="The run's label, for logs and metrics.")
    # The first bad item is enough to say: telling a million of them would take the service seconds.
    items: list[ScoreItem] = Field(min_length=1, fail_fast=True)


class FactResult(WireModel):
    """The judge's verdict about one fact and one response."""

    id: str
    verdict: Label
    probability: float = Field(ge=0.0, le=1.0, description="Probability of `stated`.")
    span: tuple[int, int] | None = Field(
        description="Character range [start, end) of the response that carries the fact."
    )


class Components(WireModel):
    """Every part of the reward; null where it does not apply or could not be determined."""

    format: float | None = Field(description="0 or 1.")
    accuracy: float | None = Field(description="0 or 1; null without a reference answer.")
    perception: float | None = Field(description="Share of the facts, in [-1, 1]; null without facts.")
    repetition: float | None = Field(description="The penalty, from -2 to 0.")


class ItemResult(WireModel):
    """The result for one item, in the order of the request."""

    id: str | None
    status: Literal["ok", "missing"]
    score: float | None = Field(description="Null when missing. Missing is never the number 0.")
    components: Components
    facts: list[FactResult] | None
    reason: Reason | None = Field(description="Why the score is missing.")
    truncated: bool = Field(default=False, description="The response was longer than the judge's limit and was cut.")


class Summary(WireModel):
    """Counts over one request."""

    items: int
    missing: int
    facts: int = Field(description="Facts asked about, over all items.")
    cache_hits: int = Field(description="Verdicts answered by the cache.")
    judged: int = Field(description="Distinct verdicts that the judge had to make.")
    seconds: float


class ScoreResponse(WireModel):
    """The answer of `POST /v1/score`."""

    profile: str
    judge: str = Field(description="Fingerprint of all that can change a verdict.")
    results: list[ItemResult]
    summary: Summary


class StreamedResult(WireModel):
    """A line of `POST /v1/score/stream`: one result, as soon as it is ready."""

    index: int = Field(description="Position of the item in the request, from 0.")
    result: ItemResult


class StreamedSummary(WireModel):
    """The last line of `POST /v1/score/stream`."""

    profile: str
    judge: str
    summary: Summary


class Problem(BaseModel):
    """An RFC 9457 problem document, the body of every error."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    errors: list[dict[str, str]] | None = Field(default=None, description="Where and what, one entry per fault.")
