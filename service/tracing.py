"""Traces by OpenTelemetry, where its own environment variables ask for them; else nothing, at next to no cost.

    OTEL_EXPORTER_OTLP_ENDPOINT=http://collector:4318 perception-reward serve …

A request is one span, in the caller's trace if it names one (`traceparent`). Below it are the look into the cache and
each question to a judge's server, which is told of the trace in turn. No span holds a text, an answer or a key.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from opentelemetry.trace import Span, Tracer

EXTRA = "pip install 'perception-reward[traces]'"

_tracer: Tracer | None = None


class TracingError(Exception):
    """The environment asks for traces that cannot be made; the message is one line for people."""


def asked_for(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether the standard variables ask for traces."""
    if environment.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return False
    exporter = environment.get("OTEL_TRACES_EXPORTER", "").strip().lower()
    endpoints = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
    return exporter not in ("", "none") or (not exporter and any(environment.get(name) for name in endpoints))


@contextmanager
def running() -> Generator[None]:
    """Traces from here on, if they are asked for; the last ones are sent at the end. `TracingError`."""
    global _tracer
    if not asked_for():
        yield
        return
    _tracer, close = _start()
    try:
        yield
    finally:
        _tracer = None
        close()


def _start() -> tuple[Tracer, Callable[[], None]]:
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import SERVICE_NAME, Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor, ConsoleSpanExporter
    except ImportError:
        raise TracingError(f"OTEL_… variables ask for traces, which takes an extra: {EXTRA}") from None
    named = os.environ.get("OTEL_TRACES_EXPORTER", "").strip().lower() or "otlp"
    if named not in ("otlp", "console"):
        raise TracingError(f"OTEL_TRACES_EXPORTER: {named!r} is not known; give otlp, console or none")
    exporter = OTLPSpanExporter() if named == "otlp" else ConsoleSpanExporter()
    # What OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES say comes first.
    resource = Resource.create({} if os.environ.get("OTEL_SERVICE_NAME") else {SERVICE_NAME: "perception-reward"})
    provider = TracerProvider(resource=resource)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    return provider.get_tracer("perception_reward"), provider.shutdown


@contextmanager
def span(name: str, **attributes: str | int | float) -> Generator[Callable[..., None]]:
    """A span around what happens inside. Yields `tell(name=value)`, for what is known only later."""
    if _tracer is None:
        yield untold
        return
    with _tracer.start_as_current_span(name, attributes=attributes) as current:
        yield _teller(current)


@contextmanager
def request_span(name: str, headers: Mapping[str, str]) -> Generator[Callable[..., None]]:
    """The span of a request that came with `headers`, in lower case."""
    if _tracer is None:
        yield untold
        return
    from opentelemetry.propagate import extract
    from opentelemetry.trace import SpanKind

    came_from = extract(dict(headers))
    with _tracer.start_as_current_span(name, came_from, SpanKind.SERVER) as current:
        yield _teller(current)


def trace_headers() -> dict[str, str]:
    """What tells a server of the trace that this belongs to."""
    headers: dict[str, str] = {}
    if _tracer is not None:
        from opentelemetry.propagate import inject

        inject(headers)
    return headers


def _teller(current: Span) -> Callable[..., None]:
    def tell(**attributes: Any) -> None:
        current.set_attributes({name: value for name, value in attributes.items() if value is not None})

    return tell


def untold(**attributes: object) -> None: ...
