"""Bodies that become far more than they are: others are served meanwhile, and memory stays what it was."""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

MIB = 1 << 20
PACKED = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
FACT = {"id": "f", "text": "Segment AB has length 5."}


def facts(items: int) -> bytes:
    """That many items, with as many facts each as an item may have."""
    each = ",".join(f'{{"id":"{n}","text":"AB = {n}"}}' for n in range(256))
    return (
        '{"items":[' + ",".join(f'{{"response":"AB = {n}","facts":[{each}]}}' for n in range(items)) + "]}"
    ).encode()


def repeated(before: bytes, times: int, one: bytes, after: bytes) -> Callable[[], bytes]:
    """A body that is made when it is needed: `before`, then `one` as often as that, then `after`."""
    return lambda: before + one * times + after


def counted(before: bytes, times: int, one: bytes, after: bytes) -> Callable[[], bytes]:
    """The same, with a number for the `%d` in `one`."""
    return lambda: before + b"".join([one % n for n in range(times)]) + after


MILLION = 1_000_000
SCORE, OPENRLHF, SLIME, BATCH = "/v1/score", "/openrlhf", "/slime", "/v1/annotations:batch"
MESSAGE = b'{"role":"assistant","content":[' + b'{"text":"a"},' * 1000 + b'{"text":"a"}]},'
# name, path, body, what a client may see of it
BODIES: list[tuple[str, str, Callable[[], bytes], set[int]]] = [
    (
        "22 million lists in one response",
        SCORE,
        repeated(b'{"items":[{"response":[', 22 * MILLION, b"[],", b"1]}]}"),
        {422},
    ),
    ("4,096 items with 256 facts each", SCORE, partial(facts, 4096), {200, 413}),
    ("5 million unknown fields", SCORE, counted(b'{"b":1', 5 * MILLION, b',"a%d":1', b"}"), {422}),
    ("2 million items", SCORE, repeated(b'{"items":[', 2 * MILLION, b'{"response":""},', b"1]}"), {413, 422}),
    ("one string of 60 MiB", SCORE, repeated(b'{"items":[{"response":"', 60 * MIB // 8, b"AB = 5. ", b'"}]}'), {422}),
    (
        "one string of 60 MiB, all escapes",
        "/v1/score/stream",
        repeated(b'{"items":[{"response":"', 30 * MIB, b"\\n", b'"}]}'),
        {422},
    ),
    ("3 million content blocks", SCORE, repeated(b'{"items":[{"response":[', 3000, MESSAGE, b"{}]}]}"), {422}),
    ("20 million numbers for items", SCORE, repeated(b'{"items":[', 20 * MILLION, b"1,", b"1]}"), {413, 422}),
    (
        "20 million labels",
        OPENRLHF,
        repeated(b'{"query":[],"prompts":[],"labels":[', 20 * MILLION, b"1,", b"1]}"),
        {413, 422},
    ),
    (
        "a label of 10 million lists in a string",
        OPENRLHF,
        repeated(b'{"query":["x"],"prompts":["x"],"labels":["{', 10 * MILLION, b"[],", b'"]}'),
        {422},
    ),
    (
        "a label of 10 million lists in a string, alone",
        SLIME,
        repeated(b'{"response":"x","label":"{', 10 * MILLION, b"[],", b'"}'),
        {422},
    ),
    (
        "a label of 10 million lists",
        SLIME,
        repeated(b'{"response":"x","label":[', 10 * MILLION, b"[],", b"[]]}"),
        {422},
    ),
    (
        "a row of 10 million lists",
        "/verify",
        repeated(b'{"response":{"output":[]},"responses_create_params":{},"x":[', 10 * MILLION, b"[],", b"[]]}"),
        {422},
    ),
    ("4 million lines of annotations", BATCH, counted(b"", 4 * MILLION, b'{"id":"%d"}\n', b""), {413}),
    ("60 million empty lines", BATCH, repeated(b"", 60 * MILLION, b"\n", b""), {200}),
    # The line is wrong, and that is told in the answer; or what it holds would not fit.
    ("a line of 20 million lists", BATCH, repeated(b'{"id":"a","facts":[', 20 * MILLION, b"[],", b"[]]}"), {200, 413}),
]


@pytest.fixture(scope="module")
def service(start_shared_process: Callable[..., Any]) -> Any:
    return start_shared_process("--workers", "1")


def post(service: Any, path: str, packed: bytes) -> httpx.Response:
    # Eight that read bodies of 64 MiB at once share one core.
    return httpx.post(f"{service.url}{path}", content=packed, headers=PACKED, timeout=240)


def cases() -> list[Any]:
    """One of them is enough to see in the core suite that the limits are there."""
    first, *others = (pytest.param(*body, id=body[0]) for body in BODIES)
    return [first, *(pytest.param(*case.values, id=case.id, marks=pytest.mark.faults) for case in others)]


@pytest.mark.parametrize(("name", "path", "make", "statuses"), cases())
def test_a_body_that_becomes_far_more_than_it_is(
    attack: Callable[..., Any], service: Any, name: str, path: str, make: Callable[[], bytes], statuses: set[int]
):
    body = make()
    assert len(body) <= 64 * MIB
    packed = gzip.compress(body, 1)
    del body
    with attack(service, f"{name} ({path})") as finding:
        answer = post(service, path, packed)
        finding.sees = f"{answer.status_code}"
    assert answer.status_code in statuses, answer.text[:500]
    assert finding.bytes < 512 * MIB


def ordinary_items() -> bytes:
    own = [{"id": str(n), "text": f"Segment AB has length {n}."} for n in range(8)]
    return json.dumps({"items": [{"response": f"Said {n}: AB = 5. " * 40, "facts": own} for n in range(1024)]}).encode()


def long_responses() -> bytes:
    said = "the circle is round. " * 50_000
    return json.dumps({"items": [{"response": f"{n} {said}", "facts": [FACT]} for n in range(50)]}).encode()


@pytest.mark.faults
@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("1,024 items with 8 facts each", ordinary_items),
        ("50 responses of a million characters", long_responses),
        ("600 items with 256 facts each, near the most that fits", partial(facts, 600)),
    ],
)
def test_a_large_body_that_is_in_order_is_scored(
    attack: Callable[..., Any], service: Any, name: str, make: Callable[[], bytes]
):
    body = make()
    with attack(service, f"nothing: {name} are in order ({len(body) >> 20} MiB)") as finding:
        answer = post(service, SCORE, gzip.compress(body, 1))
        results = answer.json()["results"]
        finding.sees = f"200, {len(results)} results"
    assert {result["status"] for result in results} == {"ok"}


