from __future__ import annotations

import asyncio
import gc
import json
import multiprocessing
import os
import pickle
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import aiohttp
import pytest

from perception_reward.trainer_client import (
    InvalidItem,
    ItemResult,
    RewardClient,
    ScoreItem,
    ServiceUnavailable,
    TooManyMissing,
)

PATIENCE = 60.0

MakeItem = Callable[..., dict[str, Any]]


async def test_results_keep_the_order_of_the_items(served: str, make_item: MakeItem) -> None:
    items = [make_item(n) for n in range(50)]
    async with RewardClient(served, timeout=PATIENCE, request_items=7, run="a run") as client:
        results = await client.score(items, step=3)
    assert [result.id for result in results] == [item["id"] for item in items]
    assert all(isinstance(result, ItemResult) and result.components["perception"] == 1.0 for result in results)


async def test_models_and_plain_objects_score_alike(served: str, make_item: MakeItem) -> None:
    async with RewardClient(served, timeout=PATIENCE) as client:
        plain, model = await client.score([make_item(), ScoreItem.model_validate(make_item())])
    assert plain == model


async def test_lone_surrogates_can_be_scored(served: str, make_item: MakeItem) -> None:
    async with RewardClient(served, timeout=PATIENCE) as client:
        (result,) = await client.score([make_item(response="AB = 5 \ud800")])
    assert result.components["perception"] == 1.0


async def test_nothing_to_score_asks_nobody() -> None:
    async with RewardClient("http://127.0.0.1:9") as client:
        assert await client.score([]) == []


async def test_more_items_than_the_service_takes_at_once_are_divided(served: str, make_item: MakeItem) -> None:
    # The service takes 600 items in a request.
    async with RewardClient(served, timeout=PATIENCE, request_items=1000) as client:
        results = await client.score([make_item(n) for n in range(700)])
    assert [result.id for result in results] == [f"r-{n}" for n in range(700)]


async def test_more_bytes_than_the_service_takes_at_once_are_divided(served: str, make_item: MakeItem) -> None:
    # The service takes bodies of 8 MiB.
    async with RewardClient(served, timeout=PATIENCE) as client:
        results = await client.score([make_item(n, response="AB = 5. " + "x" * 2_500_000) for n in range(4)])
    assert [result.id for result in results] == [f"r-{n}" for n in range(4)]


async def test_more_facts_than_the_service_has_room_for_at_once_are_divided(
    start_process: Callable[..., Any], make_item: MakeItem
) -> None:
    # Some 12 MiB once they are read.
    facts = [{"id": str(n), "text": f"Segment AB has length {n}."} for n in range(64)]
    service = start_process("--workers", "1", "--max-body-mb", "4", "--max-buffered-mb", "8")
    async with RewardClient(service.url, timeout=PATIENCE) as client:
        results = await client.score([make_item(n, facts=facts) for n in range(64)])
    assert [result.id for result in results] == [f"r-{n}" for n in range(64)]
    assert {len(result.facts or ()) for result in results} == {64}


async def test_a_bad_item_is_named_by_its_place_in_the_call(served: str, make_item: MakeItem) -> None:
    items = [make_item(n) for n in range(6)]
    items[4] = {"id": "r-4", "respons": "AB = 5"}
    async with RewardClient(served, timeout=PATIENCE, request_items=2) as client:
        with pytest.raises(InvalidItem, match=r"items\[4\]") as error:
            await client.score(items)
    assert error.value.index == 4


async def test_what_the_service_says_of_the_request_reaches_the_caller(served: str, make_item: MakeItem) -> None:
    async with RewardClient(served, timeout=PATIENCE, profile="no such") as client:
        with pytest.raises(InvalidItem, match="no such"):
            await client.score([make_item()])


async def test_profile_step_and_run_travel_with_each_request(server: Any, make_item: MakeItem) -> None:
    async with RewardClient(server.url, timeout=PATIENCE, profile="sum", run="night", request_items=1) as client:
        await client.score([make_item(), make_item()], step=7)
    assert [(body["profile"], body["step"], body["run"]) for body in server.asked] == [("sum", 7, "night")] * 2


