from __future__ import annotations

import json
import math
import subprocess
import sys
import time
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

import perception_reward.trainer_client as client
from perception_reward.trainer_client.wire import (
    AnswerModel,
    Components,
    ContentBlock,
    Fact,
    FactResult,
    ItemResult,
    Label,
    Message,
    ScoreItem,
    ScoreRequest,
    ScoreResponse,
    Summary,
    WireModel,
)

# Surrogates are no Unicode text; the service mends them before it validates.
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
IDS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30)
SINGLES = TEXTS | st.integers(-(10**12), 10**12) | st.floats(allow_nan=False, allow_infinity=False)
WEIGHTS = st.floats(0, 1000, allow_nan=False)
FACTS = st.builds(
    Fact,
    id=IDS,
    text=TEXTS.map(lambda text: "x" + text),
    kind=IDS,
    weight=WEIGHTS,
    polarity=st.sampled_from(["present", "distractor"]),
    origin=st.sampled_from(["seen", "derived", "given"]),
)
BLOCKS = st.builds(ContentBlock, type=st.sampled_from(["text", "image_url"]), text=TEXTS)
MESSAGES = st.builds(
    Message,
    role=st.sampled_from(["assistant", "user"]),
    content=TEXTS | st.lists(TEXTS | BLOCKS, max_size=3),
)
ITEMS = st.builds(
    ScoreItem,
    id=st.none() | IDS,
    group=st.none() | IDS,
    facts=st.none() | st.lists(FACTS, max_size=4, unique_by=lambda fact: fact.id),
    # A list in which the policy says nothing is refused, so each has at least an empty string.
    response=TEXTS | st.lists(MESSAGES | BLOCKS | TEXTS, max_size=3).map(lambda parts: [*parts, ""]),
    answer=st.none() | SINGLES | st.lists(SINGLES, min_size=1, max_size=3),
    choices=st.none() | st.lists(SINGLES, max_size=26) | st.dictionaries(TEXTS, SINGLES, max_size=5),
    tolerance=st.none() | st.floats(0, 0.99),
)
REQUESTS = st.builds(
    ScoreRequest,
    profile=st.none() | TEXTS,
    step=st.none() | st.integers(0, 10**9),
    run=st.none() | IDS,
    items=st.lists(ITEMS, min_size=1, max_size=3),
)
NUMBERS = st.none() | st.floats(-2, 2)
RESULTS = st.builds(
    ItemResult,
    id=st.none() | IDS,
    status=st.sampled_from(["ok", "missing"]),
    score=NUMBERS,
    components=st.dictionaries(st.text(min_size=1), NUMBERS, max_size=5),
    facts=st.none()
    | st.lists(
        st.builds(
            FactResult,
            id=IDS,
            verdict=st.sampled_from(get_args(Label)),
            probability=st.floats(0, 1),
            span=st.none() | st.tuples(st.integers(0, 9), st.integers(9, 99)),
        ),
        max_size=3,
    ),
    reason=st.none() | st.just("judge_timeout"),
)

FACT: dict[str, Any] = {"id": "f1", "text": "Segment AB has length 5."}
ITEM: dict[str, Any] = {"response": "AB = 5"}


def faults(item: dict[str, Any]) -> list[tuple[int | str, ...]]:
    with pytest.raises(ValidationError) as caught:
        ScoreRequest.model_validate({"items": [item]})
    return [fault["loc"] for fault in caught.value.errors()]


@given(REQUESTS)
def test_a_request_comes_back_from_json_as_it_was(request: ScoreRequest) -> None:
    assert ScoreRequest.model_validate_json(request.model_dump_json(exclude_none=True)) == request
    assert ScoreRequest.model_validate(json.loads(request.model_dump_json())) == request


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("answer", True), ("answer", []), ("answer", [[1]]), ("answer", {"a": 1}), ("answer", [None]),
        ("choices", "ABC"), ("choices", [["30"]]), ("choices", {"A": True}),
        ("choices", {str(n): "" for n in range(27)}), ("tolerance", -0.1), ("tolerance", 1), ("tolerance", "much"),
    ],
)  # fmt: skip
def test_what_is_no_reference_option_or_tolerance_is_refused_by_its_name(field: str, value: object) -> None:
    assert {place[2] for place in faults({**ITEM, field: value})} == {field}


@given(st.lists(RESULTS, max_size=3))
def test_a_response_comes_back_from_json_to_the_last_bit(results: list[ItemResult]) -> None:
    summary = Summary(items=len(results), missing=0, facts=0, cache_hits=0, judged=0, seconds=0.1)
    response = ScoreResponse(profile="p", judge="j", results=results, summary=summary)
    assert ScoreResponse.model_validate_json(response.model_dump_json()) == response


@given(REQUESTS)
def test_a_request_s_json_is_standard_json(request: ScoreRequest) -> None:
    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    json.loads(request.model_dump_json(), parse_constant=refuse)


