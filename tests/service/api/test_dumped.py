from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import BaseModel

from perception_reward.service.api.dumped import dumped


class One(BaseModel):
    text: str


class Answer(BaseModel):
    before: str = 'a "]}'
    ones: list[One]
    after: float | None = None


class Bare(BaseModel):
    ones: list[One]


@pytest.mark.parametrize("model", [Answer, Bare])
@pytest.mark.parametrize("texts", [[], ["é"], ["]", '"', "\n"]])
async def test_it_reads_as_what_is_written_at_once(model: type[BaseModel], texts: list[str]):
    answer = model.model_validate({"ones": [{"text": text} for text in texts]})
    assert json.loads(await dumped(answer, "ones")) == json.loads(answer.model_dump_json())


async def test_others_have_their_turn_while_much_is_written(turns: Any):
    async with turns() as taken:
        await dumped(Bare(ones=[One(text="a")] * 100_000), "ones")
    assert taken() > 3
