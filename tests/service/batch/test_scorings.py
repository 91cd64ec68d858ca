from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from perception_reward.annotations.jsonl import write_jsonl
from perception_reward.annotations.model import Annotation
from perception_reward.service.assembly import assemble
from perception_reward.service.batch import scorings
from perception_reward.service.batch.chunks import Asking, score_chunk
from perception_reward.service.batch.scorings import ServiceScoring, UrlScoring
from perception_reward.service.settings import load
from perception_reward.trainer_client.client import RewardClient
from perception_reward.trainer_client.errors import InvalidItem
from perception_reward.trainer_client.wire import Fact, ItemResult, ScoreItem

from ..conftest import serve_here
from .test_chunks import Recorded, chunk, rows

NAMED = [{"id": f"r-{n}", "annotation_id": f"shapes/{n}", "response": "AB = 5"} for n in range(6)]


async def test_services_share_the_load_and_one_that_dies_loses_no_row():
    async with AsyncExitStack() as stack:
        one = await stack.enter_async_context(serve_here())
        dying = AsyncExitStack()
        other = await dying.enter_async_context(serve_here())
        async with RewardClient([one.url, other.url], missing_limit=1.0, timeout=60, request_items=8) as client:
            scoring = UrlScoring(client)
            before = await score_chunk(chunk(*rows(64)), Asking(), scoring)
            assert one.judge.batches
            assert other.judge.batches
            await dying.aclose()
            behind = await score_chunk(chunk(*rows(64)), Asking(), scoring)
    for scored in (before, behind):
        assert scored.tally.items == 64
        assert scored.missing == []


async def test_an_item_that_a_service_refuses_is_missing_alone():
    class Refusing:
        async def score(self, items: Sequence[ScoreItem], step: int | None) -> list[ItemResult]:
            for place, item in enumerate(items):
                if item.id == "r-2":
                    raise InvalidItem("items[2]: no", index=place)
            return await Recorded().score(items, step)

    scored = await score_chunk(chunk(*rows(5)), Asking(), UrlScoring(Refusing()))  # pyright: ignore[reportArgumentType]
    found = [json.loads(line) for line in scored.results[0].splitlines()]
    assert [one["status"] for one in found] == ["ok", "ok", "missing", "ok", "ok"]
    assert [one["id"] for one in found] == [f"r-{number}" for number in range(5)]


async def test_items_are_missing_where_no_service_has_ever_answered():
    async with RewardClient(["http://127.0.0.1:9"], missing_limit=1.0, timeout=2, check=False) as client:
        scored = await score_chunk(chunk(*rows(3)), Asking(), UrlScoring(client))
    assert scored.tally.reasons == {"service_unavailable": 3}
    assert len(scored.missing) == 3


def stored(folder: Path) -> str:
    """Annotations of the first five of `NAMED`."""
    fact = Fact(id="f", text="Segment AB has length 5.")
    write_jsonl(folder / "a.jsonl", [Annotation(id=f"shapes/{n}", facts=[fact], answer="5") for n in range(5)])
    return str(folder / "a.jsonl")


def explained(line: str | bytes) -> dict[str, Any]:
    return json.loads(line)["explained"]


async def test_stored_facts_are_explained_with_their_texts_and_answers(tmp_path: Path):
    service = assemble(load(workers=1, annotations=stored(tmp_path)), preload=())
    async with service.running():
        scored = await score_chunk(chunk(*NAMED), Asking(explain=True), ServiceScoring(service, explain=True))
    lines = scored.results[0].splitlines()
    assert explained(lines[0]) == {
        "response": NAMED[0]["response"],
        "answer": "5",
        "annotation_id": "shapes/0",
        "facts": [
            {
                "id": "f",
                "text": "Segment AB has length 5.",
                "verdict": "stated",
                "words": "AB = 5",
                "trace": {
                    "stage": "rules",
                    "sentences": ["AB = 5"],
                    "reason": "The rules read the fact in these words.",
                },
            }
        ],
    }
    assert list(json.loads(lines[0])["facts"][0]) == ["id", "verdict", "probability", "span"]
    assert (explained(lines[5])["answer"], explained(lines[5])["facts"]) == (None, [])


@pytest.mark.parametrize("kept", [2, 100])
async def test_a_service_is_asked_for_the_facts_that_it_stores_once(
    tmp_path: Path, kept: int, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(scorings, "KEPT", kept)
    async with (
        serve_here(annotations=stored(tmp_path)) as here,
        RewardClient(["http://127.0.0.1:9", here.url], missing_limit=1.0) as client,
    ):
        scoring = UrlScoring(client)
        found = await scoring.annotations([row["annotation_id"] for row in NAMED])
        assert {name: one.facts[0].text for name, one in found.items()} == dict.fromkeys(
            [f"shapes/{n}" for n in range(5)], "Segment AB has length 5."
        )
    # Nobody answers any more: what is found now was kept.
    later = await scoring.annotations([f"shapes/{n}" for n in range(5)])
    assert len(later) == (5 if kept == 100 else 1)
