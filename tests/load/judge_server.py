"""A judge server without a model: it speaks vLLM's `/v1/completions`, and answers by a rule.

    python tests/load/judge_server.py PORT

The rule: what each answer's probability is follows from a checksum of the prompt, so that the same question is always
answered alike, by whichever server, and any change of a prompt changes its scores. It says nothing about how good or
how fast a real judge is.

PUT /mode     {"mode": "well" | "slow" | "garbage", "seconds": …}: how it answers from now on
GET /asked    how often each prompt was asked since the start, or since `DELETE /asked`
"""

from __future__ import annotations

import asyncio
import itertools
import json
import math
import sys
from collections import Counter
from collections.abc import Sequence
from hashlib import blake2b
from typing import Any

from aiohttp import web

# What no reply of vLLM's looks like: each of these must leave its verdicts missing, or be asked of another server.
GARBAGE = (
    b"\x00\xff\xfe garbage",
    b"",
    b"<html>502</html>",
    b'{"choices": [{"index": 0, "text": "", "logprobs": {"top_logprobs": [{"token_id:1": NaN}]}}]}',
    b'{"choices": []}',
    b'{"choices": [{"index": 0}, {"index": 0}]}',
)


class Judge:
    """asked: how often, by the checksum of the prompt."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        self.mode = "well"
        self.seconds = 0.0
        self._garbage = itertools.cycle(GARBAGE)

    async def complete(self, request: web.Request) -> web.Response:
        body = await request.json()
        digests = [blake2b(json.dumps(prompt).encode(), digest_size=12).digest() for prompt in body["prompt"]]
        self.asked.update(digest.hex() for digest in digests)
        if self.mode == "slow":
            await asyncio.sleep(self.seconds)
        if self.mode == "garbage":
            return web.Response(body=next(self._garbage), content_type="application/json")
        choices = [choice(index, digest, body["logprob_token_ids"]) for index, digest in enumerate(digests)]
        return web.json_response({"choices": choices})

    async def models(self, request: web.Request) -> web.Response:
        return web.json_response({"data": [{"id": "rule"}]})

    async def change(self, request: web.Request) -> web.Response:
        wanted = await request.json()
        self.mode, self.seconds = wanted["mode"], wanted.get("seconds", 0.0)
        return web.Response(status=204)

    async def tell(self, request: web.Request) -> web.Response:
        return web.json_response(self.asked)

    async def forget(self, request: web.Request) -> web.Response:
        self.asked.clear()
        return web.Response(status=204)


def choice(index: int, digest: bytes, answers: Sequence[int]) -> dict[str, Any]:
    """What vLLM says of one prompt: the log-probability of each answer, which add up to less than 1."""
    weights = [math.exp(4.0 * digest[n % len(digest)] / 255) for n in range(len(answers))]
    total = sum(weights) * 1.01
    top = {f"token_id:{answer}": math.log(weight / total) for answer, weight in zip(answers, weights, strict=True)}
    return {"index": index, "text": "", "logprobs": {"top_logprobs": [top]}}


def main(port: int) -> None:
    judge = Judge()
    app = web.Application(client_max_size=1 << 28)
    app.router.add_post("/v1/completions", judge.complete)
    app.router.add_get("/v1/models", judge.models)
    app.router.add_put("/mode", judge.change)
    app.router.add_get("/asked", judge.tell)
    app.router.add_delete("/asked", judge.forget)
    # SIGTERM lets what is under way finish, as vLLM's --shutdown-timeout does.
    web.run_app(app, host="127.0.0.1", port=port, shutdown_timeout=30, access_log=None, print=None)


if __name__ == "__main__":
    main(int(sys.argv[1]))
