"""From `openai:URL[,URL…]#MODEL` to a judge."""

from __future__ import annotations

from typing import Literal, TypeAlias
from urllib.parse import urlsplit

from perception_reward.service.judges.openai.judge import OpenAIJudge
from perception_reward.service.judges.openai.method import Method
from perception_reward.service.judges.openai.observer import JudgeObserver
from perception_reward.service.judges.openai.paper import PaperMethod
from perception_reward.service.judges.openai.pool import EndpointPool
from perception_reward.service.judges.openai.spec import parse_spec
from perception_reward.service.judges.openai.verdict import MAX_RESPONSE_TOKENS, VerdictMethod

MethodName: TypeAlias = Literal["verdict", "paper"]


def openai_judge(
    spec: str,
    *,
    method: MethodName = "verdict",
    tokenizer: str | None = None,
    api_key: str | None = None,
    concurrency: int = 64,
    max_response_tokens: int = MAX_RESPONSE_TOKENS,
    observer: JudgeObserver | None = None,
) -> OpenAIJudge:
    """The judge that `spec` names. Raises ValueError for a spec that cannot be read.

    tokenizer: of the served model, for the method `verdict`: a folder or a hub's name; the model's by default.
    api_key: sent as a bearer token to every endpoint.
    concurrency: requests at one endpoint at a time; each asks about one response.
    """
    parsed = parse_spec(spec)
    if api_key and any("@" in urlsplit(url).netloc for url in parsed.urls):
        raise ValueError("an endpoint's URL holds credentials and a key is set as well; give one of them")
    asked: Method = PaperMethod(parsed.model)
    if method == "verdict":
        asked = VerdictMethod(parsed.model, tokenizer=tokenizer, max_response_tokens=max_response_tokens)
    pool = EndpointPool(parsed.urls, api_key=api_key, concurrency=concurrency, observer=observer)
    return OpenAIJudge(pool, parsed.model, asked)
