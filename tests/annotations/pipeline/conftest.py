"""A model's server with a script: real HTTP, and every way in which an endpoint is a nuisance."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

Reply = Callable[[dict[str, Any]], "str | dict[str, Any]"]


def text_of(request: dict[str, Any]) -> str:
    """The words of a request; its images are left out."""
    content = request["messages"][0]["content"]
    return content if isinstance(content, str) else "".join(part.get("text", "") for part in content)


def images_of(request: dict[str, Any]) -> list[str]:
    content = request["messages"][0]["content"]
    return [part["image_url"]["url"] for part in content if part["type"] == "image_url"] if content else []


@dataclass
class Scripted:
    """A server. reply: the text of the answer to a request, or the choice's fields. faults: for each request that is
    new, how many times it is refused first, and how (`429`, `500`, `slow`).

    asked: the requests that were answered, by their content.
    """

    reply: Reply = lambda request: "<think>AB = 5.</think><answer>5</answer>"
    faults: Callable[[int], list[str]] = lambda number: []
    delay: float = 0.0
    url: str = ""
    requests: list[dict[str, Any]] = field(default_factory=list)
    asked: Counter[str] = field(default_factory=Counter)
    statuses: Counter[int] = field(default_factory=Counter)
    at_once: int = 0
    most_at_once: int = 0
    _left: dict[str, list[str]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, request: dict[str, Any]) -> tuple[int, dict[str, str], dict[str, Any]]:
        name = hashlib.sha256(json.dumps(request, sort_keys=True).encode()).hexdigest()
        with self._lock:
            # The same fault for the same request in every run.
            fault = self._left.setdefault(name, self.faults(int(name[:8], 16)))
            one = fault.pop(0) if fault else ""
        if one == "429":
            return 429, {"Retry-After": "0.01"}, {"error": {"message": "slow down"}}
        if one.isdecimal():
            return int(one), {"Retry-After": "0.01"}, {"error": {"message": f"fault {one}"}}
        time.sleep(0.2 if one == "slow" else self.delay)
        said = self.reply(request)
        if isinstance(said, dict) and "status" in said:
            return said["status"], {}, {"error": {"message": said.get("message", "no")}}
        choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": said}}
        if isinstance(said, dict):
            choice = {**choice, **said}
        with self._lock:
            self.asked[name] += 1
            self.requests.append(request)
        usage = {"prompt_tokens": len(text_of(request)) // 4, "completion_tokens": len(str(said)) // 4}
        body = {"id": "x", "object": "chat.completion", "created": 0, "model": request["model"], "choices": [choice]}
        return 200, {}, {**body, "usage": {**usage, "total_tokens": sum(usage.values())}}

    def enter(self, step: int) -> None:
        with self._lock:
            self.at_once += step
            self.most_at_once = max(self.most_at_once, self.at_once)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Who asked may have been killed."""


@pytest.fixture
def endpoint() -> Iterator[Scripted]:
    """A scripted server; set its `reply` and `faults` before it is asked."""
    script = Scripted()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Header and body leave together, so that neither waits for the other's acknowledgement.
        wbufsize = -1

        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            script.enter(1)
            try:
                status, headers, body = script.answer(request)
            finally:
                script.enter(-1)
            script.statuses[status] += 1
            content = json.dumps(body).encode()
            self.send_response(status)
            for name, value in {**headers, "Content-Type": "application/json"}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None: ...

    server = _Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    script.url = f"http://127.0.0.1:{server.server_port}/v1"
    try:
        yield script
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