async def test_what_no_server_answers_is_missing_and_its_neighbours_are_not(server: Any, make_item: MakeItem) -> None:
    server.script = [server.scores, server.scores]
    server.reply = server.says(503)
    async with RewardClient(server.url, timeout=1.0, request_items=1, requests_at_once=1) as client:
        results = await client.score([make_item(n) for n in range(3)])
    assert [(result.id, result.score, result.reason) for result in results] == [
        ("r-0", 1.0, None),
        ("r-1", 1.0, None),
        ("r-2", None, "service_unavailable"),
    ]


async def test_what_a_later_service_says_reaches_the_caller(server: Any, make_item: MakeItem) -> None:
    components = {**dict.fromkeys(("format", "accuracy", "perception", "repetition")), "style": 0.5}
    missing = {"id": "r-0", "status": "missing", "score": None, "components": components, "facts": None}
    document = {
        "profile": "p",
        "judge": "j",
        "results": [{**missing, "reason": "judge_asleep", "since": "noon"}],
        "summary": {"items": 1, "missing": 1, "facts": 0, "cache_hits": 0, "judged": 0, "seconds": 0.0, "dreams": 2},
    }
    server.reply = server.says(200, json.dumps(document))
    async with RewardClient(server.url, timeout=PATIENCE) as client:
        (result,) = await client.score([make_item()])
    assert (result.score, result.reason) == (None, "judge_asleep")
    assert len(server.asked) == 1


async def test_under_raise_an_outage_is_an_error(server: Any, make_item: MakeItem) -> None:
    async with RewardClient(server.url, timeout=1.0, on_missing="raise") as client:
        await client.score([make_item()])
        await server.kill()
        with pytest.raises(ServiceUnavailable):
            await client.score([make_item()])


@pytest.mark.parametrize("fault", ["dead", "down", "something else"])
async def test_a_run_whose_service_never_answers_is_told_what_to_check(
    server: Any, make_item: MakeItem, fault: str
) -> None:
    if fault == "dead":
        await server.kill()
    server.reply = server.says(503) if fault == "down" else server.says(200, "<html>")
    async with RewardClient(server.url, timeout=0.5) as client:
        with pytest.raises(ServiceUnavailable) as error:
            await client.score([make_item()])
    for told in (server.url, "0.5 s", "PERCEPTION_REWARD_URL", "perception-reward serve"):
        assert told in str(error.value)


async def test_a_hung_service_costs_a_call_its_time_and_no_more(server: Any, make_item: MakeItem) -> None:
    # Long enough for a first answer on a machine that has much else to do.
    async with RewardClient(server.url, timeout=2.0) as client:
        await client.score([make_item()])
        server.reply = server.hang
        (result,) = await client.score([make_item()])
    assert result.reason == "service_unavailable"


async def test_a_run_of_missing_scores_is_stopped(server: Any, make_item: MakeItem) -> None:
    server.reply = server.misses
    async with RewardClient(server.url, timeout=PATIENCE, missing_window=20) as client:
        for _ in range(19):
            assert (await client.score_one(make_item())).score is None
        with pytest.raises(TooManyMissing, match="judge_timeout 20"):
            await client.score_one(make_item())


async def test_the_first_error_ends_the_other_requests_of_a_call(server: Any, make_item: MakeItem) -> None:
    server.script = [server.hang]
    server.reply = server.says(404)
    async with RewardClient(server.url, timeout=PATIENCE, request_items=1, requests_at_once=2) as client:
        with pytest.raises(Exception, match="404"):
            await client.score([make_item(n) for n in range(5)])
        await server.gone.wait()
    assert len(server.asked) == 2


async def test_a_call_that_is_cancelled_cancels_its_requests(server: Any, make_item: MakeItem) -> None:
    server.reply = server.hang
    async with RewardClient(server.url, timeout=PATIENCE) as client:
        call = asyncio.create_task(client.score([make_item()]))
        await server.arrived.wait()
        call.cancel()
        await server.gone.wait()


def test_the_synchronous_face_works_from_many_threads(served: str, make_item: MakeItem) -> None:
    with RewardClient(served, timeout=PATIENCE) as client, ThreadPoolExecutor(8) as pool:
        found = pool.map(lambda n: client.score_sync([make_item(n)])[0].id, range(32))
        assert list(found) == [f"r-{n}" for n in range(32)]


