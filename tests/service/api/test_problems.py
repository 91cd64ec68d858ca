from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from perception_reward.service.api.problems import MOST_NAME, where


@pytest.mark.parametrize(
    ("location", "path"),
    [
        (("body",), "body"),
        (("body", "items", 3, "response"), "items[3].response"),
        (("body", "items", 3, "response", "(list)", 2, "(block)", "text"), "items[3].response[2].text"),
        (("query", "limit"), "query.limit"),
    ],
)
def test_a_place_reads_as_its_path(location: tuple[object, ...], path: str):
    assert where(location) == path


def test_a_long_name_is_cut():
    assert len(where(("body", "n" * 1_000_000))) == MOST_NAME


async def test_a_request_that_finds_no_place_is_counted(serve: Callable[..., Any]):
    here = await serve(max_items=2, max_pending_items=2)
    with here.service.admission.admit(2):
        async with httpx.AsyncClient(base_url=here.url) as client:
            for path in ("/v1/score", "/v1/score/stream"):
                answer = await client.post(path, json={"items": [{"response": "x"}]})
                assert answer.status_code == 429
    assert 'perception_reward_refused_total{reason="overloaded"} 2.0' in here.service.metrics.exposition().decode()
