"""The wire models of version 1: what a trainer sends to `POST /v1/score` and what comes back.

They live with the client so that a trainer's environment needs nothing of the service; the service imports
them from here. Unknown fields are refused: a misspelt `anotation_id` would otherwise quietly turn a
perception reward off.

Validators are built when they are first used (`defer_build`): importing this must not cost a trainer's start.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter
from typing import Annotated, Any, Literal, TypeAlias, cast

from pydantic import (
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    GetJsonSchemaHandler,
    Tag,
    field_validator,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema
from typing_extensions import Self

from perception_reward.trainer_client.reference import Answer, Choices, Tolerance

Polarity = Literal["present", "distractor"]
Origin = Literal["seen", "derived", "given"]
Label = Literal["stated", "contradicted", "absent"]
Stage = Literal["rules", "evidence", "model", "pooled"]
Reason = Literal[
    "judge_unavailable",
    "judge_timeout",
    "judge_unparseable",
    "unknown_annotation",
    "annotations_unavailable",
    "accuracy_timeout",
    "accuracy_unavailable",  # no worker process lived to grade it
    "component_failed",  # one that an installed package computes
    "overloaded",
    "service_unavailable",  # said by the client, of items that no server has answered
]
# The parts of a reward by name; null where one does not apply or could not be determined.
Components: TypeAlias = dict[str, float | None]

# Blocks that hold words, and whose words are the policy's. Servers differ in what they call either.
TEXT_BLOCKS = frozenset({"text", "output_text"})
POLICY_ROLES = frozenset({None, "assistant", "model"})
# Where servers and templates put the thought that a parser took out of a message. The first that holds text counts:
# vLLM has renamed its field, and a release in between wrote both.
THOUGHTS = ("reasoning_content", "reasoning", "thinking")
MOST_PARTS = 4096
MOST_FACTS = 65536
MOST_FIELDS = 64

# The old values of `origin`, under its old name.
_MODALITIES: dict[str, Origin] = {"visual": "seen", "textual": "given"}

Identifier = Annotated[str, Field(min_length=1, max_length=512)]
Prefix = Annotated[str, Field(max_length=4096)]
Seconds = Annotated[float, Field(ge=0.0, le=1e7)]
Place = Annotated[str, Field(min_length=1, max_length=256, pattern=r"\S")]


class WireModel(BaseModel):
    """Frozen, closed to unknown fields, and without NaN or infinity."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, defer_build=True)

    @model_validator(mode="before")
    @classmethod
    def _few_fields(cls, value: object) -> object:
        # Each unknown field is a fault of its own: a megabyte of them would take seconds to tell.
        if isinstance(value, dict) and len(value) > MOST_FIELDS:  # pyright: ignore[reportUnknownArgumentType]
            raise ValueError(f"more than {MOST_FIELDS} fields, and most of them are not known")
        return value  # pyright: ignore[reportUnknownVariableType]


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
    origin: Origin = Field(
        default="seen",
        description="Where it is known from. `seen`: the image. `derived`: a step of reasoning. `given`: the question. "
        "Only seen facts are perception. The field's old name `modality` (`visual`, `textual`) is still read.",
    )
    confidence: float | None = Field(
        default=None,
        ge=0.0,
        le=1.0,
        description="Share of the trajectories that say so, where it was found in some. It changes no score.",
    )

    at: tuple[Seconds, Seconds] | None = Field(
        default=None, description="Of a video: the seconds from and to which it holds; twice the same for one moment."
    )
    page: int | None = Field(default=None, ge=1, le=1_000_000, description="Of a document: the page that shows it.")
    region: tuple[float, float, float, float] | None = Field(
        default=None, description="The box that shows it: left, top, right and bottom, in the image's own units."
    )
    view: Place | None = Field(default=None, description="Of a 3D scene: the view that shows it, such as `front`.")
    call: Place | None = Field(
        default=None,
        description="Of an agent: the tool's call whose result shows it, by its id or the tool's name. Only what the "
        "response says after that call is held against the fact.",
    )

    @property
    def identity(self) -> str:
        """What makes it the same fact to a judge as another: the fields of `IDENTIFYING`, spelt one way, in ASCII.
        Whatever keeps something about a fact keeps it by this."""
        return ascii(_identifying(self))

    @property
    def claim(self) -> str:
        """The text with where it holds, as a judge is asked it: `On page 3: The total is 5.`"""
        if self.at is None and self.page is None and self.view is None:
            return self.text
        view = None if self.view is None else self.view if self.view.endswith("view") else f"{self.view} view"
        where = (
            *(() if view is None else (f"in the {view}",)),
            *(() if self.page is None else (f"on page {self.page}",)),
            *(() if self.at is None else (_time(*self.at),)),
        )
        said = ", ".join(where)
        return f"{said[0].upper()}{said[1:]}: {self.text}"

    @model_validator(mode="after")
    def _ranges_go_forwards(self) -> Self:
        if self.at is not None and self.at[0] > self.at[1]:
            raise ValueError("at ends before it begins; give the seconds from and to")
        if self.region is not None and (self.region[0] > self.region[2] or self.region[1] > self.region[3]):
            raise ValueError("region ends before it begins; give left, top, right and bottom")
        return self

    @model_validator(mode="before")
    @classmethod
    def _by_its_old_name(cls, value: object) -> object:
        """Files from before `origin` say `modality`: `visual` for what is seen, `textual` for what is given."""
        if not isinstance(value, dict) or "modality" not in value:
            return value  # pyright: ignore[reportUnknownVariableType]
        fields = dict(cast("dict[str, object]", value))
        origin = _MODALITIES.get(str(fields.pop("modality")))
        if origin is None or fields.setdefault("origin", origin) != origin:
            raise ValueError("modality, the old name of origin, is visual (now seen) or textual (now given), and alone")
        return fields


