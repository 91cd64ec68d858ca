"""Stopping and reloading, as an orchestrator does it: by signals to a process."""

from __future__ import annotations

import json
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from perception_reward.annotations.jsonl import read_annotations, write_jsonl
from perception_reward.annotations.model import Annotation
from perception_reward.annotations.store import StoreUnavailable
from perception_reward.annotations.version import Version
from perception_reward.service.server import make_server

FACTS = [{"id": f"f{n}", "text": f"Segment AB has length {n}."} for n in range(5)]


def test_sigterm_under_load_loses_no_answer(start_process: Callable[..., Any]):
    process = start_process("--workers", "1")
    answered: list[int] = []
    lost: list[str] = []
    busy = threading.Semaphore(0)

    def client(number: int) -> None:
        with httpx.Client(base_url=process.url, timeout=60) as http:
            for turn in range(1000):
                items = [{"response": f"AB = {n}, said {number}.{turn}", "facts": FACTS} for n in range(16)]
                try:
                    answer = http.post("/v1/score", json={"items": items})
                except httpx.ConnectError:
                    return  # the socket is closed: nothing was taken on
                except httpx.HTTPError as error:
                    lost.append(repr(error))
                    return
                if answer.status_code == 503:
                    assert answer.headers["retry-after"] == "1"
                    return
                answered.append(len(answer.json()["results"]))
                busy.release()

    threads = [threading.Thread(target=client, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for _ in range(16):
        assert busy.acquire(timeout=30)
    process.signal(signal.SIGTERM)
    for thread in threads:
        thread.join(timeout=60)
    assert process.wait() == 0
    assert lost == []
    assert set(answered) == {16}


def test_sighup_reads_the_annotations_again(start_process: Callable[..., Any], annotations_file: Path):
    process = start_process("--annotations", str(annotations_file), "--annotations-watch", "0", "--workers", "1")
    line = json.dumps({"id": "added", "facts": FACTS})
    annotations_file.write_text(annotations_file.read_text(encoding="utf-8") + line + "\n", encoding="utf-8")
    assert httpx.get(f"{process.url}/v1/annotations/added").status_code == 404
    process.signal(signal.SIGHUP)
    await_log(process, "annotations read again")
    assert httpx.get(f"{process.url}/v1/annotations/added").status_code == 200


def test_a_file_that_has_become_unreadable_leaves_what_was_loaded(
    start_process: Callable[..., Any], annotations_file: Path
):
    process = start_process("--annotations", str(annotations_file), "--workers", "1")
    assert httpx.get(f"{process.url}/v1/annotations/triangle/1").status_code == 200
    annotations_file.write_text('{"id": "x", "facts": [{"id": "f3"}]}\n', encoding="utf-8")
    process.signal(signal.SIGHUP)
    entry = await_log(process, "were not read again")
    assert "line 1" in entry["message"]
    assert "f3" in entry["message"]
    assert httpx.get(f"{process.url}/v1/annotations/triangle/1").status_code == 200


def test_a_changed_file_is_read_again_and_scores_name_the_version_they_used(
    start_process: Callable[..., Any], annotations_file: Path
):
    process = start_process("--annotations", str(annotations_file), "--annotations-watch", "0.1", "--workers", "1")
    item = {"annotation_id": "triangle/1", "response": "AB = 5."}

    def version() -> str | None:
        answer = httpx.post(f"{process.url}/v1/score", json={"items": [item]})
        return answer.json()["summary"]["annotations"]

    first = version()
    assert first == str(Version.of(read_annotations(annotations_file).values()))
    write_jsonl(annotations_file, [*read_annotations(annotations_file).values(), Annotation(id="added")])
    await_log(process, "annotations read again")
    assert version() == str(Version.of(read_annotations(annotations_file).values())) != first
    inline = {"items": [{"response": "AB = 5.", "facts": FACTS}]}
    assert httpx.post(f"{process.url}/v1/score", json=inline).json()["summary"]["annotations"] is None


def test_a_faulty_version_is_told_once_and_a_mended_one_is_read(
    start_process: Callable[..., Any], annotations_file: Path
):
    process = start_process("--annotations", str(annotations_file), "--annotations-watch", "0.1", "--workers", "1")
    annotations_file.write_text('{"id": "x", "facts": [{"id": "f3"}]}\n', encoding="utf-8")
    await_log(process, "were not read again")
    write_jsonl(annotations_file, [Annotation(id="mended")])
    await_log(process, "annotations read again")
    assert sum("were not read again" in entry["message"] for entry in process.log) == 1
    assert httpx.get(f"{process.url}/v1/annotations/mended").status_code == 200


async def test_annotations_that_cannot_be_counted_after_a_reload_end_nothing(
    serve: Callable[..., Any], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
):
    here = await serve()

    async def count(service: object) -> int:
        raise StoreUnavailable("gone again")

    monkeypatch.setattr(type(here.service), "count_annotations", count)
    server = make_server(here.service)
    server._reload()
    assert server._reloading is not None
    await server._reloading
    assert "gone again" in caplog.text


def await_log(process: Any, words: str) -> dict[str, Any]:
    """The first log entry with `words`; the log is read by a thread, which this waits for."""
    turn = threading.Event()
    for _ in range(300):
        for entry in list(process.log):
            if words in entry["message"]:
                return entry
        turn.wait(0.1)
    raise AssertionError(f"{words!r} was not logged: {process.log}")
