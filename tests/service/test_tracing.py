from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import TracerProvider

from perception_reward.service import tracing
from perception_reward.trainer_client.client import RewardClient

ITEMS = {"run": "geo", "items": [{"id": "a", "response": "AB = 5", "facts": [{"id": "f", "text": "AB = 5."}]}]}


class Collector:
    """Takes what is exported to it by OTLP over HTTP."""

    def __init__(self) -> None:
        self.spans: dict[str, Any] = {}
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers.get("Content-Encoding") == "gzip":
                    raise AssertionError("not asked for")
                told = ExportTraceServiceRequest.FromString(body)
                for resource in told.resource_spans:
                    for scope in resource.scope_spans:
                        collector.spans |= {span.name: span for span in scope.spans}
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    found = Collector()
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", found.url)
    yield found
    found.close()


def attributes(span: Any) -> dict[str, Any]:
    return {pair.key: pair.value.string_value or pair.value.int_value for pair in span.attributes}


async def test_a_request_is_a_span_in_its_trainers_trace(serve: Callable[..., Any], collector: Collector):
    here = await serve()
    with tracing.running():
        tracer = TracerProvider().get_tracer("a trainer")
        with tracer.start_as_current_span("step") as step:
            async with RewardClient(here.url, run="geo") as client:
                await client.score(ITEMS["items"])
    request, read = collector.spans["POST request"], collector.spans["cache read"]
    assert request.trace_id == read.trace_id == step.get_span_context().trace_id.to_bytes(16, "big")
    assert request.parent_span_id == step.get_span_context().span_id.to_bytes(8, "big")
    assert read.parent_span_id == request.span_id
    told = attributes(request)
    assert (told["route"], told["status"], told["items"], told["run"]) == ("/v1/score", 200, 1, "geo")
    assert "AB = 5" not in str(collector.spans)


async def test_nothing_is_traced_unasked(serve: Callable[..., Any], monkeypatch: pytest.MonkeyPatch):
    for name in ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_TRACES_EXPORTER"):
        monkeypatch.delenv(name, raising=False)
    here = await serve()
    with tracing.running():
        assert tracing.trace_headers() == {}
        async with httpx.AsyncClient(base_url=here.url) as client:
            assert (await client.post("/v1/score", json=ITEMS)).status_code == 200


@pytest.mark.parametrize(
    ("environment", "asked"),
    [
        ({}, False), ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c"}, True), ({"OTEL_TRACES_EXPORTER": "console"}, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://c"}, True),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c", "OTEL_TRACES_EXPORTER": "none"}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c", "OTEL_SDK_DISABLED": "true"}, False),
    ],
)  # fmt: skip
def test_what_the_standard_variables_ask_for(environment: dict[str, str], asked: bool):
    assert tracing.asked_for(environment) is asked


def test_an_exporter_that_is_not_known_is_told(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "zipkin")
    with pytest.raises(tracing.TracingError, match="'zipkin' is not known"), tracing.running():
        pass


def test_the_extra_is_named_where_it_is_missing():
    code = (
        "import sys; sys.modules['opentelemetry.sdk.trace'] = None\n"
        "from perception_reward.service.cli import run; run()"
    )
    environment = {"OTEL_TRACES_EXPORTER": "otlp", "PATH": "/usr/bin:/bin"}
    command = [sys.executable, "-c", code, "serve", "--port", "0"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60)
    assert done.returncode == 1
    assert "pip install 'perception-reward[traces]'" in done.stderr
    assert "Traceback" not in done.stderr