@given(st.dictionaries(TEXTS, st.none() | st.booleans() | st.floats() | TEXTS | st.lists(TEXTS), max_size=4))
def test_what_has_no_response_is_refused_and_every_fault_names_its_item(item: dict[str, Any]) -> None:
    item.pop("response", None)
    assert all(place[:2] == ("items", 0) for place in faults(item))


@pytest.mark.parametrize(
    ("item", "place"),
    [
        ({}, ("items", 0, "response")),
        ({**ITEM, "anotation_id": "p1"}, ("items", 0, "anotation_id")),
        ({**ITEM, "annotation_id": ""}, ("items", 0, "annotation_id")),
        ({**ITEM, "id": "x" * 513}, ("items", 0, "id")),
        ({**ITEM, "facts": [{**FACT, "wieght": 2}]}, ("items", 0, "facts", 0, "wieght")),
        ({**ITEM, "facts": [{**FACT, "text": " \n"}]}, ("items", 0, "facts", 0, "text")),
        ({**ITEM, "facts": [{**FACT, "text": "x" * 2001}]}, ("items", 0, "facts", 0, "text")),
        ({**ITEM, "facts": [{**FACT, "polarity": "absent"}]}, ("items", 0, "facts", 0, "polarity")),
        ({**ITEM, "facts": [{**FACT, "weight": -1}]}, ("items", 0, "facts", 0, "weight")),
        ({**ITEM, "facts": [{**FACT, "weight": math.nan}]}, ("items", 0, "facts", 0, "weight")),
        ({**ITEM, "facts": [{**FACT, "weight": math.inf}]}, ("items", 0, "facts", 0, "weight")),
        ({**ITEM, "choices": ["x"] * 27}, ("items", 0, "choices", "(list)")),
    ],
)
def test_a_fault_names_the_item_and_the_field(item: dict[str, Any], place: tuple[int | str, ...]) -> None:
    assert faults(item) == [place]


def test_facts_come_from_one_source_only() -> None:
    assert faults({**ITEM, "facts": [FACT], "annotation_id": "p1"}) == [("items", 0)]
    assert faults({**ITEM, "facts": [], "annotation_id": "p1"}) == [("items", 0)]
    assert ScoreItem.model_validate({**ITEM, "facts": None, "annotation_id": "p1"}).facts is None


def test_two_facts_of_an_item_cannot_share_an_id() -> None:
    assert faults({**ITEM, "facts": [FACT, FACT]}) == [("items", 0)]


@pytest.mark.parametrize(("old", "origin"), [("visual", "seen"), ("textual", "given")])
def test_where_a_fact_is_known_from_is_read_by_its_old_name_and_written_by_the_new(old: str, origin: str) -> None:
    fact = Fact.model_validate({"id": "f1", "text": "AB = 5.", "modality": old})
    assert fact == Fact.model_validate_json(
        f'{{"id": "f1", "text": "AB = 5.", "modality": "{old}", "origin": "{origin}"}}'
    )
    assert fact.model_dump()["origin"] == origin
    assert "modality" not in fact.model_dump()


@pytest.mark.parametrize(
    "known",
    [
        {"modality": "auditory"},
        {"modality": "seen"},
        {"modality": None},
        {"modality": "visual", "origin": "given"},
        {"origin": "textual"},
    ],
)
def test_an_origin_that_is_none_is_refused(known: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match=r"origin|modality"):
        Fact.model_validate({"id": "f1", "text": "AB = 5.", **known})


def test_a_request_without_items_is_refused() -> None:
    with pytest.raises(ValidationError):
        ScoreRequest(items=[])


@pytest.mark.parametrize(
    ("given_", "kind"),
    [
        ({"role": "assistant", "content": "AB = 5"}, Message),
        ({"role": "assistant", "content": [{"type": "text", "text": "AB = 5"}]}, Message),
        ({"role": "assistant", "content": None, "tool_calls": []}, Message),
        ({"role": "user", "type": "text", "text": "AB = 5"}, Message),
        ({"type": "reasoning", "content": []}, ContentBlock),
        ({"type": "text", "text": "AB = 5"}, ContentBlock),
        ({"text": "AB = 5"}, ContentBlock),
        ({"type": "image_url", "image_url": {"url": "data:"}}, ContentBlock),
        ("AB = 5", str),
    ],
)
def test_the_parts_of_a_response_are_told_apart_by_their_fields(given_: object, kind: type) -> None:
    item = ScoreItem.model_validate({"response": [given_, "said"]})
    assert isinstance(item.response, list)
    assert isinstance(item.response[0], kind)


