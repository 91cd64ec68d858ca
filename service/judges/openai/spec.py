"""How a judge over HTTP is written: `openai:URL[,URL…]#MODEL`."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

SCHEME = "openai:"
FORM = "openai:URL[,URL…]#MODEL, for example openai:http://127.0.0.1:8000#Qwen/Qwen2.5-7B-Instruct"


@dataclass(frozen=True, slots=True)
class OpenAISpec:
    """Base URLs, without a trailing `/v1`, and the name under which the servers serve the model."""

    urls: tuple[str, ...]
    model: str


def parse_spec(spec: str) -> OpenAISpec:
    """The endpoints and the model in `spec`. Raises ValueError, which says what is wrong with it.

    The message does not repeat a URL: it may carry a password.
    """
    if not spec.startswith(SCHEME):
        raise ValueError(f"a judge over HTTP is written {FORM}")
    locations, _, model = spec.removeprefix(SCHEME).partition("#")
    if not model.strip():
        raise ValueError(f"the judge names no model; write {FORM}")
    urls = tuple(_base_url(number, url) for number, url in enumerate(locations.split(","), start=1))
    if len(set(urls)) < len(urls):
        raise ValueError("the judge names an endpoint twice; name each server once")
    return OpenAISpec(urls, model.strip())


def _base_url(number: int, url: str) -> str:
    url = url.strip().rstrip("/").removesuffix("/v1").rstrip("/")
    try:
        parts = urlsplit(url)
        sound = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        sound = False
    if not sound:
        raise ValueError(f"endpoint {number} of the judge is not an http(s) URL; write {FORM}") from None
    return url
