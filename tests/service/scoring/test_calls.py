from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from perception_reward.service.assembly import assemble
from perception_reward.service.scoring.calls import after_call, without_results
from perception_reward.service.scoring.responses import response_text
from perception_reward.service.settings import load
from perception_reward.trainer_client.wire import ItemResult, ScoreItem, ScoreRequest

CALL = '<tool_call>{"name": "get_weather"}</tool_call>'
STRING = f"I look. It is 9. {CALL}<tool_response>21 degrees</tool_response>It is 21 degrees."
MESSAGES: list[dict[str, Any]] = [
    {"role": "user", "content": "How warm is it?"},
    {"role": "assistant", "content": "I look. It is 9.", "tool_calls": [{"id": "c1"}]},
    {"role": "tool", "tool_call_id": "c1", "name": "get_weather", "content": "21 degrees"},
    {"role": "assistant", "content": "It is 21 degrees."},
]


def behind(response: Any, call: str) -> str:
    item = ScoreItem.model_validate({"response": response})
    text = response_text(item.response)
    return text[after_call(item.response, text, call) :]


@pytest.mark.parametrize("call", ["c1", "get_weather"])
def test_in_messages_what_follows_the_tools_message_is_behind_the_call(call: str):
    assert behind(MESSAGES, call) == "It is 21 degrees."


def test_in_a_string_what_follows_the_result_is_behind_the_call():
    assert behind(STRING, "get_weather") == "It is 21 degrees."
    assert behind("I call c7 now. Then 5.", "c7") == " now. Then 5."


@pytest.mark.parametrize("response", [STRING, MESSAGES])
def test_of_a_call_that_was_not_made_all_of_the_response_counts(response: Any):
    assert behind(response, "get") == response_text(ScoreItem(response=response).response)


def test_a_tools_results_are_blank_and_all_else_keeps_its_place():
    told = without_results(STRING)
    assert "21 degrees</tool" not in told
    assert len(told) == len(STRING)
    assert told.index("It is 21") == STRING.index("It is 21")
    assert without_results("a <tool_response>cut off").strip() == "a"


README = (Path(__file__).resolve().parents[3] / "annotations" / "README.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^\| (?:video|document|3D|agent) \| (\{.*?\}) \| (.*?) \| (\w+) \|$", README, re.MULTILINE)


@pytest.fixture(scope="module")
def score() -> Callable[[list[dict[str, Any]]], list[ItemResult]]:
    def run(items: list[dict[str, Any]]) -> list[ItemResult]:
        async def scored() -> list[ItemResult]:
            service = assemble(load(workers=1), preload=())
            async with service.running():
                deadline = asyncio.get_running_loop().time() + 60
                return (await service.scorer.score(ScoreRequest.model_validate({"items": items}), deadline)).results

        return asyncio.run(scored())

    return run


def verdicts(results: list[ItemResult]) -> list[str]:
    return [fact.verdict for result in results for fact in result.facts or ()]


def test_the_worked_examples_of_the_readme_are_judged_as_it_says(score: Callable[..., list[ItemResult]]):
    assert len(EXAMPLES) == 9
    items = [
        {"response": response, "facts": [{"id": "f", "kind": "count", **json.loads(fact)}]}
        for fact, response, _ in EXAMPLES
    ]
    assert verdicts(score(items)) == [verdict for *_, verdict in EXAMPLES]


def test_an_agent_is_held_to_what_it_says_after_the_result_and_the_span_is_the_responses(
    score: Callable[..., list[ItemResult]],
):
    warm, cold = ({"id": name, "text": f"The temperature in Oslo is {name} °C.", "call": "c1"} for name in ("21", "9"))
    told = [{**message} for message in MESSAGES]
    told[1]["content"], told[3]["content"] = "The temperature in Oslo is 9 °C.", "The temperature in Oslo is 21 °C."
    (result,) = score([{"response": told, "facts": [warm, cold]}])
    assert verdicts([result]) == ["stated", "contradicted"]
    assert result.facts is not None
    start, end = result.facts[0].span or (0, 0)
    text = response_text(ScoreItem.model_validate({"response": told}).response)
    assert text[start:end] in "The temperature in Oslo is 21 °C."
    assert "21" in text[start:end]
