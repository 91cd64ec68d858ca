"""A judge whose engine is scripted servers, with the method that one reply in plain text answers."""

from __future__ import annotations

import asyncio
import gzip
import logging
import math
import time
from collections.abc import Callable
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from perception_reward.service.judges.base import Health, JudgeTask, Missing, Outcome, Verdict
from perception_reward.service.judges.http import body
from perception_reward.service.judges.llm.engine import Choice, JudgeFailure, LogProbs, Writing
from perception_reward.service.judges.llm.judge import LLMJudge
from perception_reward.service.judges.llm.paper import PaperMethod
from perception_reward.service.judges.openai.engine import OpenAIEngine
from perception_reward.service.judges.openai.factory import openai_engine
from perception_reward.trainer_client.wire import Fact

FACTS = tuple(Fact(id=f"f{n}", text=f"Segment AB has length {n}.") for n in range(3))
TASK = JudgeTask("AB = 5", FACTS)


@pytest.fixture
def judge_at(tokenizer_folder: Path) -> Callable[..., LLMJudge]:
    def make(*servers: Any, **options: Any) -> LLMJudge:
        urls = ",".join(server.url for server in servers)
        return LLMJudge(openai_engine(f"openai:{urls}#m", **options), PaperMethod(), tokenizer=str(tokenizer_folder))

    return make


async def outcomes(judge: LLMJudge, tasks: list[JudgeTask], seconds: float = 10) -> list[tuple[Outcome, ...]]:
    """In the order of the tasks; starts and closes the judge."""
    await judge.start()
    deadline = asyncio.get_running_loop().time() + seconds
    try:
        found = {index: each async for index, each in judge.judge(tasks, deadline)}
    finally:
        await judge.aclose()
    return [found[index] for index in range(len(tasks))]


async def reasons(judge: LLMJudge, seconds: float = 10) -> set[str]:
    (found,) = await outcomes(judge, [TASK], seconds)
    assert len(found) == len(FACTS)
    return {outcome.reason if isinstance(outcome, Missing) else outcome.label for outcome in found}


async def test_every_task_is_answered_with_one_outcome_per_fact(judge_at: Callable[..., LLMJudge], server: Any):
    tasks = [JudgeTask(f"response {n}", FACTS[: n % 4]) for n in range(40)]
    found = await outcomes(judge_at(server), tasks)
    assert [len(each) for each in found] == [len(task.facts) for task in tasks]
    assert found[3] == (Verdict("stated", 1.0),) * 3


@pytest.mark.parametrize("fault", ["reset", "cut", 500, 502, 503, 408])
async def test_a_passing_fault_is_tried_again(judge_at: Callable[..., LLMJudge], server: Any, fault: str | int):
    handler = getattr(server, fault) if isinstance(fault, str) else server.status(fault)
    server.script = [handler, server.answer]
    assert await reasons(judge_at(server)) == {"stated"}
    assert len(server.bodies) == 2


async def test_a_lasting_fault_is_unavailable(judge_at: Callable[..., LLMJudge], server: Any):
    server.script = [server.status(500)]
    assert await reasons(judge_at(server)) == {"judge_unavailable"}
    assert len(server.bodies) <= 4


async def test_a_busy_server_is_left_alone_for_as_long_as_it_asks(judge_at: Callable[..., LLMJudge], server: Any):
    server.script = [server.status(429, Retry_After="0.3"), server.answer]
    began = time.monotonic()
    assert await reasons(judge_at(server)) == {"stated"}
    assert time.monotonic() - began > 0.3


async def test_a_server_that_stays_busy_past_the_deadline_is_unavailable(
    judge_at: Callable[..., LLMJudge], server: Any
):
    server.script = [server.status(429, Retry_After="20")]
    assert await reasons(judge_at(server)) == {"judge_unavailable"}
    assert len(server.bodies) == 1