@pytest.mark.faults
def test_a_small_body_that_names_many_stored_facts(
    attack: Callable[..., Any], start_process: Callable[..., Any], tmp_path: Path
):
    annotation = {"id": "a", "facts": [{"id": str(n), "text": f"Segment AB has length {n}."} for n in range(4096)]}
    (tmp_path / "own.jsonl").write_text(json.dumps(annotation) + "\n")
    service = start_process("--workers", "1", "--annotations", str(tmp_path / "own.jsonl"))
    items = [{"response": f"{n}", "annotation_id": "a"} for n in range(4096)]
    with attack(service, "4,096 items with the same stored annotation of 4,096 facts", "413"):
        answer = httpx.post(f"{service.url}{SCORE}", json={"items": items}, timeout=110)
    assert answer.status_code == 413, answer.text[:500]


@pytest.mark.faults
def test_the_largest_annotation_is_stored_and_given_back(
    attack: Callable[..., Any], start_process: Callable[..., Any], annotations_file: Path
):
    service = start_process("--workers", "1", "--annotations", str(annotations_file))
    own = [{"id": str(n), "text": f"Segment AB has length {n}."} for n in range(65_536)]
    annotation = {"id": "x-large", "facts": own}
    with attack(service, "nothing: an annotation of 65,536 facts is written and read", "200"):
        url = f"{service.url}/v1/annotations/x-large"
        assert httpx.put(url, json=annotation, timeout=60).status_code == 200
        assert len(httpx.get(url, timeout=60).json()["facts"]) == len(own)
        lines = gzip.compress(json.dumps({**annotation, "id": "x-larger"}).encode(), 1)
        assert post(service, BATCH, lines).json() == {"stored": 1, "failed": 0, "errors": []}
        seen, cursor = list[str](), ""
        while cursor is not None:
            page = httpx.get(f"{service.url}/v1/annotations", params={"cursor": cursor} if cursor else {}, timeout=60)
            seen += [one["id"] for one in page.json()["annotations"]]
            cursor = page.json()["cursor"]
        assert seen[1:] == ["x-large", "x-larger"]


@pytest.mark.faults
@pytest.mark.timeout(400)
def test_eight_clients_send_nothing_else_for_a_minute(attack: Callable[..., Any], service: Any):
    packed = [(path, gzip.compress(make(), 1), statuses) for _, path, make, statuses in BODIES]
    seen: list[str] = []
    over = threading.Event()

    def client(number: int) -> None:
        turn = number
        while not over.is_set():
            path, body, statuses = packed[turn % len(packed)]
            turn += 3
            status = post(service, path, body).status_code
            if status not in statuses | {429}:
                seen.append(f"{path}: {status}")

    with attack(service, "eight clients that send all of these at once, for a minute") as finding:
        clients = [threading.Thread(target=client, args=(number,)) for number in range(8)]
        for one in clients:
            one.start()
        over.wait(60)
        over.set()
        for one in clients:
            one.join()
        finding.sees = "413, 422, or 429 where they are too many at once"
    assert seen == []
