"""A judge over HTTP that is killed, hangs, or answers nonsense: its items are missing, and nothing else is."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from aiohttp import web

from perception_reward.service.judges.llm.answers import Answers
from perception_reward.service.judges.llm.verdict import WORDS
from perception_reward.service.judges.llm.vocabulary import Vocabulary

pytestmark = pytest.mark.asyncio(loop_scope="module")

FACTS = [{"id": "f1", "text": "Segment AB has length 5."}, {"id": "f2", "text": "Angle ABC measures 90 degrees."}]
RESPONSE = "<think>\nAB = 5.\n</think>\n<answer>\n\\boxed{13}\n</answer>"
NUMBERS = count()


@dataclass(frozen=True)
class Running:
    """A service and its one judge server."""

    http: httpx.AsyncClient
    judge: Any

    async def ready(self) -> bool:
        return (await self.http.get("/readyz")).status_code == 200

    async def score(self, timeout: float = 10.0) -> dict[str, Any]:
        """The result of a response that was never judged before. It takes no longer than `timeout` allows."""
        return await score(self.http, timeout)

    async def recovered(self) -> None:
        """Return once the judge is asked again, which may take as long as it was left alone for."""
        async with asyncio.timeout(15):
            while not (await self.ready() and (await self.score())["status"] == "ok"):  # noqa: ASYNC110
                await asyncio.sleep(0.05)


def item() -> dict[str, Any]:
    return {"response": f"{RESPONSE}{' ' * next(NUMBERS)}", "facts": FACTS, "answer": "13"}


async def score(http: httpx.AsyncClient, timeout: float = 10.0) -> dict[str, Any]:
    answer = await http.post("/v1/score", json={"items": [item()]}, headers={"X-Request-Timeout": str(timeout)})
    assert answer.status_code == 200, answer.text
    return answer.json()["results"][0]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(
    start_judge: Callable[[], Awaitable[Any]], start_shared_process: Callable[..., Any], tokenizer_folder: Path
) -> AsyncIterator[Running]:
    judge = await start_judge()
    options = ("--judge-tokenizer", str(tokenizer_folder), "--judge-method", "paper", "--workers", "1")
    service = start_shared_process("--judge", f"openai:{judge.url}#m", *options)
    async with httpx.AsyncClient(base_url=service.url, timeout=30) as http:
        yield Running(http, judge)


async def break_(judge: Any, fault: str) -> None:
    """Break the judge. Only a killed or hung server is one that cannot be reached."""
    match fault:
        case "killed":
            await judge.kill()
        case "hung":
            judge.reply = judge.models = judge.hang
        case "500":
            judge.reply = judge.models = judge.says("boom", 500)
        case "400":
            judge.reply = judge.says('{"error": {"message": "no such option"}}', 400)
        case "429":
            judge.reply = judge.says("busy", 429, Retry_After="3")
        case "no JSON":
            judge.reply = judge.says("<html>gateway</html>")
        case "other JSON":
            judge.reply = judge.says('[{"choices": NaN}]')
        case "deep JSON":
            judge.reply = judge.says("[" * 100_000)
        case "no end":
            judge.reply = judge.endless
        case "packed":
            judge.reply = judge.packed
        case "large":
            judge.reply = judge.says(" " * 10_000_000)
        case "no verdict":
            judge.reply = judge.writes("I cannot help with that.")
        case "half a verdict":
            judge.reply = judge.writes("<info1>1</info1>")
        case _:
            raise AssertionError(fault)


@pytest.mark.parametrize(
    ("fault", "reason", "ready"),
    [
        ("killed", "judge_unavailable", False),
        ("hung", "judge_timeout", False),
        ("500", "judge_unavailable", False),
        ("400", "judge_unavailable", True),
        ("429", "judge_unavailable", True),
        ("no JSON", "judge_unparseable", True),
        ("other JSON", "judge_unparseable", True),
        ("deep JSON", "judge_unparseable", True),
        ("no end", "judge_unparseable", True),
        ("packed", "judge_unparseable", True),
        ("large", "judge_unparseable", True),
        ("no verdict", "judge_unparseable", True),
        ("half a verdict", "judge_unparseable", True),
    ],
)
async def test_a_judge_that_fails_leaves_its_items_missing_until_it_is_well_again(
    running: Running, fault: str, reason: str, ready: bool
):
    assert (await running.score())["status"] == "ok"
    await break_(running.judge, fault)
    # Long enough for all tries where there is something to be tried; a hung server uses up whatever there is.
    result = await running.score(timeout=1.5 if fault in ("hung", "429") else 10)
    assert (result["status"], result["reason"], result["score"], result["facts"]) == ("missing", reason, None, None)
    assert result["components"]["perception"] is None
    assert (result["components"]["format"], result["components"]["accuracy"]) == (1.0, 1.0)
    assert await running.ready() is ready
    running.judge.heal()
    await running.judge.start()
    await running.recovered()


async def test_replies_that_are_not_taken_are_counted(running: Running, metric: Callable[..., float]):
    def counted(fault: str) -> float:
        return metric(str(running.http.base_url), "judge_unusable_replies_total", fault=fault)

    for fault, name in (("no end", "size"), ("packed", "encoding"), ("no JSON", "content")):
        before = await asyncio.to_thread(counted, name)
        await break_(running.judge, fault)
        assert (await running.score())["reason"] == "judge_unparseable"
        assert await asyncio.to_thread(counted, name) == before + 1
        running.judge.heal()
        await running.recovered()


async def test_a_busy_judge_is_asked_again_when_it_said_so(running: Running):
    busy = running.judge.says("busy", 429, Retry_After="0.3")

    async def busy_once(request: object) -> object:
        running.judge.reply = running.judge.stated
        return await busy(request)

    running.judge.reply = busy_once
    assert (await running.score())["status"] == "ok"


@pytest.mark.parametrize("path", ["/v1/score", "/v1/score/stream"])
async def test_a_client_that_goes_away_takes_its_judge_requests_with_it(running: Running, path: str):
    running.judge.heal()
    running.judge.reply = running.judge.hang
    request = asyncio.create_task(running.http.post(path, json={"items": [item()]}))
    async with asyncio.timeout(15):
        await running.judge.asked.wait()
        request.cancel()
        await running.judge.gone.wait()
    running.judge.heal()
    await running.recovered()


async def test_what_two_clients_wait_for_goes_on_when_one_goes_away(running: Running):
    running.judge.heal()
    answered, may_answer = running.judge.answered, asyncio.Event()

    async def when_told(request: object) -> object:
        await may_answer.wait()
        return await running.judge.stated(request)

    running.judge.reply = when_told
    shared = {"items": [item()]}
    first = asyncio.create_task(running.http.post("/v1/score", json=shared))
    await running.judge.asked.wait()
    second = asyncio.create_task(running.http.post("/v1/score", json=shared))
    async with asyncio.timeout(15):
        while "perception_reward_pending_items 2.0" not in (await running.http.get("/metrics")).text:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
        first.cancel()
        while "perception_reward_pending_items 1.0" not in (await running.http.get("/metrics")).text:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
        may_answer.set()
        assert (await second).json()["results"][0]["status"] == "ok"
    assert running.judge.answered == answered + 1
    running.judge.heal()


@pytest.mark.parametrize("fault", ["killed", "hung", "500"])
async def test_of_two_judge_servers_one_may_fail(two: tuple[httpx.AsyncClient, Any, Any], fault: str):
    http, dying, _ = two
    items = {"items": [item() for _ in range(24)]}
    halfway = asyncio.Event()

    async def slowly(request: object) -> object:
        halfway.set()
        await asyncio.sleep(0.05)
        return await dying.stated(request)

    dying.reply = slowly
    async with asyncio.timeout(15):
        while not halfway.is_set():  # it may be left alone yet for what it did in another test
            await score(http)
    halfway.clear()
    post = asyncio.create_task(http.post("/v1/score", json=items, headers={"X-Request-Timeout": "10"}))
    async with asyncio.timeout(15):
        await halfway.wait()
        await break_(dying, fault)
        results = (await post).json()["results"]
    assert [result["status"] for result in results] == ["ok"] * 24
    assert (await score(http))["status"] == "ok"
    assert (await http.get("/readyz")).status_code == 200
    dying.heal()
    await dying.start()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def two(
    start_judge: Callable[[], Awaitable[Any]], start_shared_process: Callable[..., Any], tokenizer_folder: Path
) -> AsyncIterator[tuple[httpx.AsyncClient, Any, Any]]:
    """A client of a service, and its two judge servers."""
    one, other = await start_judge(), await start_judge()
    # Few requests at a time, so that some are still waiting when a server fails.
    options = ("--judge-concurrency", "4", "--judge-method", "paper", "--workers", "1")
    options += ("--judge-tokenizer", str(tokenizer_folder))
    service = start_shared_process("--judge", f"openai:{one.url},{other.url}#m", *options)
    async with httpx.AsyncClient(base_url=service.url, timeout=30) as http:
        yield http, one, other


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def weighing(
    start_judge: Callable[[], Awaitable[Any]], start_shared_process: Callable[..., Any], tokenizer_folder: Path
) -> AsyncIterator[Running]:
    """A service that reads log-probabilities, and its judge server."""
    judge = await start_judge()
    options = ("--judge-tokenizer", str(tokenizer_folder), "--judge-method", "verdict", "--workers", "1")
    service = start_shared_process("--judge", f"openai:{judge.url}#m", *options)
    async with httpx.AsyncClient(base_url=service.url, timeout=30) as http:
        yield Running(http, judge)


def told(tokenizer_folder: Path, edit: Callable[[list[dict[str, Any]]], object] = list) -> Callable[[Any], Any]:
    """Every fact is stated, in the words of vLLM; `edit` changes the choices."""
    stated = Answers(Vocabulary(str(tokenizer_folder)), WORDS).by_label["stated"]

    async def reply(request: web.Request) -> web.StreamResponse:
        body = await request.json()
        top = {f"token_id:{token}": -1.0 if token in stated else -5.0 for token in body["logprob_token_ids"]}
        choices = [
            {"index": n, "text": "", "logprobs": {"top_logprobs": [{**top}]}} for n in range(len(body["prompt"]))
        ]
        edit(choices)
        return web.json_response({"choices": choices})

    return reply


def of_length(number: int) -> dict[str, Any]:
    """An item that asks for what nobody asked before."""
    fact = {"id": "f1", "text": f"Segment AB has length {number}."}
    return {"facts": [fact], "response": RESPONSE.replace("5", str(number)), "answer": "13"}


def top(choices: list[dict[str, Any]]) -> dict[str, Any]:
    """The first question's log-probabilities; those of `stated` come first."""
    return choices[0]["logprobs"]["top_logprobs"][0]


