"""Steps at work against a real server: nothing is lost, doubled or paid for twice, and limits hold."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

pytest.importorskip("openai")

from perception_reward.annotations.pipeline.asks import (
    NOT_THE_FORM,
    REFUSED,
    REJECTED,
    Answer,
    Ask,
    Sampling,
    Steps,
)
from perception_reward.annotations.pipeline.endpoint import Endpoint, EndpointRefused
from perception_reward.annotations.pipeline.engine import Engine, Missing, Tally, estimate
from perception_reward.annotations.pipeline.journal import Journal
from perception_reward.annotations.pipeline.limits import BudgetSpent, Limits, Stopped

SAMPLING = Sampling("m", max_tokens=50)
UNLIMITED = Limits()


class Form(BaseModel):
    n: int


def twice(row: str) -> Steps[list[Answer]]:
    """Two asks, and then one that depends on their answers."""
    one, other = yield [Ask("p", row), Ask("p", row, sample=1)]
    [last] = yield [Ask("p", f"{one.text}+{other.text}")]
    return [one, other, last]


def formed(row: str) -> Steps[list[Answer]]:
    return (yield [Ask("p", row, form=Form)])


def run(
    endpoint: Any,
    path: Path,
    rows: Iterable[str],
    step: Callable[[str], Steps[list[Answer]]] = twice,
    limits: Limits = UNLIMITED,
    *,
    url: str = "",
    then: Callable[[Engine], None] = lambda engine: None,
    **options: Any,
) -> tuple[list[tuple[str, list[Answer] | Missing | None]], Tally]:
    async def main() -> tuple[list[tuple[str, list[Answer] | Missing | None]], Tally]:
        with Journal.opened(path, step="s", began="d") as journal:
            client = Endpoint(url or endpoint.url, SAMPLING, **options)
            engine = Engine(journal, client, SAMPLING, limits)
            then(engine)
            try:
                return [found async for found in engine.results(rows, step)], engine.tally
            finally:
                await client.aclose()

    return asyncio.run(main())


def echo(request: Any) -> str:
    return f"{request['messages'][0]['content']}/{request['seed']}"


def test_results_come_in_the_order_of_the_rows_and_the_next_run_asks_nothing(endpoint: Any, tmp_path: Path) -> None:
    endpoint.reply = echo
    endpoint.faults = lambda number: ["slow"] if number % 3 == 0 else []
    rows = [f"row {number}" for number in range(20)]
    found, tally = run(endpoint, tmp_path / "j", rows)
    assert [row for row, _ in found] == rows
    for row, answers in found:
        assert isinstance(answers, list)
        assert [one.text for one in answers] == [f"{row}/0", f"{row}/1", f"{row}/0+{row}/1/0"]
    assert (tally.requests, sum(endpoint.asked.values())) == (60, 60)
    again, tally = run(endpoint, tmp_path / "j", rows)
    assert again == found
    assert (tally.requests, tally.known, sum(endpoint.asked.values())) == (0, 60, 60)


def test_what_is_asked_twice_at_once_is_asked_once(endpoint: Any, tmp_path: Path) -> None:
    endpoint.reply, endpoint.delay = echo, 0.05
    found, tally = run(endpoint, tmp_path / "j", ["same"] * 10)
    assert tally.requests == 3
    assert len({str(answers) for _, answers in found}) == 1


def test_429_500_and_time_outs_are_lived_through(endpoint: Any, tmp_path: Path) -> None:
    endpoint.reply = echo
    endpoint.faults = lambda number: [["429", "429"], ["500"], ["503", "429"], []][number % 4]
    found, tally = run(endpoint, tmp_path / "j", [f"row {number}" for number in range(12)])
    assert all(isinstance(answers, list) for _, answers in found)
    assert tally.requests == 36
    assert endpoint.statuses[429] > 0
    assert endpoint.statuses[500] > 0


def test_refusals_and_rejections_are_answers_and_are_not_asked_again(endpoint: Any, tmp_path: Path) -> None:
    def reply(request: Any) -> Any:
        text = request["messages"][0]["content"]
        if text == "refused":
            return {"message": {"role": "assistant", "content": None, "refusal": "I must not."}}
        if text == "filtered":
            return {"finish_reason": "content_filter"}
        return {"status": 400, "message": "too long"}

    endpoint.reply = reply

    def step(row: str) -> Steps[list[Answer]]:
        return (yield [Ask("p", row)])

    rows = ["refused", "filtered", "long"]
    found, _ = run(endpoint, tmp_path / "j", rows, step)
    assert [(one.why, one.detail) for _, answers in found for one in answers] == [  # type: ignore[union-attr]
        (REFUSED, "I must not."),
        (REFUSED, "content filter"),
        (REJECTED, "400: too long"),
    ]
    asked = sum(endpoint.statuses.values())
    assert run(endpoint, tmp_path / "j", rows, step)[0] == found
    assert sum(endpoint.statuses.values()) == asked


def test_broken_json_is_asked_again_with_what_was_wrong_and_then_given_up(endpoint: Any, tmp_path: Path) -> None:
    def reply(request: Any) -> str:
        text = request["messages"][0]["content"]
        if text.startswith("never"):
            return "no"
        return '```json\n{"n": 3}\n```' if "could not be used" in text else '{"n": '

    endpoint.reply = reply
    found, tally = run(endpoint, tmp_path / "j", ["mended", "never"], formed)
    (_, [mended]), (_, [never]) = found  # type: ignore[misc]
    assert mended.value == Form(n=3)
    assert (never.why, never.detail) == (NOT_THE_FORM, "it holds no JSON object")
    assert tally.requests == 2 + 3
    assert run(endpoint, tmp_path / "j", ["mended", "never"], formed)[0] == found
    assert sum(endpoint.asked.values()) == 5


def test_constrained_json_is_asked_for_as_far_as_the_server_knows_it(endpoint: Any, tmp_path: Path) -> None:
    def reply(request: Any) -> Any:
        if request.get("response_format", {}).get("type") == "json_schema":
            return {"status": 400, "message": "response_format json_schema is not supported"}
        return '{"n": 1}'

    endpoint.reply = reply
    found, _ = run(endpoint, tmp_path / "j", ["a", "b", "c"], formed, Limits(concurrency=1))
    assert [one.value for _, answers in found for one in answers] == [Form(n=1)] * 3  # type: ignore[union-attr]
    assert endpoint.statuses == {400: 1, 200: 3}
    endpoint.reply = lambda request: '{"n": 1}'
    run(endpoint, tmp_path / "other", ["a"], formed)
    sent = endpoint.requests[-1]["response_format"]["json_schema"]
    assert sent["schema"] == {
        "type": "object",
        "properties": {"n": {"type": "integer"}},
        "required": ["n"],
        "additionalProperties": False,
    }


def test_no_more_is_under_way_than_allowed_and_requests_begin_at_the_rate(endpoint: Any, tmp_path: Path) -> None:
    endpoint.reply, endpoint.delay = echo, 0.02
    run(endpoint, tmp_path / "j", [f"row {number}" for number in range(10)], limits=Limits(concurrency=3))
    assert endpoint.most_at_once == 3
    begin = time.monotonic()
    run(endpoint, tmp_path / "k", ["a", "b"], limits=Limits(rate=1200))
    assert time.monotonic() - begin >= 5 * 60 / 1200


def test_a_budget_is_never_overdrawn_and_a_larger_one_goes_on(endpoint: Any, tmp_path: Path) -> None:
    endpoint.reply, endpoint.delay = echo, 0.01
    rows = [f"row {number}" for number in range(30)]
    limits = Limits(tokens=200)
    with pytest.raises(BudgetSpent, match="of 200 tokens"):
        run(endpoint, tmp_path / "j", rows, limits=limits)
    with Journal.opened(tmp_path / "j", step="s", began="d") as journal:
        assert 100 < sum(journal.spent) <= 200
    before = sum(endpoint.asked.values())
    with pytest.raises(BudgetSpent):
        run(endpoint, tmp_path / "j", rows, limits=limits)
    assert sum(endpoint.asked.values()) == before
    run(endpoint, tmp_path / "j", rows, limits=Limits(tokens=100_000))
    assert sum(endpoint.asked.values()) == 90
    with pytest.raises(BudgetSpent, match=r"of 0\.0001"):
        run(endpoint, tmp_path / "k", rows, limits=Limits(cost=0.0001, price=(1.0, 1.0)))


def test_stopping_waits_for_what_is_under_way_and_keeps_it(endpoint: Any, tmp_path: Path) -> None:
    endpoint.reply, endpoint.delay = echo, 0.05

    def stop_soon(engine: Engine) -> None:
        engine.watch = lambda tally: engine.gate.stop(Stopped("stopped")) if tally.requests == 4 else None

    rows = [f"row {number}" for number in range(30)]
    with pytest.raises(Stopped):
        run(endpoint, tmp_path / "j", rows, limits=Limits(concurrency=4), then=stop_soon)
    answered = sum(endpoint.asked.values())
    assert answered < 20
    with Journal.opened(tmp_path / "j", step="s", began="d") as journal:
        assert journal.answers == answered
    run(endpoint, tmp_path / "j", rows)
    assert sum(endpoint.asked.values()) == 90


def test_a_key_that_is_refused_and_an_address_where_nobody_is_end_the_run(endpoint: Any, tmp_path: Path) -> None:
    endpoint.faults = lambda number: ["401"]
    with pytest.raises(EndpointRefused, match="answers 401: fault 401"):
        run(endpoint, tmp_path / "j", ["a", "b"])
    with pytest.raises(EndpointRefused, match="cannot reach"):
        run(endpoint, tmp_path / "k", ["a"], url="http://127.0.0.1:1/v1", retries=0)


def test_a_row_without_a_reply_is_missing_and_asked_again_in_the_next_run(endpoint: Any, tmp_path: Path) -> None:
    endpoint.reply = echo
    endpoint.faults = lambda number: ["500"]
    found, _ = run(endpoint, tmp_path / "j", ["a"], retries=0)
    assert found == [("a", Missing("500: fault 500"))]
    endpoint.faults = lambda number: []
    again, _ = run(endpoint, tmp_path / "j", ["a"])
    assert isinstance(again[0][1], list)
    assert set(endpoint.asked.values()) == {1}


def test_an_estimate_asks_nobody_and_knows_what_is_there(endpoint: Any, tmp_path: Path) -> None:
    endpoint.reply = echo
    run(endpoint, tmp_path / "j", ["a"])
    with Journal.opened(tmp_path / "j", step="s", began="d") as journal:
        found = estimate(["a", "b"], twice, SAMPLING, journal)
    assert (found.rows, found.known, found.requests, found.most) == (2, 3, 3, 150)
    assert found.read > 0
    assert sum(endpoint.asked.values()) == 3
