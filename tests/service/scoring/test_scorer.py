"""The way of a request, with a judge that the test scripts and everything else real."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest

from perception_reward.service.judges.base import JudgeTask, Missing, Outcome, Verdict
from perception_reward.service.judges.symbolic.judge import SymbolicJudge

FACTS = [{"id": "f1", "text": "Segment AB has length 5."}, {"id": "f2", "text": "Angle ABC measures 90 degrees."}]


def items(*responses: str, facts: Sequence[dict[str, Any]] = FACTS) -> dict[str, Any]:
    return {"items": [{"id": response, "response": response, "facts": facts} for response in responses]}


async def post(url: str, body: dict[str, Any], **options: Any) -> httpx.Response:
    async with httpx.AsyncClient(timeout=60) as client:
        return await client.post(f"{url}/v1/score", json=body, **options)


async def test_all_work_of_a_request_reaches_the_judge_in_one_batch(serve: Callable[..., Any]):
    here = await serve()
    await post(here.url, items("one", "two", "one"))
    (batch,) = here.judge.batches
    assert sorted((task.response, len(task.facts)) for task in batch) == [("one", 2), ("two", 2)]


async def test_a_missing_verdict_is_missing_for_its_item_alone(serve: Callable[..., Any], scripted_judge: Any):
    def decide(task: JudgeTask) -> Sequence[Outcome]:
        if task.response == "bad":
            return [Verdict("stated", 1.0), Missing("judge_unparseable")]
        return [Verdict("stated", 1.0)] * len(task.facts)

    here = await serve(scripted_judge(decide))
    bad, good = (await post(here.url, items("bad", "good"))).json()["results"]
    assert (bad["status"], bad["reason"], bad["score"], bad["facts"]) == ("missing", "judge_unparseable", None, None)
    assert good["status"] == "ok"


async def test_missing_is_never_cached(serve: Callable[..., Any], scripted_judge: Any):
    outcomes: list[Outcome] = [Missing("judge_unavailable")]
    here = await serve(scripted_judge(lambda task: outcomes * len(task.facts)))
    assert (await post(here.url, items("r"))).json()["results"][0]["status"] == "missing"
    outcomes[:] = [Verdict("stated", 1.0)]
    assert (await post(here.url, items("r"))).json()["results"][0]["status"] == "ok"
    assert len(here.judge.batches) == 2


async def test_identical_work_in_flight_is_judged_once(serve: Callable[..., Any]):
    here = await serve()
    here.judge.may_answer.clear()
    first = asyncio.create_task(post(here.url, items("same")))
    await here.judge.asked.wait()
    second = asyncio.create_task(post(here.url, items("same")))
    while here.service.admission.pending_items < 2:  # noqa: ASYNC110
        await asyncio.sleep(0.001)
    here.judge.may_answer.set()
    answers = [answer.json() for answer in await asyncio.gather(first, second)]
    assert len(here.judge.batches) == 1
    assert answers[0]["results"] == answers[1]["results"]
    assert sorted(answer["summary"]["judged"] for answer in answers) == [0, 2]


async def test_a_joined_failure_gets_a_try_of_its_own(serve: Callable[..., Any], scripted_judge: Any):
    outcomes: list[Outcome] = [Missing("judge_timeout"), Verdict("stated", 1.0)]
    here = await serve(scripted_judge(lambda task: [outcomes.pop(0)]))
    here.judge.may_answer.clear()
    first = asyncio.create_task(post(here.url, items("same", facts=FACTS[:1])))
    await here.judge.asked.wait()
    second = asyncio.create_task(post(here.url, items("same", facts=FACTS[:1])))
    while here.service.admission.pending_items < 2:  # noqa: ASYNC110
        await asyncio.sleep(0.001)
    here.judge.may_answer.set()
    statuses = [(await task).json()["results"][0]["status"] for task in (first, second)]
    assert statuses == ["missing", "ok"]


async def test_a_client_that_goes_away_cancels_its_judge_work(serve: Callable[..., Any]):
    here = await serve()
    here.judge.may_answer.clear()
    task = asyncio.create_task(post(here.url, items("r")))
    await here.judge.asked.wait()
    task.cancel()
    async with asyncio.timeout(10):
        await here.judge.cancelled.wait()
        await here.service.admission.drained()
    assert here.service.admission.pending_items == 0


async def test_a_streaming_client_that_goes_away_cancels_its_judge_work(serve: Callable[..., Any]):
    here = await serve()
    here.judge.may_answer.clear()

    async def stream() -> None:
        async with (
            httpx.AsyncClient(timeout=60) as client,
            client.stream("POST", f"{here.url}/v1/score/stream", json=items("r")) as answer,
        ):
            _ = [line async for line in answer.aiter_lines()]

    task = asyncio.create_task(stream())
    await here.judge.asked.wait()
    task.cancel()
    async with asyncio.timeout(10):
        await here.judge.cancelled.wait()
        await here.service.admission.drained()


async def test_a_judge_that_is_too_slow_leaves_its_items_missing(serve: Callable[..., Any]):
    here = await serve()
    here.judge.may_answer.clear()
    answer = await post(here.url, items("slow"), headers={"X-Request-Timeout": "1"})
    (result,) = answer.json()["results"]
    assert (result["status"], result["reason"]) == ("missing", "judge_timeout")
    assert result["components"]["format"] == 0.0


async def test_a_request_that_cannot_be_answered_in_time_gets_504(serve: Callable[..., Any]):
    here = await serve()

    async def hang(request: object, deadline: float) -> object:
        return await asyncio.Event().wait()

    object.__setattr__(here.service.scorer, "score", hang)
    answer = await post(here.url, items("slow"), headers={"X-Request-Timeout": "0.2"})
    assert answer.status_code == 504
    assert answer.headers["content-type"] == "application/problem+json"


async def test_more_items_than_may_be_under_way_get_429(serve: Callable[..., Any]):
    here = await serve(max_items=2, max_pending_items=2)
    here.judge.may_answer.clear()
    first = asyncio.create_task(post(here.url, items("a", "b")))
    await here.judge.asked.wait()
    answer = await post(here.url, items("c"))
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) >= 1
    here.judge.may_answer.set()
    assert (await first).status_code == 200
    assert (await post(here.url, items("c"))).status_code == 200


async def test_a_long_response_is_cut_for_the_judge_and_the_result_says_so(serve: Callable[..., Any]):
    here = await serve(max_response_chars=256)
    cut, whole = (await post(here.url, items("x" * 257, "x" * 256))).json()["results"]
    assert (cut["truncated"], whole["truncated"]) == (True, False)
    assert {len(task.response) for task in here.judge.batches[0]} == {256}


async def test_a_response_that_the_judge_cut_is_reported_each_time(serve: Callable[..., Any], scripted_judge: Any):
    def decide(task: JudgeTask) -> Sequence[Outcome]:
        return [Verdict("stated", 1.0, truncated="long" in task.response and fact.id == "f2") for fact in task.facts]

    here = await serve(scripted_judge(decide))
    for _ in range(2):
        long, short = (await post(here.url, items("long", "short"))).json()["results"]
        assert (long["truncated"], short["truncated"]) == (True, False)
    assert len(here.judge.batches) == 1


BLOCKS = "<think>AB = 7</think><description>AB = 5</description><answer>5</answer>"


@pytest.mark.parametrize(("scope", "text"), [("description", "AB = 5"), ("think", "AB = 7"), ("response", BLOCKS)])
async def test_the_judge_reads_the_part_it_is_given_and_spans_are_those_of_the_response(
    serve: Callable[..., Any], scripted_judge: Any, scope: str, text: str
):
    def decide(task: JudgeTask) -> Sequence[Outcome]:
        found = task.response.index("AB = ")
        return [Verdict("stated", 1.0, span=(found, found + 6))] * len(task.facts)

    here = await serve(scripted_judge(decide), judge_scope=scope)
    (result,) = (await post(here.url, items(BLOCKS))).json()["results"]
    assert [task.response for task in here.judge.batches[0]] == [text]
    start, end = result["facts"][0]["span"]
    assert BLOCKS[start:end] in text
    assert end - start == 6


async def test_a_response_without_the_part_states_nothing_and_is_not_judged(serve: Callable[..., Any]):
    here = await serve(judge_scope="description")
    (result,) = (await post(here.url, items("AB = 5"))).json()["results"]
    assert (result["status"], result["components"]["perception"]) == ("ok", 0.0)
    assert [(fact["verdict"], fact["probability"]) for fact in result["facts"]] == [("absent", 0.0)] * 2
    assert not here.judge.batches


async def test_the_same_part_of_different_responses_is_judged_once(serve: Callable[..., Any]):
    here = await serve(judge_scope="description")
    body = items(*(f"{n}<description>AB = 5</description>" for n in range(3)))
    results = (await post(here.url, body)).json()["results"]
    assert [result["status"] for result in results] == ["ok"] * 3
    assert len(here.judge.batches[0]) == 1


async def test_a_long_part_is_cut_and_a_long_response_with_a_short_one_is_not(serve: Callable[..., Any]):
    here = await serve(judge_scope="p", max_response_chars=256)
    cut, whole = (await post(here.url, items(f"<p>{'x' * 300}</p>", f"<p>x</p>{'y' * 300}"))).json()["results"]
    assert (cut["truncated"], whole["truncated"]) == (True, False)


async def test_facts_judged_together_are_cached_together(serve: Callable[..., Any], scripted_judge: Any):
    here = await serve(scripted_judge(together=True))
    await post(here.url, items("r"))
    await post(here.url, items("r", facts=FACTS[:1]))
    await post(here.url, items("r"))
    assert [[len(task.facts) for task in batch] for batch in here.judge.batches] == [[2], [1]]


async def test_facts_judged_together_are_always_asked_as_a_whole_list_in_its_order(
    serve: Callable[..., Any], scripted_judge: Any
):
    facts = [{"id": f"f{n}", "text": f"Segment AB has length {n}."} for n in range(6)]
    missing: list[Outcome] = [Missing("judge_unparseable")]

    def decide(task: JudgeTask) -> Sequence[Outcome]:
        return [*[Verdict("stated", 1.0)] * 5, *(missing or [Verdict("absent", 0.0)])]

    here = await serve(scripted_judge(decide, together=True))
    first = (await post(here.url, items("r", facts=facts))).json()["results"][0]
    missing.clear()
    second = (await post(here.url, items("r", facts=facts))).json()["results"][0]
    assert (first["status"], second["status"]) == ("missing", "ok")
    asked = [[fact.id for fact in task.facts] for batch in here.judge.batches for task in batch]
    assert asked == [[fact["id"] for fact in facts]] * 2


async def test_what_was_judged_before_a_client_left_is_not_judged_again(serve: Callable[..., Any], scripted_judge: Any):
    class Stalling(scripted_judge):
        async def judge(self, tasks: Sequence[JudgeTask], deadline: float):
            self.batches.append(list(tasks))
            for index, task in enumerate(tasks[:-1]):
                yield index, tuple(self.decide(task))
            self.asked.set()
            await self.may_answer.wait()
            yield len(tasks) - 1, tuple(self.decide(tasks[-1]))

    here = await serve(Stalling())
    here.judge.may_answer.clear()
    task = asyncio.create_task(post(here.url, items("a", "b", "c")))
    await here.judge.asked.wait()
    task.cancel()
    async with asyncio.timeout(10):
        await here.service.admission.drained()
    here.judge.may_answer.set()
    again = (await post(here.url, items("a", "b", "c"))).json()["summary"]
    assert (again["cache_hits"], again["judged"]) == (4, 2)


async def test_an_answer_on_a_kept_connection_does_not_wait(serve: Callable[..., Any]):
    here = await serve()
    async with httpx.AsyncClient() as client:
        seconds = [(await client.get(f"{here.url}/livez")).elapsed.total_seconds() for _ in range(30)]
    assert sorted(seconds)[len(seconds) // 2] < 0.03


async def test_facts_judged_alone_are_cached_alone(serve: Callable[..., Any]):
    here = await serve()
    await post(here.url, items("r", facts=FACTS[:1]))
    await post(here.url, items("r"))
    assert [[len(task.facts) for task in batch] for batch in here.judge.batches] == [[1], [1]]


@pytest.mark.parametrize("healthy", [True, False])
async def test_readiness_follows_the_judge(serve: Callable[..., Any], healthy: bool):
    here = await serve()
    here.judge.healthy = healthy
    async with httpx.AsyncClient() as client:
        ready = await client.get(f"{here.url}/readyz")
        live = await client.get(f"{here.url}/livez")
    assert (ready.status_code, live.status_code) == (200 if healthy else 503, 200)
    assert ready.json()["ready"] is healthy


async def test_the_summary_counts_what_could_not_be_rewarded_and_why(serve: Callable[..., Any], scripted_judge: Any):
    def decide(task: JudgeTask) -> Sequence[Outcome]:
        if task.response == "lost":
            return [Missing("judge_timeout")] * len(task.facts)
        return [Verdict("stated", 1.0)] * len(task.facts)

    here = await serve(scripted_judge(decide))
    body: dict[str, Any] = items("lost", "seen")
    body["items"] += [
        {"response": "nothing to hold it to"},
        {"response": "no facts at all", "facts": [], "answer": "5"},
        {"response": "of a problem that nobody knows", "annotation_id": "none"},
    ]
    answer = (await post(here.url, {**body, "run": "a"})).json()
    summary = answer["summary"]
    assert summary["reasons"] == {"judge_timeout": 1, "unknown_annotation": 1}
    assert (summary["missing"], summary["without_facts"], summary["without_answer"]) == (2, 2, 2)
    assert [text.split(",")[0] for text in summary["warnings"]] == [
        "2 of 5 items have no facts that count",
        "2 of 5 items have no reference answer",
    ]
    again = (await post(here.url, {**body, "run": "a"})).json()["summary"]
    assert again["warnings"] == []
    assert again["without_facts"] == 2


async def test_what_a_profile_does_not_pay_for_needs_no_warning(serve: Callable[..., Any], tmp_path: Path):
    profiles = tmp_path / "profiles.toml"
    profiles.write_text('[form]\nbase = "sum"\nweights = { accuracy = 0, perception = 0 }\n', encoding="utf-8")
    here = await serve(profiles=str(profiles), profile="form")
    summary = (await post(here.url, {"items": [{"response": "bare"}]})).json()["summary"]
    assert summary["without_facts"] == 1
    assert summary["warnings"] == []


OPENED = "AB = 5.\n</think>\n<answer>\n\\boxed{13}\n</answer>"


async def test_a_thought_that_the_prompt_opened_counts_whoever_says_so(serve: Callable[..., Any]):
    here = await serve()
    body = {"prefix": "<think>\n", "items": [{"response": OPENED}, {"response": OPENED, "prefix": ""}]}
    answer = (await post(here.url, body)).json()
    assert [result["components"]["format"] for result in answer["results"]] == [1.0, 0.0]
    body = {"items": [{"response": OPENED, "prefix": "<｜Assistant｜><think>\n"}, {"response": OPENED}]}
    answer = (await post(here.url, body)).json()
    assert [result["components"]["format"] for result in answer["results"]] == [1.0, 0.0]


async def test_a_thought_that_a_parser_took_out_is_whole_whatever_the_prompt_opened(serve: Callable[..., Any]):
    here = await serve()
    message = {"role": "assistant", "reasoning_content": "AB = 5", "content": "<answer>\\boxed{13}</answer>"}
    answer = (await post(here.url, {"prefix": "<think>", "items": [{"response": [message], "answer": "13"}]})).json()
    assert answer["results"][0]["components"] == {
        "format": 1.0,
        "accuracy": 1.0,
        "perception": None,
        "repetition": 0.0,
    }


async def test_a_thought_that_never_ends_is_wrong(serve: Callable[..., Any]):
    here = await serve()
    endless = {"response": "maybe \\boxed{5}. Wait, let me", "answer": "5"}
    answer = (await post(here.url, {"items": [{**endless, "prefix": "<think>\n"}, endless]})).json()
    # Without a prefix it is a plain chain of thought.
    assert [result["components"]["accuracy"] for result in answer["results"]] == [0.0, 1.0]


async def test_the_prompts_share_does_not_change_what_is_judged(serve: Callable[..., Any]):
    here = await serve()
    item = {"response": OPENED, "facts": FACTS}
    await post(here.url, {"items": [item]})
    answer = (await post(here.url, {"prefix": "<think>", "items": [item]})).json()
    assert (answer["summary"]["cache_hits"], answer["summary"]["judged"]) == (2, 0)


async def test_control_tokens_are_not_judged_and_spans_are_those_of_the_response_as_sent(
    serve: Callable[..., Any], scripted_judge: Any
):
    here = await serve(scripted_judge(lambda task: [Verdict("stated", 1.0, (0, 6))] * len(task.facts)))
    bare, turn = "AB = 5", "<|im_start|>assistant\nAB = 5<|im_end|><|endoftext|>"
    first = (await post(here.url, items(bare))).json()
    second = (await post(here.url, items(turn))).json()
    assert [task.response for batch in here.judge.batches for task in batch] == [bare]
    assert first["results"][0]["facts"][0]["span"] == [0, 6]
    begin, end = second["results"][0]["facts"][0]["span"]
    assert turn[begin:end] == bare


async def test_a_run_that_never_opens_its_thoughts_is_told_what_to_set(
    serve: Callable[..., Any], caplog: pytest.LogCaptureFixture
):
    here = await serve()
    body = {"run": "geo", "items": [{"response": OPENED.replace("5", str(n))} for n in range(16)]}
    told = [(await post(here.url, body)).json()["summary"]["warnings"] for _ in range(3)]
    assert ["PERCEPTION_REWARD_PREFIX" in str(warnings) for warnings in told] == [True, False, False]
    assert len([record for record in caplog.records if "PERCEPTION_REWARD_PREFIX" in record.getMessage()]) == 1
    other = (await post(here.url, {**body, "run": "with it", "prefix": "<think>"})).json()["summary"]
    assert "PREFIX" not in str(other["warnings"])


async def test_no_warning_is_given_where_only_the_public_codes_arithmetic_counts(serve: Callable[..., Any]):
    here = await serve()
    body = {"profile": "perception-r1-parity", "items": [{"response": OPENED}] * 32}
    assert "PREFIX" not in str((await post(here.url, body)).json()["summary"]["warnings"])


@pytest.mark.parametrize("cached", [False, True])
async def test_a_request_that_asks_is_told_why(serve: Callable[..., Any], cached: bool):
    here = await serve(SymbolicJudge())
    response = "<think>Angle ABC is sharp, and we see that AB = 6.</think>"
    if cached:
        await post(here.url, items(response))
    (result,) = (await post(here.url, items(response) | {"explain": True})).json()["results"]
    first, second = result["facts"]
    assert response[slice(*first["span"])] == "AB = 6"
    assert first["trace"] == {
        "stage": "rules",
        "sentences": ["AB = 6"],
        "reason": "The rules read in these words what excludes the fact.",
    }
    assert second["trace"]["sentences"] == []
    assert "trace" not in (await post(here.url, items(response))).json()["results"][0]["facts"][0]
