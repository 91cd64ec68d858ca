"""The review app over a real socket: what it keeps, what it shows, and whom it refuses."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn

from perception_reward.annotations.decisions import Decisions
from perception_reward.annotations.model import Annotation
from perception_reward.annotations.review import chosen
from perception_reward.service.api.review import make_review_app
from perception_reward.service.report.review import Review

PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 20
HOSTILE = "</script><script>alert(1)</script>"


@pytest.fixture
def served(tmp_path: Path) -> Iterator[httpx.Client]:
    images = tmp_path / "images"
    images.mkdir()
    (images / "a.png").write_bytes(PNG)
    (images / "page.png").write_bytes(b"<svg onload=alert(1)>")
    (tmp_path / "secret.png").write_bytes(PNG)
    (images / "link.png").symlink_to(tmp_path / "secret.png")
    annotation = Annotation.model_validate(
        {
            "id": "p",
            "question": f"Find x. {HOSTILE}",
            "images": [
                "a.png",
                "../secret.png",
                str(tmp_path / "secret.png"),
                "link.png",
                "page.png",
                "none.png",
                "http://example.org/a.png",
            ],
            "facts": [{"id": "f1", "text": f"AB is 5. {HOSTILE}"}, {"id": "f2", "text": "AB is 6."}],
        }
    )
    decisions = Decisions(tmp_path / "decisions.jsonl")
    app = make_review_app(Review(chosen([annotation]), images), decisions, "ann")
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    with httpx.Client(base_url=f"http://127.0.0.1:{listener.getsockname()[1]}", timeout=30) as client:
        yield client
    server.should_exit = True
    thread.join(30)
    listener.close()


def decision(**more: Any) -> dict[str, Any]:
    return {"annotation": "p", "fact": "f2", "text": "AB is 6.", "decision": "accept", **more}


def test_a_decision_is_on_disk_when_the_answer_comes_and_in_the_next_page(served: httpx.Client, tmp_path: Path):
    assert served.post("/decisions", json=decision()).json() == {"saved": True}
    [line] = (tmp_path / "decisions.jsonl").read_text().splitlines()
    assert json.loads(line)["reviewer"] == "ann"
    assert '"decisions":[null,["accept",null]]' in served.get("/").text
    assert served.get("/figures").json()["reviewers"]["ann"]["total"]["hits"] == 1


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Host": "evil.example"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Content-Type": "text/plain"}, 415),
    ],
)
def test_pages_of_other_sites_decide_nothing(
    served: httpx.Client, tmp_path: Path, headers: dict[str, str], status: int
):
    body = json.dumps(decision())
    answer = served.post("/decisions", content=body, headers={"Content-Type": "application/json", **headers})
    assert answer.status_code == status
    assert not (tmp_path / "decisions.jsonl").exists()


def test_a_name_that_points_here_reads_nothing(served: httpx.Client):
    assert served.get("/", headers={"Host": "evil.example"}).status_code == 403


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (decision(text="AB is 7."), 409),
        (decision(fact="f9"), 409),
        (decision(decision="edit"), 422),
        (decision(decision="perhaps"), 422),
        ([1], 422),
        ("x" * 200_000, 413),
    ],
)
def test_what_is_no_decision_about_a_fact_under_review_is_refused_with_the_reason(
    served: httpx.Client, body: Any, status: int
):
    answer = served.post("/decisions", json=body)
    assert answer.status_code == status
    assert answer.json()["detail"]


def test_images_come_from_files_below_the_folder_alone(served: httpx.Client):
    assert served.get("/problems/0/images/0").content == PNG
    assert [served.get(f"/problems/0/images/{at}").status_code for at in range(1, 8)] == [404] * 7
    shown = served.get("/problems/0").json()["images"]
    assert [one.get("url") for one in shown] == ["/problems/0/images/0", *[None] * 6]
    assert [one["why"].split(";")[0].split(" /")[0] for one in shown[1:]] == [
        "it lies outside",
        "it lies outside",
        "it lies outside",
        "it is no PNG, JPEG, GIF, WebP or BMP",
        "there is no such file in",
        "it is a URL, and only files are shown",
    ]


def test_no_problem_beyond_the_last(served: httpx.Client):
    assert served.get("/problems/1").status_code == 404
    assert served.get("/problems/1/images/0").status_code == 404


def test_the_page_has_no_script_but_its_own_and_loads_nothing_from_elsewhere(served: httpx.Client):
    answer = served.get("/")
    assert HOSTILE not in answer.text
    said = answer.headers["content-security-policy"]
    assert said.startswith("default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-")
    assert "unsafe" not in said.split("script-src")[1]
    assert answer.headers["x-frame-options"] == "DENY"