@pytest.mark.parametrize("status", [400, 401, 404, 302])
async def test_a_refusal_is_final_and_logged_once(
    judge_at: Callable[..., LLMJudge], server: Any, status: int, caplog: pytest.LogCaptureFixture
):
    server.script = [server.status(status, '{"error": {"message": "context length\\nexceeded"}}')]
    found = await outcomes(judge_at(server), [TASK] * 5)
    assert found == [(Missing("judge_unavailable"),) * 3] * 5
    assert len(server.bodies) == 5
    (record,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert "context length exceeded" in record.getMessage()


@pytest.mark.parametrize(
    "body", ["not json", "[" * 100_000, "null", "[]", '{"choices": [{}]}', '{"choices": 7}', "\xff"]
)
async def test_a_garbage_reply_is_unparseable(judge_at: Callable[..., LLMJudge], server: Any, body: str):
    server.script = [server.status(200, body)]
    assert await reasons(judge_at(server)) == {"judge_unparseable"}


async def test_facts_without_a_readable_tag_are_missing_by_themselves(judge_at: Callable[..., LLMJudge], server: Any):
    server.script = [server.json({"choices": [{"text": "<info1>1</info1><info3>0</info3>"}]})]
    (found,) = await outcomes(judge_at(server), [TASK])
    assert found == (Verdict("stated", 1.0), Missing("judge_unparseable"), Verdict("absent", 0.0))


async def test_a_server_that_hangs_times_out_at_the_deadline(judge_at: Callable[..., LLMJudge], server: Any):
    server.script = [server.hang]
    began = time.monotonic()
    assert await reasons(judge_at(server), seconds=0.5) == {"judge_timeout"}
    # Loading the tokenizer is in it, too.
    assert 0.4 < time.monotonic() - began < 20


async def test_after_hanging_a_server_is_given_a_rest(server: Any):
    server.script = [server.hang]
    engine = openai_engine(f"openai:{server.url}#m")
    deadline = asyncio.get_running_loop().time() + 0.3
    with pytest.raises(JudgeFailure, match="judge_timeout"):
        await engine.write(Writing((1, 2), 1), "", deadline)
    assert engine._pool.endpoints[0].down_until > deadline  # pyright: ignore[reportPrivateUsage]
    await engine.aclose()


async def test_a_refused_connection_is_unavailable_within_seconds(judge_at: Callable[..., LLMJudge], server: Any):
    await server.stop()
    began = time.monotonic()
    found = await outcomes(judge_at(server), [TASK] * 50, seconds=60)
    assert set(found) == {(Missing("judge_unavailable"),) * 3}
    assert time.monotonic() - began < 30


async def test_a_server_that_comes_back_is_used_again(judge_at: Callable[..., LLMJudge], server: Any):
    judge = judge_at(server)
    await judge.start()
    await server.stop()

    async def asked() -> Outcome:
        deadline = asyncio.get_running_loop().time() + 10
        ((_, found),) = [each async for each in judge.judge([TASK], deadline)]
        return found[0]

    assert await asked() == Missing("judge_unavailable")
    await server.start()
    async with asyncio.timeout(30):
        while isinstance(await asked(), Missing):
            pass
    await judge.aclose()


async def test_requests_spill_from_a_server_that_is_down(judge_at: Callable[..., LLMJudge], start_server: Any):
    servers = [await start_server() for _ in range(3)]
    await servers[1].stop()
    tasks = [JudgeTask(f"response {n}", FACTS) for n in range(30)]
    found = await outcomes(judge_at(*servers), tasks)
    assert set(found) == {(Verdict("stated", 1.0),) * 3}


async def test_requests_leave_a_hung_server_before_the_deadline(judge_at: Callable[..., LLMJudge], start_server: Any):
    servers = [await start_server() for _ in range(2)]
    servers[0].script = [servers[0].hang]
    tasks = [JudgeTask(f"response {n}", FACTS) for n in range(20)]
    found = await outcomes(judge_at(*servers), tasks, seconds=3)
    assert set(found) == {(Verdict("stated", 1.0),) * 3}


async def test_a_group_stays_at_one_server(judge_at: Callable[..., LLMJudge], start_server: Any):
    servers = [await start_server() for _ in range(3)]
    tasks = [JudgeTask(f"response {n}", FACTS, group="g") for n in range(8)]
    await outcomes(judge_at(*servers), tasks)
    assert sorted(len(server.bodies) for server in servers) == [0, 0, 8]


async def test_what_exceeds_a_servers_concurrency_goes_to_another(judge_at: Callable[..., LLMJudge], start_server: Any):
    servers = [await start_server() for _ in range(2)]

    async def slow(request: Any) -> Any:
        await asyncio.sleep(0.05)
        return await servers[0].answer(request)

    for server in servers:
        server.script = [slow]
    tasks = [JudgeTask(f"response {n}", FACTS, group="g") for n in range(20)]
    await outcomes(judge_at(*servers, concurrency=3), tasks)
    assert [server.most_running for server in servers] == [3, 3]


async def test_closing_the_iterator_aborts_the_requests(judge_at: Callable[..., LLMJudge], server: Any):
    server.script = [server.hang]
    judge = judge_at(server)
    await judge.start()
    deadline = asyncio.get_running_loop().time() + 60
    async with aclosing(judge.judge([TASK] * 3, deadline)) as results:
        first = asyncio.ensure_future(anext(results))
        await server.arrived.wait()
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
    async with asyncio.timeout(5):
        await server.aborted.wait()
    await judge.aclose()


async def test_health_knows_a_wrong_model_name(judge_at: Callable[..., LLMJudge], start_server: Any):
    judge = judge_at(await start_server("other"))
    health = await judge.health()
    assert not health.ok
    assert "does not serve the model 'm'; it serves other" in health.detail
    await judge.aclose()


async def test_one_healthy_server_is_health_enough(judge_at: Callable[..., LLMJudge], start_server: Any):
    servers = [await start_server() for _ in range(2)]
    judge = judge_at(*servers)
    assert await judge.health() == Health(ok=True)
    await servers[0].stop()
    assert (await judge.health()).ok
    await servers[1].stop()
    assert not (await judge.health()).ok
    await judge.aclose()


async def test_the_key_is_sent_and_never_logged(
    judge_at: Callable[..., LLMJudge], server: Any, caplog: pytest.LogCaptureFixture
):
    server.script = [server.status(401)]
    await reasons(judge_at(server, api_key="s3cret"))
    assert server.headers[0]["Authorization"] == "Bearer s3cret"
    assert "s3cret" not in caplog.text


def test_a_judge_survives_its_event_loop(tokenizer_folder: Path):
    judge = LLMJudge(openai_engine("openai:http://127.0.0.1:9#m"), PaperMethod(), tokenizer=str(tokenizer_folder))
    for _ in range(2):
        assert asyncio.run(reasons(judge)) == {"judge_unavailable"}


async def test_the_observer_sees_requests_and_retries(judge_at: Callable[..., LLMJudge], server: Any):
    class Observer:
        def __init__(self) -> None:
            self.requests: list[bool] = []
            self.retries: list[str] = []
            self.faults: list[str] = []
            self.most = 0

        def request(self, endpoint: str, seconds: float, ok: bool) -> None:
            self.requests.append(ok)

        def retry(self, reason: str) -> None:
            self.retries.append(reason)

        def unusable(self, endpoint: str, fault: str) -> None:
            self.faults.append(fault)

        def inflight(self, n: int) -> None:
            self.most = max(self.most, n)

    observer = Observer()
    server.script = [server.status(500), server.answer]
    await reasons(judge_at(server, observer=observer))
    assert (observer.requests, observer.retries, observer.most) == ([False, True], ["500"], 1)
    assert observer.faults == []
    server.script = [server.json({"choices": [{"index": 0, "text": 7}]})]
    await reasons(judge_at(server, observer=observer))
    assert observer.faults == ["content"]


CHOICE = Choice((1, 2, 3), ((4,), (5, 6)), (7, 9))


class OlderServer:
    """Of the answers 7 and 9 its completions return only 7; scores are counted, and refused where there are none."""

    def __init__(self, server: Any, refusal: int | None = None) -> None:
        self._server, self._refusal = server, refusal
        self.scored: list[int] = []
        server.script, server.scoring = [self._complete], self._score

    async def _complete(self, request: Any) -> Any:
        top = {"top_logprobs": [{"token_id:7": -0.5, "token_id:8": -1.0}]}
        return web.json_response({"choices": [{"index": index, "logprobs": top} for index in range(2)]})

    async def _score(self, request: Any) -> Any:
        body = await request.json()
        self.scored += body["label_token_ids"]
        if self._refusal is not None:
            return web.Response(status=self._refusal)
        data = [{"index": 0, "score": 0.25}, {"index": 1, "score": 0.125}]
        return web.json_response({"data": data, "usage": {"prompt_tokens": 9}})


async def chosen(engine: OpenAIEngine, choice: Choice = CHOICE) -> tuple[LogProbs, ...]:
    return await engine.choose(choice, "", asyncio.get_running_loop().time() + 10)


async def test_answers_that_an_older_server_leaves_out_are_filled_in_by_their_scores(server: Any):
    older, engine = OlderServer(server), openai_engine(f"openai:{server.url}#m")
    first, second = await chosen(engine)
    assert (first[7], first[9]) == (-0.5, math.log(0.25))
    assert (second[7], second[9]) == (-0.5, math.log(0.125))
    assert older.scored == [9]
    await engine.aclose()


@pytest.mark.parametrize("status", [404, 405, 501])
async def test_a_server_without_scores_is_asked_once_and_told_of_in_one_line(
    server: Any, status: int, caplog: pytest.LogCaptureFixture
):
    older, engine = OlderServer(server, refusal=status), openai_engine(f"openai:{server.url}#m")
    for _ in range(3):
        assert all(9 not in each for each in await chosen(engine))
    assert older.scored == [9]
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "answers outside these count as 0" in caplog.text
    await engine.aclose()


async def test_a_server_that_gives_all_answers_is_not_asked_for_scores(server: Any):
    older, engine = OlderServer(server), openai_engine(f"openai:{server.url}#m")
    await chosen(engine, Choice((1, 2, 3), ((4,), (5, 6)), (7,)))
    assert older.scored == []
    await engine.aclose()


async def test_a_busy_server_is_not_believed_beyond_reason(server: Any):
    server.script = [server.status(429, Retry_After="3600")]
    engine = openai_engine(f"openai:{server.url}#m")
    with pytest.raises(JudgeFailure, match="judge_unavailable"):
        await chosen(engine)
    endpoint = engine._pool.endpoints[0]  # pyright: ignore[reportPrivateUsage]
    assert 0 < endpoint.busy_until - asyncio.get_running_loop().time() <= 30
    await engine.aclose()


async def test_a_busy_server_that_names_no_time_is_asked_less_and_less(server: Any):
    server.script = [server.status(429, Retry_After="nan")]
    engine = openai_engine(f"openai:{server.url}#m")
    with pytest.raises(JudgeFailure, match="judge_unavailable"):
        await engine.choose(CHOICE, "", asyncio.get_running_loop().time() + 2)
    assert len(server.bodies) <= 6
    await engine.aclose()


@pytest.mark.parametrize("asked", ["0", "0.000001", "-5", "inf", "1e400", "soon", "Thu, 01 Jan 1970 00:00:00 GMT", ""])
async def test_a_wait_that_is_none_is_not_taken_at_its_word(server: Any, asked: str):
    server.script = [server.status(429, Retry_After=asked)]
    engine = openai_engine(f"openai:{server.url}#m")
    with pytest.raises(JudgeFailure, match=r"judge_unavailable|judge_timeout"):
        await engine.choose(CHOICE, "", asyncio.get_running_loop().time() + 1)
    assert 2 <= len(server.bodies) <= 10
    await engine.aclose()


def told(*values: dict[int, Any]) -> dict[str, Any]:
    choices = [
        {"index": index, "logprobs": {"top_logprobs": [{f"token_id:{token}": v for token, v in each.items()}]}}
        for index, each in enumerate(values)
    ]
    return {"choices": choices}


SOUND = {7: -0.1, 9: -3.0}


@pytest.mark.parametrize("value", [0.5, math.inf, 10**4000, None, "high"])
async def test_a_question_with_a_number_that_cannot_be_has_no_answer(
    server: Any, value: Any, caplog: pytest.LogCaptureFixture
):
    server.script = [server.json(told(SOUND, {7: value, 9: -3.0}))]
    engine = openai_engine(f"openai:{server.url}#m")
    for _ in range(3):
        assert await chosen(engine) == (SOUND, {})
    (record,) = caplog.records
    assert "cannot be used" in record.getMessage()
    await engine.aclose()


async def test_a_reply_with_a_nan_is_not_believed_at_all(server: Any):
    server.script = [server.json(told(SOUND, {7: math.nan, 9: -3.0}))]
    engine = openai_engine(f"openai:{server.url}#m")
    with pytest.raises(JudgeFailure, match="judge_unparseable"):
        await chosen(engine)
    await engine.aclose()


async def test_an_answer_that_a_reply_leaves_out_is_not_taken_for_impossible(server: Any):
    server.script = [server.json(told({9: -3.0}, {9: -0.05}))]
    engine = openai_engine(f"openai:{server.url}#m")
    assert await chosen(engine) == ({}, {9: -0.05})
    await engine.aclose()


async def test_an_answer_and_its_scores_are_not_more_than_one_together(server: Any):
    OlderServer(server)
    server.script = [server.json(told({7: -0.1, 8: -3.0}, {7: -0.5, 8: -1.0}))]
    engine = openai_engine(f"openai:{server.url}#m")
    first, second = await chosen(engine)
    assert (first, second[9]) == ({}, math.log(0.125))
    await engine.aclose()


async def endless(request: web.Request) -> web.StreamResponse:
    reply = web.StreamResponse()
    await reply.prepare(request)
    while True:
        await reply.write(b" " * 65_536)


async def bomb(request: web.Request) -> web.Response:
    body = gzip.compress(b" " * 50_000_000)
    return web.Response(body=body, headers={"Content-Encoding": "gzip"})


async def huge(request: web.Request) -> web.Response:
    return web.Response(body=b" " * 5_000_000)


@pytest.mark.parametrize("sent", [endless, bomb, huge])
async def test_a_body_beyond_what_was_asked_for_is_unparseable_and_left_early(
    judge_at: Callable[..., LLMJudge], server: Any, sent: Any
):
    server.script = [sent]
    began = time.process_time()
    assert await reasons(judge_at(server)) == {"judge_unparseable"}
    assert len(server.bodies) == 1
    assert time.process_time() - began < 10


@pytest.mark.parametrize("sent", [endless, bomb, huge])
async def test_another_server_answers_for_one_whose_bodies_cannot_be_taken(
    judge_at: Callable[..., LLMJudge], start_server: Any, sent: Any
):
    servers = [await start_server() for _ in range(2)]
    servers[0].script = [sent]
    found = await outcomes(judge_at(*servers), [JudgeTask(f"response {n}", FACTS) for n in range(20)])
    assert set(found) == {(Verdict("stated", 1.0),) * 3}
    # It is given a rest.
    assert len(servers[0].bodies) < 20


NOTHING_SAID = ["garbage", "", '{"choices": []}', '{"choices": [{"index": 0, "logprobs": {"top_logprobs": [NaN]}}]}']


@pytest.mark.parametrize("said", NOTHING_SAID)
async def test_another_server_answers_for_one_that_says_nothing_of_what_was_asked(
    judge_at: Callable[..., LLMJudge], start_server: Any, said: str
):
    servers = [await start_server() for _ in range(2)]
    servers[0].script = [servers[0].status(200, said)]
    found = await outcomes(judge_at(*servers), [JudgeTask(f"response {n}", FACTS) for n in range(40)])
    assert set(found) == {(Verdict("stated", 1.0),) * 3}
    assert servers[0].bodies


@pytest.mark.parametrize("said", NOTHING_SAID)
async def test_where_every_server_says_nothing_each_is_asked_once(
    judge_at: Callable[..., LLMJudge], start_server: Any, said: str
):
    servers = [await start_server() for _ in range(3)]
    for server in servers:
        server.script = [server.status(200, said)]
    assert await reasons(judge_at(*servers)) == {"judge_unparseable"}
    assert [len(server.bodies) for server in servers] == [1, 1, 1]


async def test_a_body_that_never_ends_is_tried_elsewhere(
    judge_at: Callable[..., LLMJudge], start_server: Any, monkeypatch: pytest.MonkeyPatch
):
    async def stops(request: web.Request) -> web.StreamResponse:
        reply = web.StreamResponse()
        await reply.prepare(request)
        await reply.write(b'{"choices": [')
        await asyncio.Event().wait()
        return reply

    monkeypatch.setattr(body, "BODY_SECONDS", 0.2)
    servers = [await start_server() for _ in range(2)]
    servers[0].script = [stops]
    found = await outcomes(judge_at(*servers), [JudgeTask(f"response {n}", FACTS) for n in range(20)], seconds=60)
    assert set(found) == {(Verdict("stated", 1.0),) * 3}


async def test_a_refusal_without_an_end_is_a_refusal(judge_at: Callable[..., LLMJudge], server: Any):
    async def refuses(request: web.Request) -> web.StreamResponse:
        reply = web.StreamResponse(status=400)
        await reply.prepare(request)
        while True:
            await reply.write(b"no " * 10_000)

    server.script = [refuses]
    assert await reasons(judge_at(server)) == {"judge_unavailable"}


async def test_health_reads_no_list_without_an_end(judge_at: Callable[..., LLMJudge], server: Any):
    server.models = endless
    judge = judge_at(server)
    health = await judge.health()
    assert not health.ok
    assert "more than" in health.detail
    await judge.aclose()