async def test_the_synchronous_face_works_inside_a_running_loop(served: str, make_item: MakeItem) -> None:
    with RewardClient(served, timeout=PATIENCE) as client:
        assert client.score_sync([make_item()])[0].score is not None


def test_one_client_serves_many_loops_one_after_the_other(served: str, make_item: MakeItem) -> None:
    client = RewardClient(served, timeout=PATIENCE)

    async def once(n: int) -> str | None:
        (first,), second = await asyncio.gather(client.score([make_item(n)]), client.score_one(make_item(n)))
        assert first == second
        return first.id

    assert [asyncio.run(once(n)) for n in range(3)] == ["r-0", "r-1", "r-2"]
    assert open_sessions() == 0


def test_one_client_serves_many_loops_at_once(served: str, make_item: MakeItem) -> None:
    client = RewardClient(served, timeout=PATIENCE)
    meet = threading.Barrier(4)

    async def both(n: int) -> list[str | None]:
        meet.wait(PATIENCE)
        return [result.id for result in await asyncio.gather(*(client.score_one(make_item(n)) for _ in range(5)))]

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda n: asyncio.run(both(n)), range(4)))
    assert found == [[f"r-{n}"] * 5 for n in range(4)]
    assert open_sessions() == 0


def test_a_loop_that_ended_without_a_word_is_forgotten(served: str, make_item: MakeItem) -> None:
    client = RewardClient(served, timeout=PATIENCE)
    for _ in range(3):
        loop = asyncio.new_event_loop()
        loop.run_until_complete(client.score([make_item()]))
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()
    assert len(client._process().loops) == 1  # pyright: ignore[reportPrivateUsage]


async def test_a_client_that_is_dropped_closes_what_it_opened(served: str, make_item: MakeItem) -> None:
    client = RewardClient(served, timeout=PATIENCE)
    await client.score([make_item()])
    client.score_sync([make_item()])
    (thread,) = (thread for thread in threading.enumerate() if thread.name == "perception-reward")
    del client
    gc.collect()
    await asyncio.to_thread(thread.join, PATIENCE)
    assert not thread.is_alive()
    # The loop closes in a task of its own what nobody holds any more.
    await asyncio.gather(*(asyncio.all_tasks() - {asyncio.current_task()}))
    assert open_sessions() == 0


def test_a_client_that_is_dropped_with_what_holds_it_closes_what_it_opened(served: str, make_item: MakeItem) -> None:
    client = RewardClient(served, timeout=PATIENCE)
    client.score_sync([make_item()])
    # An error's traceback holds its client, and often itself.
    cycle: list[Any] = [client]
    cycle.append(cycle)
    del client, cycle
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        gc.collect()
        gc.collect()
    assert [str(warning.message) for warning in told] == []


async def test_a_closed_client_opens_again(served: str, make_item: MakeItem) -> None:
    client = RewardClient(served, timeout=PATIENCE)
    for _ in range(2):
        async with client:
            assert await client.score([make_item()])
        with client:
            assert client.score_sync([make_item()])
    assert open_sessions() == 0


def test_a_pickled_client_is_the_same_and_takes_nothing_along(served: str, make_item: MakeItem) -> None:
    with RewardClient(served, "key", timeout=PATIENCE, run="night") as client:
        client.score_sync([make_item()])
        with pickle.loads(pickle.dumps(client)) as again:
            assert again.options == client.options
            assert again.score_sync([make_item(1)])[0].id == "r-1"


def _score_in_a_process(client: RewardClient, asked: dict[str, Any], results: Any) -> None:
    async def here() -> list[ItemResult]:
        return [*await client.score([asked]), await client.score_one(asked)]

    results.put([result.id for result in asyncio.run(here()) + client.score_sync([asked])])


def test_a_client_that_was_used_goes_on_in_forked_processes_and_here(served: str, make_item: MakeItem) -> None:
    context = multiprocessing.get_context("fork")
    with RewardClient(served, timeout=PATIENCE) as client:
        client.score_sync([make_item()])
        results = context.Queue()
        processes = [
            context.Process(target=_score_in_a_process, args=(client, make_item(n), results)) for n in range(2)
        ]
        for process in processes:
            process.start()
        assert client.score_sync([make_item(9)])[0].id == "r-9"
        assert sorted(results.get(timeout=PATIENCE) for _ in processes) == [["r-0"] * 3, ["r-1"] * 3]
        for process in processes:
            process.join(PATIENCE)
            assert process.exitcode == 0
        assert client.score_sync([make_item(9)])[0].id == "r-9"
        results.close()
        results.join_thread()


