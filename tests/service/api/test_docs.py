from __future__ import annotations

import gzip
import json
import re
import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import httpx
import pytest

from perception_reward.service.api.docs import ASSETS, FOLDER


async def test_the_page_and_all_that_it_asks_for_come_from_the_service(serve: Callable[..., Any]):
    here = await serve()
    async with httpx.AsyncClient(base_url=here.url) as client:
        page = await client.get("/docs")
        asked = re.findall(r"""(?:src|href|url)\s*[=:]\s*["']([^"']+)["']""", page.text)
        assert len(asked) == 4
        for address in asked:
            assert not address.startswith("/"), "a proxy may serve it below a path of its own"
            assert (await client.get(urljoin(f"{here.url}/docs", address))).status_code == 200, address
    assert page.headers["content-type"].startswith("text/html")
    assert not re.findall(r"https?://", page.text)


@pytest.mark.parametrize("name", ASSETS)
@pytest.mark.parametrize("accepted", ["gzip", "identity"])
async def test_files_are_sent_packed_to_who_unpacks_them(serve: Callable[..., Any], name: str, accepted: str):
    here = await serve()
    async with httpx.AsyncClient(base_url=here.url, headers={"Accept-Encoding": accepted}) as client:
        answer = await client.get(f"/docs/{name}")
    packed = FOLDER / f"{name}.gz"
    assert answer.content == (
        gzip.decompress(packed.read_bytes()) if packed.is_file() else (FOLDER / name).read_bytes()
    )
    assert answer.headers["content-type"].startswith(ASSETS[name])
    assert ("content-encoding" in answer.headers) == (accepted == "gzip" and packed.is_file())


async def test_no_other_file_is_sent(serve: Callable[..., Any]):
    here = await serve(api_key="k" * 20)
    async with httpx.AsyncClient(base_url=here.url) as client:
        assert (await client.get("/docs")).status_code == 401
        for name in ("LICENSE", "..%2Fdocs.py", "none"):
            assert (await client.get(f"/docs/{name}", auth=("any", "k" * 20))).status_code == 404


def test_what_is_shipped_comes_with_its_licences():
    assert "Apache License" in (FOLDER / "LICENSE").read_text(encoding="utf-8")
    assert (FOLDER / "NOTICE").is_file()
    assert (FOLDER / "swagger-ui-bundle.js.LICENSE.txt").is_file()


def test_the_page_of_fields_is_that_of_this_service():
    script = runpy.run_path(str(Path(__file__).parents[1] / "api_page.py"))
    page = script["PAGE"].read_text(encoding="utf-8")
    assert page == script["page"](), "run `make pages`"
    (example,) = re.findall(r"```json\n(.*?)```", page, re.DOTALL)
    assert json.loads(example)["items"]
    anchors = {title.lower() for title in re.findall(r"^### (\w+)$", page, re.MULTILINE)}
    assert set(re.findall(r"\(#(\w+)\)", page)) <= anchors | {"problem"}
