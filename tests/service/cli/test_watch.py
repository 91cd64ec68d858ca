"""`perception-reward watch`: of a service, of a file, of what is not there, and its end."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from click.testing import Result
from typer.testing import CliRunner

from perception_reward.service.cli.main import app

PARTS = {"format": 1.0, "accuracy": 1.0, "perception": 0.5, "repetition": 0.0}
LINE = json.dumps({"id": "r", "status": "ok", "score": 1.35, "components": PARTS, "facts": None, "reason": None}) + "\n"
ITEM = {"id": "r", "response": "AB = 5", "facts": [{"id": "f", "text": "AB has length 5."}], "answer": "5"}


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["watch", *map(str, arguments), "--once"], env={"COLUMNS": "80"})


@pytest.fixture
def start() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """The command in a process of its own."""
    started: list[subprocess.Popen[str]] = []

    def begin(*arguments: object) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "perception_reward.service.cli", "watch", *map(str, arguments)]
        started.append(subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))
        return started[-1]

    yield begin
    for process in started:
        process.kill()
        process.communicate()


def until(process: subprocess.Popen[str], words: str) -> str:
    """What it prints up to the line with these words."""
    assert process.stdout is not None
    said = ""
    for line in process.stdout:
        said += line
        if words in line:
            return said
    raise AssertionError(f"{words!r} was not printed: {said}")


async def test_a_run_of_a_service_is_shown_by_its_label(serve: Any):
    here = await serve()
    async with aiohttp.ClientSession() as session:
        answer = await session.post(f"{here.url}/v1/score", json={"run": "mine", "items": [ITEM, ITEM]})
        assert answer.status == 200
    done = await asyncio.to_thread(run, here.url, "--run", "mine")
    assert done.exit_code == 0, done.stderr
    assert "2 items" in done.stdout
    assert "accuracy" in done.stdout
    unknown = await asyncio.to_thread(run, here.url, "--run", "yours")
    assert unknown.exit_code == 2
    assert "no item of the run 'yours' yet; runs: mine" in unknown.stderr


async def test_a_key_that_is_refused_ends_it(serve: Any):
    here = await serve(api_key="secret")
    done = await asyncio.to_thread(run, here.url)
    assert done.exit_code == 2
    assert "refuses the key (401)" in done.stderr
    assert (await asyncio.to_thread(run, here.url, "--api-key", "secret")).exit_code == 0


@pytest.mark.timeout(45)
def test_results_are_followed_as_they_grow_and_ctrl_c_ends_it_cleanly(tmp_path: Path, start: Any):
    path = tmp_path / "results.jsonl"
    process = start(path, "--every", "0.1")
    until(process, "results.jsonl is not there yet; looking again")
    part = tmp_path / "results.jsonl.part"
    part.write_text(LINE * 3, encoding="utf-8")
    until(process, "3 items")
    with part.open("a", encoding="utf-8") as out:
        out.write(LINE)
    assert "0.500" in until(process, "4 items") + until(process, "right")
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == 0
    assert process.stderr is not None
    assert process.stderr.read() == ""


@pytest.mark.timeout(45)
async def test_a_service_that_is_down_is_told_and_asked_again(serve: Any, start: Any):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = start(f"http://127.0.0.1:{port}", "--every", "0.1")
    await asyncio.to_thread(until, process, "does not answer")
    await serve(port=port)
    await asyncio.to_thread(until, process, f"http://127.0.0.1:{port}")
    process.send_signal(signal.SIGINT)
    assert await asyncio.to_thread(process.wait, 20) == 0


def test_what_is_no_file_of_results_ends_it(tmp_path: Path):
    path = tmp_path / "rollouts.jsonl"
    path.write_text('{"response": "x"}\n', encoding="utf-8")
    done = run(path)
    assert done.exit_code == 2
    assert "rollouts.jsonl line 1: is no result of `perception-reward score`" in done.stderr.replace("\n", " ")
