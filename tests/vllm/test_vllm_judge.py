"""The judge with vLLM in its process: a real service, a real engine, and the faults it has to live through.

The model has two layers of random weights: its verdicts mean nothing, but they differ from ask to ask, and the same
ask has the same one.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from perception_reward.service.judges.base import JudgeTask, Verdict
from perception_reward.service.judges.llm.judge import LLMJudge
from perception_reward.service.judges.llm.methods import make_method
from perception_reward.service.judges.openai.factory import openai_engine
from perception_reward.trainer_client.wire import Fact

# Starting an engine takes longer than other tests do.
pytestmark = [pytest.mark.vllm, pytest.mark.timeout(900)]

# Seconds that an engine may take to start, on a machine that does something else beside.
PATIENCE = 400

ARGUMENTS = ["dtype=float32", "enforce_eager=true", "max-model-len=4096"]
OPTIONS = [option for argument in ARGUMENTS for option in ("--judge-engine-arg", argument)]

FACTS = [{"id": f"f{n}", "text": f"Segment AB has length {n}."} for n in range(5)]
SUBJECTS = ["The triangle", "A circle here", "Line AB", "What we know of it", "x = 17", "Since 90 degrees"]
RESPONSES = [
    f"{subject} shows that the segment is {n} units long. " * (4 + 3 * n) for n, subject in enumerate(SUBJECTS)
]

# The judge does not see it, the cache of verdicts does: the same ask, asked again.
UNSEEN = "\u200b"


@pytest.fixture(scope="module")
def engine_environment(vllm_environment: dict[str, str]) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in vllm_environment.items():
            patch.setenv(name, value)
        yield


@pytest.fixture(scope="module")
def service(vllm_model: Path, engine_environment: None, vllm_python: str, start_shared_process: Any) -> Any:
    """A service that all tests share; each leaves it ready again."""
    # The whole response: no fact is decided before the engine is asked, and a response's facts share its prefix.
    options = [*OPTIONS, "--judge-evidence", "whole", "--workers", "1", "--request-timeout", str(PATIENCE)]
    return start_shared_process("--judge", f"vllm:{vllm_model}", *options, python=vllm_python)


def score(service: Any, items: list[dict[str, object]], seconds: float = PATIENCE) -> dict[str, Any]:
    headers = {"X-Request-Timeout": str(seconds)}
    reply = httpx.post(service.url + "/v1/score", json={"items": items}, headers=headers, timeout=PATIENCE + 60)
    assert reply.status_code == 200, reply.text
    return reply.json()


def item(response: str, facts: list[dict[str, str]] = FACTS) -> dict[str, object]:
    return {"response": response, "facts": facts}


def verdicts(result: dict[str, Any]) -> list[tuple[str, float]]:
    assert result["status"] == "ok", result
    return [(fact["verdict"], fact["probability"]) for fact in result["facts"]]


def same(found: list[tuple[str, float]], expected: list[tuple[str, float]]) -> None:
    # In float32 the order of a sum moves the log-probabilities by some 1e-6.
    assert [label for label, _ in found] == [label for label, _ in expected]
    assert [value for _, value in found] == pytest.approx([value for _, value in expected], abs=1e-4)


def readiness(service: Any) -> tuple[bool, str]:
    report = httpx.get(service.url + "/readyz", timeout=30).json()
    return report["ready"], report["checks"]["judge"]


def await_readiness(service: Any, wanted: bool) -> str:
    deadline = time.monotonic() + PATIENCE
    while True:
        ready, sentence = readiness(service)
        if ready == wanted:
            return sentence
        assert time.monotonic() < deadline, sentence
        time.sleep(0.2)


def engine_of(pid: int) -> psutil.Process | None:
    for child in psutil.Process(pid).children():
        try:
            if child.cmdline()[:1] == ["VLLM::EngineCore"]:
                return child
        except psutil.NoSuchProcess:
            continue
    return None


def test_a_verdict_is_the_same_in_any_batch_order_and_cache_state_and_after_a_restart(service: Any):
    assert await_readiness(service, True) == "ok"
    together = score(service, [item(response) for response in RESPONSES])
    assert together["judge"].startswith("vllm/verdict/")
    expected = [verdicts(result) for result in together["results"]]
    assert len({round(value, 3) for each in expected for _, value in each}) > 5, "the model answers always the same"

    backwards = score(service, [item(response + UNSEEN, FACTS[::-1]) for response in RESPONSES[::-1]])
    assert backwards["summary"]["cache_hits"] == 0
    for result, known in zip(backwards["results"], expected[::-1], strict=True):
        same(verdicts(result), known[::-1])

    for place in range(3):
        alone = score(service, [item(RESPONSES[place] + 2 * UNSEEN, [FACTS[place]])])
        same(verdicts(alone["results"][0]), [expected[place][place]])

    the_engine_dies_and_comes_back(service)
    again = score(service, [item(response + 3 * UNSEEN) for response in RESPONSES])
    assert again["summary"]["cache_hits"] == 0
    for result, known in zip(again["results"], expected, strict=True):
        same(verdicts(result), known)


async def test_a_server_of_the_same_model_gives_the_same_verdicts(service: Any, vllm_server: Any, vllm_model: Path):
    judge = LLMJudge(openai_engine(f"openai:{vllm_server.url}#tiny"), make_method("verdict"), tokenizer=str(vllm_model))
    facts = tuple(Fact(id=fact["id"], text=fact["text"]) for fact in FACTS)
    tasks = [JudgeTask(response, facts) for response in RESPONSES]
    await judge.start()
    try:
        deadline = asyncio.get_running_loop().time() + PATIENCE
        served = {index: outcomes async for index, outcomes in judge.judge(tasks, deadline)}
    finally:
        await judge.aclose()
    assert await_readiness(service, True) == "ok"
    inside = score(service, [item(response + 4 * UNSEEN) for response in RESPONSES])
    for index, result in enumerate(inside["results"]):
        verdicts_of_server = [outcome for outcome in served[index] if isinstance(outcome, Verdict)]
        same(verdicts(result), [(verdict.label, verdict.probability) for verdict in verdicts_of_server])


def the_engine_dies_and_comes_back(service: Any) -> None:
    engine = engine_of(service.pid)
    assert engine is not None
    workers = engine.children()
    engine.kill()
    assert "it is being started again" in await_readiness(service, False)
    (result,) = score(service, [item("asked while there is no engine")])["results"]
    assert result["reason"] == "judge_unavailable"
    assert httpx.get(service.url + "/livez", timeout=30).status_code == 200
    _, alive = psutil.wait_procs(workers, timeout=60)
    assert not alive
    assert await_readiness(service, True) == "ok"
    service.await_logged("the engine is running again")


def test_a_response_too_long_for_the_engine_is_missing_and_its_neighbour_is_not(service: Any):
    long, short = score(service, [item("x! " * 8000), item("A short one.")])["results"]
    assert long["reason"] == "judge_unavailable"
    assert short["status"] == "ok"
    service.await_logged("max_model_len of 4096")


def test_an_engine_that_hangs_costs_its_requests_and_the_readiness_until_it_answers(service: Any):
    engine = engine_of(service.pid)
    assert engine is not None
    engine.suspend()
    try:
        (result,) = score(service, [item("asked while the engine hangs")], seconds=4)["results"]
        assert result["reason"] == "judge_timeout"
        assert "the engine has answered nothing" in await_readiness(service, False)
    finally:
        engine.resume()
    assert await_readiness(service, True) == "ok"
    (result,) = score(service, [item("asked while the engine hangs")])["results"]
    assert result["status"] == "ok"


def test_a_stopped_service_leaves_no_process_behind(service: Any):
    children = psutil.Process(service.pid).children(recursive=True)
    assert engine_of(service.pid) in children
    service.signal(signal.SIGTERM)
    assert service.wait(timeout=PATIENCE) == 0
    _, alive = psutil.wait_procs(children, timeout=60)
    assert not alive


@pytest.mark.slow
def test_the_engine_of_a_service_that_was_killed_ends_too(vllm_model: Path, engine_environment: None, vllm_python: str):
    command = [vllm_python, "-m", "perception_reward.service.cli", "serve", "--judge", f"vllm:{vllm_model}", *OPTIONS]
    service = subprocess.Popen(
        [*command, "--port", "0"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=os.environ
    )
    deadline = time.monotonic() + PATIENCE
    while (engine := engine_of(service.pid)) is None:
        assert service.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.2)
    service.kill()
    service.wait()
    _, alive = psutil.wait_procs([engine], timeout=PATIENCE)
    assert not alive


def last_line_of_a_service_that_cannot_start(python: str, model: object, *options: str) -> str:
    command = [python, "-m", "perception_reward.service.cli", "serve", "--judge", f"vllm:{model}", *OPTIONS, *options]
    done = subprocess.run([*command, "--port", "0"], capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 2, done.stderr
    return next(line for line in reversed(done.stderr.splitlines()) if line.startswith("error: "))


@pytest.mark.slow
def test_too_little_memory_at_start_is_told_with_the_arguments_that_matter(
    vllm_model: Path, engine_environment: None, vllm_python: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv("VLLM_CPU_KVCACHE_SPACE")
    line = last_line_of_a_service_that_cannot_start(
        vllm_python, vllm_model, "--judge-engine-arg", "kv_cache_memory_bytes=100000"
    )
    assert "finds too little memory" in line
    assert "max_model_len" in line
    assert str(vllm_model) in line


@pytest.mark.slow
def test_a_tokenizer_without_a_chat_template_is_told(
    make_tokenizer: Callable[..., Path], vllm_config: dict[str, Any], engine_environment: None, vllm_python: str
):
    folder = make_tokenizer(chat_template=None)
    (folder / "config.json").write_text(json.dumps(vllm_config))
    line = last_line_of_a_service_that_cannot_start(vllm_python, folder)
    assert "has no chat template" in line


@pytest.mark.slow
def test_a_model_that_does_not_exist_is_told(engine_environment: None, vllm_python: str):
    line = last_line_of_a_service_that_cannot_start(vllm_python, "nobody/no-such-model")
    assert "'nobody/no-such-model' cannot be" in line