# Every field of a fact is in one of these. What a judge may look at decides which fact it is; the rest counts
# afterwards, or says which words of a response a judge is given.
IDENTIFYING = ("text", "kind", "at", "page", "view")
INCIDENTAL = ("id", "weight", "polarity", "origin", "confidence", "region", "call")
_identifying = attrgetter(*IDENTIFYING)


def _time(start: float, end: float) -> str:
    """`at 0:12`, `from 0:12 to 1:03.5`."""
    one, other = (f"{int(seconds // 60)}:{'0' * (seconds % 60 < 10)}{seconds % 60:g}" for seconds in (start, end))
    return f"at {one}" if one == other else f"from {one} to {other}"


# The forms that a response and its parts come in. A fault's location holds the form between the names of fields; the
# parentheses tell the two apart.
_STRING, _LIST, _MESSAGE, _BLOCK = "(string)", "(list)", "(message)", "(block)"


class ContentBlock(BaseModel):
    """One block of a chat message. Text blocks count; images and all other blocks are dropped."""

    model_config = ConfigDict(extra="ignore", frozen=True, defer_build=True)

    type: str = "text"
    text: str | None = None

    def words(self) -> list[str] | None:
        """Its text; None where it is no text block."""
        return [self.text] if self.type in TEXT_BLOCKS and self.text is not None else None


def _form(part: object) -> str | None:
    if isinstance(part, str):
        return _STRING
    if isinstance(part, dict):
        return _MESSAGE if "role" in part or ("content" in part and "type" not in part) else _BLOCK
    if isinstance(part, Message):
        return _MESSAGE
    return _BLOCK if isinstance(part, ContentBlock) else None


def _block_form(part: object) -> str | None:
    return _BLOCK if isinstance(part, dict) else _form(part)


def _string_or_list(value: object) -> str | None:
    if isinstance(value, str):
        return _STRING
    return _LIST if isinstance(value, list) else None


class _AnyOf:
    """Says `anyOf` in the JSON schema: blocks and messages are open to unknown fields, so one value can match both."""

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        schema = handler(core)
        schema["anyOf"] = schema.pop("oneOf")
        return schema


# The form is settled first, and a list is read up to its first fault: a megabyte of bad parts has one fault to tell,
# not one for each part and each form that it does not have.
_Block: TypeAlias = Annotated[
    Annotated[ContentBlock, Tag(_BLOCK)] | Annotated[str, Tag(_STRING)],
    Discriminator(
        _block_form, custom_error_type="block_form", custom_error_message="Input should be a string or a content block"
    ),
]
_Content: TypeAlias = Annotated[
    Annotated[str, Tag(_STRING)] | Annotated[list[_Block], Field(max_length=MOST_PARTS, fail_fast=True), Tag(_LIST)],
    Discriminator(
        _string_or_list,
        custom_error_type="content_form",
        custom_error_message="Input should be a string or a list of content blocks",
    ),
]


