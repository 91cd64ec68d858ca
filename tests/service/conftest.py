"""A real service: as its own process, or in the test's event loop with a judge that the test scripts."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from perception_reward.service.assembly import Service, assemble
from perception_reward.service.cli.running import address, listen
from perception_reward.service.judges.base import Health, JudgeInfo, JudgeTask, Outcome, Scope, Verdict
from perception_reward.service.rewards.grading import AccuracyGrader
from perception_reward.service.scorer import Scorer
from perception_reward.service.server import make_server
from perception_reward.service.settings import ENVIRONMENT_PREFIX, load

FACTS = [
    {"id": "f1", "text": "Segment AB has length 5.", "kind": "length"},
    {"id": "f2", "text": "Angle ABC measures 90 degrees.", "kind": "angle"},
]
ANNOTATION = {"id": "triangle/1", "question": "Find AC.", "answer": "13", "facts": FACTS}
RESPONSE = "<think>\nAB = 5 and the angle ABC is 90 degrees, so AC = 13.\n</think>\n<answer>\n\\boxed{13}\n</answer>"


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(ENVIRONMENT_PREFIX):
            monkeypatch.delenv(name)


class ServedProcess:
    """`perception-reward serve` as a process of its own, listening on a free port."""

    def __init__(self, *options: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "perception_reward.service.cli", "serve", "--port", "0", "--log-json", *options],
            stderr=subprocess.PIPE,
            text=True,
        )
        self.log: list[dict[str, Any]] = []
        self.url = self._await_address()
        self._reader = threading.Thread(target=self._read_log)
        self._reader.start()

    @property
    def pid(self) -> int:
        return self._process.pid

    def _await_address(self) -> str:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            entry = json.loads(line) if line.startswith("{") else {"message": line}
            self.log.append(entry)
            if entry["message"] == "listening":
                return entry["address"]
        raise AssertionError(f"the service did not start: {self.log}")

    def _read_log(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            self.log.append(json.loads(line) if line.startswith("{") else {"message": line})

    def signal(self, number: int) -> None:
        self._process.send_signal(number)

    def wait(self) -> int:
        """The exit status, once the service has stopped by itself."""
        status = self._process.wait(timeout=60)
        self._reader.join(timeout=10)
        assert self._process.stderr is not None
        self._process.stderr.close()
        return status

    def stop(self) -> None:
        if self._process.poll() is None:
            self.signal(signal.SIGTERM)
        self.wait()


@pytest.fixture
def start_process() -> Iterator[Callable[..., ServedProcess]]:
    """A factory of services as processes, stopped at the end of the test."""
    started: list[ServedProcess] = []

    def start(*options: str) -> ServedProcess:
        started.append(ServedProcess(*options))
        return started[-1]

    yield start
    for process in started:
        process.stop()


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a service on its defaults, with one annotation, shared by tests that leave it as it was."""
    path = tmp_path_factory.mktemp("served") / "annotations.jsonl"
    path.write_text(json.dumps(ANNOTATION) + "\n", encoding="utf-8")
    process = ServedProcess("--annotations", str(path), "--workers", "1", "--max-body-mb", "8", "--max-items", "600")
    yield process.url
    process.stop()


Decide = Callable[[JudgeTask], Sequence[Outcome]]


class ScriptedJudge:
    """A judge that decides as the test says, and waits while the test says so."""

    def __init__(self, decide: Decide | None = None, scope: Scope = "fact") -> None:
        self.decide: Decide = decide or (lambda task: [Verdict("stated", 1.0) for _ in task.facts])
        self.scope: Scope = scope
        self.info = JudgeInfo("scripted", None, "script", "scripted/1")
        self.batches: list[list[JudgeTask]] = []
        self.asked = asyncio.Event()
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.cancelled = asyncio.Event()
        self.healthy = True

    async def judge(
        self, tasks: Sequence[JudgeTask], deadline: float
    ) -> AsyncGenerator[tuple[int, tuple[Outcome, ...]]]:
        self.batches.append(list(tasks))
        self.asked.set()
        try:
            await self.may_answer.wait()
            for index, task in enumerate(tasks):
                yield index, tuple(self.decide(task))
        except asyncio.CancelledError:
            self.cancelled.set()
            raise

    async def health(self) -> Health:
        return Health(self.healthy, "" if self.healthy else "it was told to be ill")

    async def start(self) -> None: ...

    async def aclose(self) -> None: ...


@dataclasses.dataclass
class Here:
    """A service in this event loop."""

    url: str
    service: Service
    judge: ScriptedJudge


@asynccontextmanager
async def serve_here(judge: ScriptedJudge | None = None, **overrides: object) -> AsyncIterator[Here]:
    """Serve on a free port, in this event loop, with a scripted judge."""
    judge = judge or ScriptedJudge()
    settings = load(**{"port": 0, "workers": 1, **overrides})
    assembled = assemble(settings)
    scorer = Scorer(
        store=assembled.store,
        cache=assembled.cache,
        judge=judge,
        grader=AccuracyGrader(assembled.pool),
        profiles=assembled.profiles,
        default_profile=settings.profile,
        max_response_chars=settings.max_response_chars,
        observer=assembled.metrics,
    )
    service = dataclasses.replace(assembled, judge=judge, scorer=scorer)
    async with service.running():
        with listen(settings) as listener:
            server = make_server(service)
            serving = asyncio.create_task(server.serve(sockets=[listener]))
            try:
                yield Here(address(listener), service, judge)
            finally:
                server.should_exit = True
                await serving


@pytest.fixture
async def serve() -> AsyncIterator[Callable[..., Any]]:
    """A factory of services in this event loop: `here = await serve(judge, setting=value)`."""
    async with AsyncExitStack() as stack:

        async def start(judge: ScriptedJudge | None = None, **overrides: object) -> Here:
            return await stack.enter_async_context(serve_here(judge, **overrides))

        yield start


@pytest.fixture
def annotations_file(tmp_path: Path) -> Path:
    path = tmp_path / "annotations.jsonl"
    path.write_text(json.dumps(ANNOTATION) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def scripted_judge() -> type[ScriptedJudge]:
    return ScriptedJudge
