"""What a server's answer says: results, or why there are none."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from math import isfinite
from time import time
from typing import TYPE_CHECKING, Any, cast

from perception_reward.trainer_client.errors import InvalidItem, RequestRefused, Unauthorized

if TYPE_CHECKING:
    from perception_reward.trainer_client.wire import ScoreResponse

# Characters of an answer that is no problem document, in an error's message.
MOST_SHOWN = 200

_ITEM = re.compile(r"items\[(\d+)\]")


class Garbled(Exception):
    """An answer with status 200 that is none: cut short, of another number of items, from something else altogether."""


def read_response(content: bytes, count: int) -> ScoreResponse:
    """The answer to a request of `count` items; `Garbled` where it has not as many. Fields to come are ignored."""
    from perception_reward.trainer_client.wire import ScoreResponse

    try:
        response = ScoreResponse.model_validate_json(content, extra="ignore")
    except ValueError as error:
        raise Garbled(f"its answer is not one of /v1/score: {str(error).splitlines()[0]}") from None
    if len(response.results) != count:
        raise Garbled(f"it answered {len(response.results)} results to {count} items")
    return response


def refusal(status: int, content: bytes, url: str) -> RequestRefused:
    """The error for an answer of 4xx, in the service's own words."""
    detail = f"{url} refused the request ({status}): {told(content)}"
    if status in (401, 403):
        return Unauthorized(f"{detail} [api_key, PERCEPTION_REWARD_API_KEY]", status)
    if status == 422:
        found = _ITEM.search(_where(content))
        return InvalidItem(detail, status, int(found.group(1)) if found else None)
    return RequestRefused(detail, status)


def moved(error: InvalidItem, offset: int) -> InvalidItem:
    """The same error about the item's place in the call, `offset` after its place in the request."""
    if error.index is None:
        return error
    message = _ITEM.sub(lambda found: f"items[{int(found.group(1)) + offset}]", error.message)
    return InvalidItem(message, error.status, error.index + offset)


def about_the_number_of_items(error: RequestRefused, content: bytes) -> bool:
    """Whether the request was too large as a whole, so that its halves may pass."""
    return error.status == 413 or (error.status == 422 and _where(content) == "items")


def told(content: bytes) -> str:
    """What an error's body says: a problem document's detail, or else its beginning."""
    detail = document(content).get("detail")
    return detail if isinstance(detail, str) else repr(content[:MOST_SHOWN].decode("utf-8", "replace"))


def retry_after(header: str | None) -> float | None:
    """Seconds that a Retry-After header asks to wait, as a number or a date; None where it asks nothing readable."""
    from email.utils import parsedate_to_datetime

    if header is None:
        return None
    try:
        seconds = float(header)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(header).timestamp() - time()
        except (ValueError, TypeError, OverflowError, OSError):  # the last three for dates that no clock can show
            return None
    return max(seconds, 0.0) if isfinite(seconds) else None


def _where(content: bytes) -> str:
    errors = document(content).get("errors")
    first: Any = cast("list[Any]", errors)[0] if isinstance(errors, list) and errors else {}
    return str(cast("Mapping[str, Any]", first).get("where", "")) if isinstance(first, dict) else ""


def document(content: bytes) -> Mapping[str, Any]:
    """The JSON object that an answer's body is; an empty one for anything else."""
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    return cast("dict[str, Any]", found) if isinstance(found, dict) else {}
