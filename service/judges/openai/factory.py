"""From `openai:URL[,URL…]#MODEL` to an engine."""

from __future__ import annotations

from urllib.parse import urlsplit

from perception_reward.service.judges.http.pool import EndpointPool
from perception_reward.service.judges.llm.engine import JudgeObserver
from perception_reward.service.judges.openai.engine import OpenAIEngine
from perception_reward.service.judges.openai.spec import parse_spec


def openai_engine(
    spec: str, *, api_key: str | None = None, concurrency: int = 64, observer: JudgeObserver | None = None
) -> OpenAIEngine:
    """The engine that `spec` names. Raises ValueError for a spec that cannot be read.

    api_key: sent as a bearer token to every endpoint.
    concurrency: requests at one endpoint at a time; each asks about one response.
    """
    parsed = parse_spec(spec)
    if api_key and any("@" in urlsplit(url).netloc for url in parsed.urls):
        raise ValueError("an endpoint's URL holds credentials and a key is set as well; give one of them")
    pool = EndpointPool(parsed.urls, api_key=api_key, concurrency=concurrency, observer=observer)
    return OpenAIEngine(pool, parsed.model)