class Message(BaseModel):
    """One chat message. The policy's words are those of role `assistant` or `model`, or of no role at all."""

    model_config = ConfigDict(extra="ignore", frozen=True, defer_build=True)

    role: str | None = None
    content: _Content | None = None
    text: str | None = Field(default=None, description="Read where a trainer has put the words beside `role`.")
    tool_call_id: Any = Field(default=None, description="Of a tool's message: the call whose result it holds.")
    name: Any = Field(default=None, description="Of a tool's message: the tool.")
    # Other servers put other things there, which are none of the policy's words.
    reasoning_content: Any = Field(default=None, description="The thought: it reads as `<think>…</think>` in front.")
    reasoning: Any = Field(default=None, description="The same, as vLLM calls it now.")
    thinking: Any = Field(default=None, description="The same, as some chat templates call it.")

    def words(self) -> list[str] | None:
        """The policy's words, its thought first; none for a content of null; None where there are no words, or those
        of others."""
        if self.role not in POLICY_ROLES:
            return None
        said, thought = self._said(), self.thought()
        return said if thought is None else [thought, *(said or ())]

    def thought(self) -> str | None:
        """The thought that a parser took out, back in its tags."""
        return thought_of([getattr(self, name) for name in THOUGHTS])

    def _said(self) -> list[str] | None:
        texts = [] if self.text is None else [self.text]
        if isinstance(self.content, str):
            return [self.content, *texts]
        if self.content:
            found = policy_words(self.content)
            return texts or None if found is None else found + texts
        return texts if texts or "content" in self.model_fields_set else None


_Part: TypeAlias = Annotated[
    Annotated[Message, Tag(_MESSAGE)] | Annotated[ContentBlock, Tag(_BLOCK)] | Annotated[str, Tag(_STRING)],
    Discriminator(
        _form,
        custom_error_type="part_form",
        custom_error_message="Input should be a string, a content block or a chat message",
    ),
    _AnyOf(),
]
Response: TypeAlias = Annotated[
    Annotated[str, Tag(_STRING)] | Annotated[list[_Part], Field(max_length=MOST_PARTS, fail_fast=True), Tag(_LIST)],
    Discriminator(
        _string_or_list,
        custom_error_type="response_form",
        custom_error_message="Input should be a string, or a list of chat messages or content blocks",
    ),
]


def thought_of(values: Sequence[object]) -> str | None:
    """The first text among what `THOUGHTS` holds, in its tags; None where there is none."""
    thought = next((value for value in values if isinstance(value, str) and value), None)
    return None if thought is None else f"<think>{thought}</think>"


def policy_words(parts: Sequence[Message | ContentBlock | str]) -> list[str] | None:
    """The texts in `parts` that are the policy's, in order; None where no part can hold such words."""
    spoken = [[part] if isinstance(part, str) else part.words() for part in parts]
    found = [words for words in spoken if words is not None]
    return [text for words in found for text in words] if found else None


class ScoreItem(WireModel):
    """One response to score."""

    id: Identifier | None = Field(default=None, description="Echoed in the result.")
    group: Identifier | None = Field(default=None, description="Responses to one prompt share a group.")
    annotation_id: Identifier | None = Field(default=None, description="The stored annotation to score against.")
    facts: Annotated[list[Fact], Field(max_length=MOST_FACTS, fail_fast=True)] | None = Field(
        default=None, description="Facts inline, instead of `annotation_id`."
    )
    response: Response = Field(description="A string, or chat messages or content blocks: their text is joined.")
    prefix: Prefix | None = Field(
        default=None,
        description="What the prompt's template had already written of the response, such as `<think>\\n`, or the end "
        "of the prompt: a thought that it opens counts as opened. Overrides the request's; empty for nothing.",
    )
    answer: Answer | None = Field(
        default=None,
        description="Reference answer, or a list of alternatives, any of which is right; overrides the annotation's.",
    )
    choices: Choices | None = Field(
        default=None,
        description="The options of a multiple-choice problem: in order (A, B, C, …), or a mapping of labels to texts.",
    )
    tolerance: Tolerance | None = Field(
        default=None,
        description="How far a number may be off, relative to the reference: 0.05 is 5 %. Overrides the request's.",
    )

    @field_validator("response")
    @classmethod
    def _has_words(cls, value: str | list[Message | ContentBlock | str]) -> str | list[Message | ContentBlock | str]:
        if value and not isinstance(value, str) and policy_words(value) is None:
            raise ValueError(
                "no part holds the policy's words: a text or output_text block, or the content of a message of role "
                "assistant or model, or of none; send an empty string for a policy that said nothing"
            )
        return value

    @model_validator(mode="after")
    def _one_source_of_facts(self) -> Self:
        if self.facts is not None and self.annotation_id is not None:
            raise ValueError("facts and annotation_id are both given; give one of them")
        if self.facts is not None and len({fact.id for fact in self.facts}) < len(self.facts):
            raise ValueError("two facts share an id; fact ids are unique within an item")
        return self


