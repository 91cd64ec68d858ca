from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx


async def test_a_request_that_finds_no_place_is_counted(serve: Callable[..., Any]):
    here = await serve(max_items=2, max_pending_items=2)
    with here.service.admission.admit(2):
        async with httpx.AsyncClient(base_url=here.url) as client:
            for path in ("/v1/score", "/v1/score/stream"):
                answer = await client.post(path, json={"items": [{"response": "x"}]})
                assert answer.status_code == 429
    assert 'perception_reward_refused_total{reason="overloaded"} 2.0' in here.service.metrics.exposition().decode()
