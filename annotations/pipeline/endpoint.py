"""A model behind any OpenAI-compatible endpoint: one request, its reply, and what went wrong in few words.

The client library asks again where that helps (429 with its Retry-After, time-outs, 5xx), until the deadline.
Constrained JSON is asked for as a schema; a server that does not know that is asked for any JSON, and then for text.
"""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

from perception_reward.annotations.pipeline.asks import REFUSED, REJECTED, Ask, Sampling, schema_of
from perception_reward.annotations.pipeline.limits import Stopped

# Times that the library asks again, some seconds apart; the deadline ends it earlier.
RETRIES = 10
# Answers that concern the key or the address, and so every request.
FATAL = (401, 403, 404)
# Answers that concern this request alone.
OWN = (400, 413, 422)


class NoReply(Exception):
    """The request was in vain for now: a later run may ask again."""


class Unreachable(NoReply):
    """Nobody listens at the address."""


class EndpointRefused(Stopped):
    """No request will be answered: a wrong key, model or address."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back. why: why there is no text, where it is data: a refusal, a request that the server rejects."""

    text: str
    tokens: tuple[int, int] = (0, 0)
    why: str = ""
    detail: str = ""
    cut: bool = False


class Endpoint:
    """Asks one model. deadline: seconds for a request with all its repetitions. Raises `ImportError` without the client
    library."""

    def __init__(
        self, url: str, sampling: Sampling, *, api_key: str = "", deadline: float = 600.0, retries: int = RETRIES
    ) -> None:
        self._library = _library()
        self._client = self._library.AsyncOpenAI(
            base_url=url, api_key=api_key or "none", max_retries=retries, timeout=deadline
        )
        self._url = url
        self._sampling = sampling
        self._deadline = deadline
        # How constrained JSON is asked for: the first of these that the server knows.
        self._constraints: list[str] = ["json_schema", "json_object", ""]

    async def ask(self, ask: Ask, text: str) -> Reply:
        """The reply to `text` with the images of `ask`. Raises `NoReply`, `EndpointRefused`, and `ImageFault`."""
        content: list[dict[str, Any]] = []
        for picture in ask.images:
            content.append({"type": "image_url", "image_url": {"url": await asyncio.to_thread(picture.url)}})
        content.append({"type": "text", "text": text})
        request = {
            "model": self._sampling.model,
            "messages": [{"role": "user", "content": content if ask.images else text}],
            "temperature": self._sampling.temperature,
            "top_p": self._sampling.top_p,
            "max_tokens": self._sampling.max_tokens,
            # Samples of one question differ, and each is the same when it is asked again.
            "seed": self._sampling.seed + ask.sample,
            "extra_body": dict(self._sampling.extra) or None,
        }
        if ask.form is None:
            return await self._asked(request)
        reply = Reply("", why=REJECTED)
        for constraint in list(self._constraints):
            reply = await self._asked(request | _constrained(constraint, ask))
            if reply.why != REJECTED:
                # Only now is it known that the constraint was what the server did not take.
                self._constraints = self._constraints[self._constraints.index(constraint) :]
                break
        return reply

    async def aclose(self) -> None:
        await self._client.close()

    async def _asked(self, request: dict[str, Any]) -> Reply:
        library = self._library
        try:
            async with asyncio.timeout(self._deadline):
                return _reply(await self._client.chat.completions.create(**request))
        except TimeoutError:
            raise NoReply(f"no answer within {self._deadline:g} s") from None
        except library.APIStatusError as error:
            said = _said(error)
            if error.status_code in FATAL:
                raise EndpointRefused(f"{self._url} answers {error.status_code}: {said}") from None
            if error.status_code in OWN:
                return Reply("", why=REJECTED, detail=f"{error.status_code}: {said}")
            raise NoReply(f"{error.status_code}: {said}") from None
        except library.APITimeoutError:
            raise NoReply(f"no answer within {self._deadline:g} s") from None
        except library.APIConnectionError as error:
            raise Unreachable(f"cannot reach {self._url}: {error.__cause__ or error}") from None
        except library.OpenAIError as error:
            raise NoReply(str(error)) from None
        except ValueError as error:
            raise NoReply(f"the answer is no JSON: {error}") from None


def _constrained(constraint: str, ask: Ask) -> dict[str, Any]:
    if constraint == "json_schema" and ask.form is not None:
        schema = {"name": ask.form.__name__.lstrip("_"), "schema": schema_of(ask.form), "strict": True}
        return {"response_format": {"type": "json_schema", "json_schema": schema}}
    return {"response_format": {"type": "json_object"}} if constraint else {}


def _reply(completion: Any) -> Reply:
    choices = cast("Sequence[Any]", getattr(completion, "choices", None) or ())
    usage = getattr(completion, "usage", None)
    tokens = (getattr(usage, "prompt_tokens", 0) or 0, getattr(usage, "completion_tokens", 0) or 0)
    if not choices:
        raise NoReply("the answer holds no choice")
    message, finish = choices[0].message, choices[0].finish_reason
    text = message.content or ""
    thought = getattr(message, "reasoning_content", None)
    if thought:
        text = f"<think>{thought}</think>\n{text}"
    if getattr(message, "refusal", None):
        return Reply("", tokens, REFUSED, str(message.refusal)[:300])
    if finish == "content_filter":
        return Reply("", tokens, REFUSED, "content filter")
    return Reply(text, tokens, cut=finish == "length")


def _said(error: Any) -> str:
    body = error.body
    inner = cast("dict[str, Any]", body).get("message") if isinstance(body, dict) else None
    return " ".join(str(inner or error.message or "").split())[:300]


def _library() -> Any:
    try:
        return importlib.import_module("openai")
    except ImportError as error:
        raise ImportError("asking a model needs its client: pip install 'perception-reward[annotate]'") from error
