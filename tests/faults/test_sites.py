"""A page in a browser on the service's machine, which has no key: what it can send without asking writes nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

LINES = b'{"id": "planted", "facts": [{"id": "f", "text": "AB = 5."}]}\n'
PAGES = {
    "a page of another site posts annotations": {"Origin": "https://evil.example", "Host": "localhost"},
    "a page whose name was made to point here posts annotations": {
        "Origin": "http://evil.example",
        "Host": "evil.example",
        "Sec-Fetch-Site": "same-origin",
    },
}


def test_pages_of_other_sites_write_nothing(
    attack: Callable[..., Any], start_process: Callable[..., Any], annotations_file: Path
):
    service = start_process("--workers", "1", "--annotations", str(annotations_file))
    before = annotations_file.read_bytes()
    for fault, headers in PAGES.items():
        with attack(service, fault, "403 problem+json"):
            for kind in ("text/plain", "application/x-ndjson"):
                sent = {**headers, "Content-Type": kind}
                answer = httpx.post(f"{service.url}/v1/annotations:batch", content=LINES, headers=sent)
                assert answer.status_code == 403
    assert annotations_file.read_bytes() == before
    assert httpx.get(f"{service.url}/v1/annotations/planted").status_code == 404
