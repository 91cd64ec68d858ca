"""vLLM's router, of the release that the image has, with the arguments of the manifest: what the service relies on."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

pytestmark = pytest.mark.deploy

# As the judge over HTTP asks: the facts of a response as one request of several lists of tokens.
ASKED = {
    "model": "tiny",
    "max_tokens": 1,
    "temperature": 0.0,
    "logprobs": 20,
    "logprob_token_ids": [3, 4],
    "return_tokens_as_token_ids": True,
    "prompt": [[1, 2, 3], [1, 2, 4]],
}


class Judge(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.asked: list[tuple[str | None, dict[str, Any]]] = []
        self.status = 200


class Handler(BaseHTTPRequestHandler):
    server: Judge

    def log_message(self, format: str, *args: object) -> None: ...

    def do_GET(self) -> None:
        self._answer(200, {"object": "list", "data": [{"id": "tiny", "object": "model"}]})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append((self.headers["Authorization"], body))
        self._answer(self.server.status, {"choices": [], "judge": self.server.url})

    def _answer(self, status: int, content: object) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture(scope="module")
def judges() -> Iterator[list[Judge]]:
    servers = [Judge(), Judge()]
    for server in servers:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    yield servers
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="module")
def router(
    judges: list[Judge], render: Callable[[str], Any], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """Its URL. The judges are named, as there is no cluster to find them in."""
    (container,) = render("router").pods["router"]["spec"]["containers"]
    given: list[str] = container["args"]
    found = given.index("--service-discovery")
    last = max(index for index, one in enumerate(given) if one.startswith("app.kubernetes.io"))
    arguments = [*given[:found], *given[last + 1 :]]
    ports = []
    for _ in range(2):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            ports.append(probe.getsockname()[1])
    own = {"--host": "127.0.0.1", "--port": ports[0], "--prometheus-host": "127.0.0.1", "--prometheus-port": ports[1]}
    arguments = [one for one in arguments if one.split("=")[0] not in own]
    program = Path(os.environ["DEPLOY_TOOLS"]) / "../router/bin/vllm-router"
    command = [program, *arguments, *(f"{name}={value}" for name, value in own.items())]
    log = tmp_path_factory.mktemp("router") / "log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [*command, "--worker-urls", *(judge.url for judge in judges)], stdout=output, stderr=subprocess.STDOUT
        )
    url = f"http://127.0.0.1:{ports[0]}"
    until = time.monotonic() + 60
    try:
        while not _ready(url):
            assert process.poll() is None, log.read_text()[-2000:]
            assert time.monotonic() < until, log.read_text()[-2000:]
            time.sleep(0.1)
        yield url
    finally:
        process.terminate()
        process.wait(timeout=30)


def _ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/readiness").status_code == 200
    except httpx.TransportError:
        return False


def ask(url: str, **changes: object) -> httpx.Response:
    return httpx.post(f"{url}/v1/completions", json=ASKED | changes, headers={"Authorization": "Bearer k"}, timeout=30)


def test_it_hands_on_the_key_and_all_that_is_asked(router: str, judges: list[Judge]) -> None:
    judge = ask(router).json()["judge"]
    (server,) = (one for one in judges if one.url == judge)
    key, body = server.asked[-1]
    assert key == "Bearer k"
    assert body.items() >= ASKED.items()


def test_it_shares_what_is_asked_among_the_judges(router: str, judges: list[Judge]) -> None:
    for server in judges:
        server.asked.clear()
    with ThreadPoolExecutor(16) as pool:
        replies = list(pool.map(lambda index: ask(router, prompt=[[index, 2], [index, 3]]), range(64)))
    assert all(reply.status_code == 200 for reply in replies)
    assert min(len(server.asked) for server in judges) >= 8


def test_it_tries_nothing_again_by_itself(router: str, judges: list[Judge]) -> None:
    """The service does, and knows its deadlines."""
    for server in judges:
        server.asked.clear()
        server.status = 503
    try:
        assert ask(router).status_code == 503
    finally:
        for server in judges:
            server.status = 200
    assert sum(len(server.asked) for server in judges) == 1


def test_its_probes_answer(router: str) -> None:
    assert httpx.get(f"{router}/liveness").status_code == 200
    assert httpx.get(f"{router}/readiness").status_code == 200
    assert httpx.get(f"{router}/v1/models").json()["data"][0]["id"] == "tiny"
