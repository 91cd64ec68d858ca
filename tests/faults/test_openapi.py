"""The OpenAPI document against the service that serves it: generated requests find no error of its own."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

CHECKS = [status_code_conformance, content_type_conformance, response_schema_conformance]


@schemathesis.serializer("application/x-ndjson")
def lines(context: Any, value: Any) -> bytes:
    return (value if isinstance(value, str) else json.dumps(value)).encode("utf-8", "replace")


@pytest.fixture(scope="module")
def url(start_shared_process: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> str:
    annotations = tmp_path_factory.mktemp("openapi") / "annotations.jsonl"
    annotations.write_text(json.dumps({"id": "a", "facts": [{"id": "f", "text": "A dog."}]}) + "\n", encoding="utf-8")
    return start_shared_process("--annotations", str(annotations), "--workers", "1").url


@pytest.fixture(scope="module")
def api(url: str) -> Any:
    return schemathesis.openapi.from_url(f"{url}/openapi.json")


@pytest.mark.parametrize("mode", list(schemathesis.GenerationMode))
def test_generated_requests_get_what_the_document_promises(api: Any, subtests: Any, mode: Any):
    for operation in (found.ok() for found in api.get_all_operations()):
        with subtests.test(operation.label):
            hold(operation, mode)


def hold(operation: Any, mode: Any) -> None:
    """Send generated requests, valid or invalid by `mode`, always the same ones."""

    @settings(
        max_examples=25 if mode is schemathesis.GenerationMode.POSITIVE else 8,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def one(case: Any) -> None:
        answer = case.call()
        # A request may ask for less time than anything takes; that is no error of the service.
        in_time = answer.status_code != 504 or float(case.headers["x-request-timeout"]) > 1
        case.validate_response(answer, checks=[*CHECKS, *([not_a_server_error] if in_time else [])])

    with suppress(Unsatisfiable):  # nothing invalid can be sent to an operation that takes nothing
        one()


def test_every_example_in_the_document_runs(url: str):
    document = httpx.get(f"{url}/openapi.json", timeout=15).json()
    ran = 0
    for path, method, media_type, example in examples(document):
        answer = httpx.request(
            method, url + path, content=json.dumps(example).encode(), headers={"Content-Type": media_type}, timeout=30
        )
        assert answer.status_code == 200, (method, path, answer.text)
        assert "missing" not in answer.text or '"missing":0' in answer.text
        ran += 1
    assert ran > 0


def examples(document: dict[str, Any]) -> Iterator[tuple[str, str, str, Any]]:
    """Path, method, media type and value of every example of a request body."""
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            for media_type, content in operation.get("requestBody", {}).get("content", {}).items():
                for example in content.get("examples", {}).values():
                    yield path, method, media_type, example["value"]
                if "example" in content:
                    yield path, method, media_type, content["example"]