@pytest.mark.parametrize(
    "item",
    [
        {"response": [1] * 300_000},
        {"response": ["a"] * 300_000},
        {"response": [{"role": "assistant", "content": [1] * 300_000}]},
        {"response": [{"role": "assistant", "content": ["a"] * 300_000}]},
        {"response": [{"type": 1}] * 300_000},
        {"response": "a", "facts": [1] * 300_000},
        {"response": "a", "choices": [1] * 300_000},
        {"response": "a", **{f"field {number}": 1 for number in range(100_000)}},
        {"response": "a", "facts": [{**FACT, **{f"field {number}": 1 for number in range(100_000)}}]},
    ],
    ids=["parts", "strings", "content", "content strings", "blocks", "facts", "choices", "fields", "fields of a fact"],
)
def test_an_item_of_nothing_but_faults_has_few_to_tell(item: dict[str, Any]) -> None:
    started = time.process_time()
    assert len(faults(item)) <= 2
    assert time.process_time() - started < 0.5, "it takes some 5 ms on a free core"


def test_the_fault_of_a_part_names_its_field() -> None:
    place = faults({"response": ["a", {"role": "assistant", "content": [{"type": "text", "text": 3}]}]})[0]
    assert [part for part in place if not str(part).startswith("(")] == [
        *("items", 0, "response", 1, "content", 0, "text")
    ]


@pytest.mark.parametrize(
    "response",
    [
        [{"type": "image"}],
        [{"role": "user", "content": "AB = 5"}],
        [{"role": "assistant", "content": [{"type": "image"}]}],
        [{"role": "model", "parts": [{"text": "AB = 5"}]}],
        [{"from": "gpt", "value": "AB = 5"}],
    ],
)
def test_a_list_in_which_the_policy_cannot_have_said_anything_is_refused(response: list[Any]) -> None:
    assert faults({"response": response}) == [("items", 0, "response")]


@pytest.mark.parametrize("probability", [-0.01, 1.01, math.nan])
def test_a_probability_lies_between_0_and_1(probability: float) -> None:
    with pytest.raises(ValidationError):
        FactResult(id="f", verdict="stated", probability=probability, span=None)


@pytest.mark.parametrize("score", [math.nan, math.inf, -math.inf])
def test_no_score_or_component_is_other_than_finite(score: float) -> None:
    with pytest.raises(ValidationError):
        ItemResult(id=None, status="ok", score=1.0, components={"format": score}, facts=None, reason=None)
    components = Components(format=None, accuracy=None, perception=None, repetition=None)
    with pytest.raises(ValidationError):
        ItemResult(id=None, status="ok", score=score, components=components, facts=None, reason=None)


@pytest.mark.parametrize(
    "model", WireModel.__subclasses__() + AnswerModel.__subclasses__(), ids=lambda model: model.__name__
)
def test_a_model_cannot_be_changed(model: type[WireModel | AnswerModel]) -> None:
    assert model.model_config.get("frozen")
    assert model.model_config.get("extra") == "forbid"


def test_what_the_client_offers_is_there() -> None:
    assert all(hasattr(client, name) for name in client.__all__)


def test_the_client_imports_nothing_that_a_trainer_s_pins_could_fight_over() -> None:
    heavy = ("torch", "transformers", "tokenizers", "vllm", "redis", "fastapi", "starlette", "uvicorn", "numpy")
    heavy += ("pyarrow", "ray", "prometheus_client", "typer", "math_verify", "sympy", "pydantic_settings")
    script = (
        "import sys, perception_reward.trainer_client.wire\n"
        f"print(*[name for name in {heavy!r} if name in sys.modules])\n"
        "print(*[name for name in sys.modules if name.startswith(('perception_reward.service', "
        "'perception_reward.annotations'))])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.split() == []


@pytest.mark.parametrize(
    ("place", "claim"),
    [
        ({}, "The total is 5."),
        ({"page": 3}, "On page 3: The total is 5."),
        ({"view": "front"}, "In the front view: The total is 5."),
        ({"view": "top view", "page": 2}, "In the top view, on page 2: The total is 5."),
        ({"at": [5, 5]}, "At 0:05: The total is 5."),
        ({"at": [62.5, 130]}, "From 1:02.5 to 2:10: The total is 5."),
        ({"region": [0, 0, 4, 4], "call": "c1"}, "The total is 5."),
    ],
)
def test_a_claim_says_where_the_fact_holds(place: dict[str, Any], claim: str) -> None:
    fact = Fact.model_validate({"id": "f", "text": "The total is 5.", **place})
    assert fact.claim == claim
    assert Fact.model_validate_json(fact.model_dump_json(exclude_defaults=True)) == fact


@pytest.mark.parametrize(
    "place",
    [{"at": [5, 2]}, {"at": [-1, 2]}, {"at": 5}, {"page": 0}, {"region": [5, 0, 2, 4]}, {"view": " "}, {"call": ""}],
)
def test_a_place_that_is_none_is_refused(place: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Fact.model_validate({"id": "f", "text": "The total is 5.", **place})