def test_a_client_that_was_used_goes_on_in_a_process_of_its_own(served: str, make_item: MakeItem) -> None:
    program = "import pickle, sys; c, items = pickle.load(sys.stdin.buffer); print(c.score_sync(items)[0].id)"
    with RewardClient(served, timeout=PATIENCE) as client:
        client.score_sync([make_item()])
        sent = pickle.dumps((client, [make_item(3)]))
    done = subprocess.run(
        [sys.executable, "-c", program], input=sent, capture_output=True, timeout=PATIENCE, check=True
    )
    assert done.stdout.split() == [b"r-3"]


FORKED = """
import os, sys
from perception_reward.trainer_client import RewardClient

client = RewardClient(sys.argv[1], timeout=60)
item = {"id": "r", "facts": [{"id": "f1", "text": "Segment AB has length 5."}], "answer": "5", "response": "AB = 5"}
client.score_sync([item])
child = os.fork()
if child == 0:
    if sys.argv[2] == "used":
        print(client.score_sync([item])[0].score, flush=True)
    sys.exit(0)
os.waitpid(child, 0)
print(client.score_sync([item])[0].score)
"""


@pytest.mark.parametrize(("child", "printed"), [("idle", ["0.7"]), ("used", ["0.7", "0.7"])])
def test_a_child_that_ends_leaves_its_parent_s_connections_alone(served: str, child: str, printed: list[str]) -> None:
    # The child ends as a program does, with all objects finalised, and not as `multiprocessing` ends one.
    command = [sys.executable, "-W", "error", "-c", FORKED, served, child]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=True)
    assert (done.stdout.split(), done.stderr) == (printed, "")


def test_a_program_that_closes_nothing_ends_in_silence(served: str) -> None:
    program = (
        "import asyncio, sys\n"
        "from perception_reward.trainer_client import RewardClient\n"
        "client = RewardClient(sys.argv[1], timeout=60)\n"
        "items = [{'annotation_id': 'triangle/1', 'response': 'x'}]\n"
        "print(len(client.score_sync(items)), len(asyncio.run(client.score(items))))\n"
    )
    command = [sys.executable, "-W", "error", "-c", program, served]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=True)
    assert (done.stdout.split(), done.stderr) == (["1", "1"], "")


LEFT = """
import asyncio, gc, sys, threading
from perception_reward.trainer_client import RewardClient

client = RewardClient(sys.argv[1], timeout=60)
item = {"annotation_id": "triangle/1", "response": "x"}
loop = asyncio.new_event_loop()
if sys.argv[2] == "closed":
    loop.run_until_complete(client.score([item]))
    loop.close()
else:
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    asyncio.run_coroutine_threadsafe(client.score_one(item), loop).result()
    if sys.argv[2] != "running":
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
if sys.argv[2] == "dropped":
    del client
    gc.collect()
print("done")
"""


@pytest.mark.parametrize("loop", ["closed", "running", "stopped", "dropped"])
def test_a_trainer_s_loop_that_is_left_as_it_is_ends_in_silence(served: str, loop: str) -> None:
    # Of the loop itself and its sockets Python warns whom asks for it; of the client there is nothing to say.
    command = [sys.executable, "-c", LEFT, served, loop]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=True)
    assert (done.stdout.split(), done.stderr) == (["done"], "")


def test_nothing_is_opened_before_the_first_call() -> None:
    before = threading.active_count()
    client = RewardClient("https://127.0.0.1:9", ca_file="/no/such/file")
    assert client._processes == {}  # pyright: ignore[reportPrivateUsage]
    assert threading.active_count() == before
    assert os.getpid() not in client._processes  # pyright: ignore[reportPrivateUsage]


def open_sessions() -> int:
    """Sessions that are not closed."""
    gc.collect()
    return sum(isinstance(found, aiohttp.ClientSession) and not found.closed for found in gc.get_objects())