def likeliest(choices: list[dict[str, Any]]) -> str:
    return max(top(choices), key=lambda name: top(choices)[name])


BROKEN: dict[str, Callable[[list[dict[str, Any]]], object]] = {
    "NaN": lambda choices: top(choices).update({likeliest(choices): math.nan}),
    "infinite": lambda choices: top(choices).update({likeliest(choices): math.inf}),
    "above 0": lambda choices: top(choices).update({likeliest(choices): 0.5}),
    "null": lambda choices: top(choices).update({likeliest(choices): None}),
    "text": lambda choices: top(choices).update({likeliest(choices): "-1.0"}),
    "long": lambda choices: top(choices).update({likeliest(choices): 10**4000}),
    "more than 1": lambda choices: top(choices).update(dict.fromkeys(top(choices), -0.1)),
    "by its text": lambda choices: top(choices).update({" Yes": top(choices).pop(likeliest(choices))}),
    "index too large": lambda choices: choices[0].update(index=1e400),
    "long index": lambda choices: choices[0].update(index=10**4000),
    "index true": lambda choices: choices[0].update(index=False),
    "index doubled": lambda choices: choices.append(choices[0]),
    "nothing": lambda choices: choices.clear(),
}


@pytest.mark.parametrize("fault", BROKEN)
async def test_numbers_that_cannot_be_leave_a_verdict_missing_and_nothing_else(
    weighing: Running, tokenizer_folder: Path, fault: str
):
    broken = of_length(next(NUMBERS))
    weighing.judge.reply = told(tokenizer_folder, BROKEN[fault])
    answer = await weighing.http.post("/v1/score", json={"items": [broken]})
    (result,) = answer.json()["results"]
    assert (answer.status_code, result["status"], result["reason"]) == (200, "missing", "judge_unparseable")
    assert result["components"]["accuracy"] == 1.0
    # Nothing of it was kept.
    weighing.judge.reply = told(tokenizer_folder)
    (result,) = (await weighing.http.post("/v1/score", json={"items": [broken]})).json()["results"]
    assert (result["status"], result["facts"][0]["verdict"]) == ("ok", "stated")


async def test_one_broken_reply_of_many_costs_its_own_item_alone(weighing: Running, tokenizer_folder: Path):
    sound, broken = told(tokenizer_folder), told(tokenizer_folder, BROKEN["long index"])
    calls = count()

    async def third_broken(request: web.Request) -> web.StreamResponse:
        return await (broken if next(calls) == 2 else sound)(request)

    weighing.judge.reply = third_broken
    items = [of_length(next(NUMBERS)) for _ in range(6)]
    answer = await weighing.http.post("/v1/score", json={"items": items})
    assert answer.status_code == 200
    statuses = [result["status"] for result in answer.json()["results"]]
    assert sorted(statuses) == ["missing", *["ok"] * 5]