class ScoreRequest(WireModel):
    """The body of `POST /v1/score` and `POST /v1/score/stream`."""

    profile: str | None = Field(
        default=None, max_length=64, description="How components become one score; see `/v1/profiles`."
    )
    step: int | None = Field(default=None, ge=0, description="Training step; some profiles follow a schedule.")
    run: Identifier | None = Field(default=None, description="The run's label, for logs and metrics.")
    tolerance: Tolerance | None = Field(
        default=None, description="The items' tolerance for numbers; overrides the profile's."
    )
    prefix: Prefix | None = Field(default=None, description="The `prefix` of all items that have none of their own.")
    explain: bool = Field(default=False, description="Say of each fact why its verdict is what it is, as its `trace`.")
    # The first bad item is enough to say: telling a million of them would take the service seconds.
    items: list[ScoreItem] = Field(min_length=1, fail_fast=True)


class AnswerModel(BaseModel):
    """What the service says: as closed and frozen as what it is told, without a guard against its own words."""

    model_config = WireModel.model_config


class Trace(AnswerModel):
    """Why a verdict is what it is."""

    # A later service may have stages of its own.
    stage: Stage | str = Field(
        description="What decided. `rules`: they read the words. `evidence`: nothing in the response bears on the fact "
        "and no model was asked. `model`: it was. `pooled`: the model's word, taken together with the rules' reading."
    )
    sentences: list[str] = Field(description="What was read for the fact; empty where it is nothing, or the whole.")
    reason: str = Field(description="In a sentence.")


class FactResult(AnswerModel):
    """The judge's verdict about one fact and one response."""

    id: str
    verdict: Label
    probability: float = Field(ge=0.0, le=1.0, description="Probability of `stated`.")
    span: tuple[int, int] | None = Field(
        description="Character range [start, end) of the response that carries the fact."
    )
    trace: Trace | None = Field(
        default=None, exclude_if=lambda value: value is None, description="Why, where the request says `explain`."
    )


class ItemResult(AnswerModel):
    """The result for one item, in the order of the request."""

    id: str | None
    status: Literal["ok", "missing"]
    score: float | None = Field(description="Null when missing. Missing is never the number 0.")
    components: Components = Field(
        description="The parts of the reward that the profile names, the same for every item: `format` (0 or 1), "
        "`accuracy` (0 or 1; null without a reference answer), `perception` (the share of the facts, in [-1, 1]; null "
        "without facts), `repetition` (the penalty, from -2 to 0), and those that installed packages register."
    )
    facts: list[FactResult] | None
    # A later service has reasons of its own: an answer with one is no less an answer.
    reason: Reason | str | None = Field(description="Why the score is missing.")
    truncated: bool = Field(default=False, description="The response was longer than the judge's limit and was cut.")


class Summary(AnswerModel):
    """Counts over one request."""

    items: int
    missing: int
    reasons: dict[str, int] = Field(default_factory=dict, description="Missing items by reason.")
    without_facts: int = Field(
        default=0, description="Items whose perception is null because there are no facts that count."
    )
    without_answer: int = Field(
        default=0, description="Items whose accuracy is null because there is no reference answer."
    )
    warnings: list[str] = Field(
        default_factory=list,
        description="What quietly turns a part of the reward off, such as a misspelt column; a run is told once.",
    )
    annotations: str | None = Field(
        default=None,
        description="Version of the stored annotations that the items were scored against; null where none names one.",
    )
    facts: int = Field(description="Facts asked about, over all items.")
    cache_hits: int = Field(description="Verdicts answered by the cache.")
    judged: int = Field(description="Distinct verdicts that the judge had to make.")
    seconds: float


class ScoreResponse(AnswerModel):
    """The answer of `POST /v1/score`."""

    profile: str
    judge: str = Field(description="Fingerprint of all that can change a verdict.")
    results: list[ItemResult]
    summary: Summary


class StreamedResult(AnswerModel):
    """A line of `POST /v1/score/stream`: one result, as soon as it is ready."""

    index: int = Field(description="Position of the item in the request, from 0.")
    result: ItemResult


class StreamedSummary(AnswerModel):
    """The last line of `POST /v1/score/stream`."""

    profile: str
    judge: str
    summary: Summary


class Problem(BaseModel):
    """An RFC 9457 problem document, the body of every error."""

    model_config = ConfigDict(defer_build=True)

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    errors: list[dict[str, str]] | None = Field(default=None, description="Where and what, one entry per fault.")
