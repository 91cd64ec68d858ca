"""`GET /docs`: the API in a browser, from files of this package; it needs no internet."""

from __future__ import annotations

import gzip
from functools import cache
from importlib.resources import files

from fastapi import APIRouter, Request, Response
from fastapi.openapi.docs import get_swagger_ui_html
from starlette.exceptions import HTTPException

FOLDER = files("perception_reward.service.api") / "swagger"
# Kinds by the end of a name. Files that end in `.gz` are kept as they are sent.
ASSETS = {
    "swagger-ui-bundle.js": "text/javascript",
    "swagger-ui.css": "text/css",
    "favicon-32x32.png": "image/png",
}

router = APIRouter(include_in_schema=False)


@router.get("/docs")
async def docs() -> Response:
    """Swagger UI over `/openapi.json`. All addresses are relative: a proxy may serve this below a path of its own."""
    return get_swagger_ui_html(
        openapi_url="openapi.json",
        title="perception-reward",
        swagger_js_url="docs/swagger-ui-bundle.js",
        swagger_css_url="docs/swagger-ui.css",
        swagger_favicon_url="docs/favicon-32x32.png",
    )


@router.get("/docs/{name}")
async def asset(name: str, request: Request) -> Response:
    """One of its files."""
    if name not in ASSETS:
        raise HTTPException(404)
    packed, content = _content(name)
    headers = {"Cache-Control": "max-age=86400"}
    if packed and "gzip" in request.headers.get("accept-encoding", ""):
        headers |= {"Content-Encoding": "gzip", "Vary": "Accept-Encoding"}
    elif packed:
        content = gzip.decompress(content)
    return Response(content, media_type=ASSETS[name], headers=headers)


@cache
def _content(name: str) -> tuple[bool, bytes]:
    packed = FOLDER / f"{name}.gz"
    return (True, packed.read_bytes()) if packed.is_file() else (False, (FOLDER / name).read_bytes())
