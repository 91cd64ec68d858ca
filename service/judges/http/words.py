"""A server's own words about a request that it refused, fit for a log: a request may be repeated in them."""

from __future__ import annotations

import contextlib
import json
import re
from typing import Any

# Bytes of a refusal that are read.
MOST_READ = 20_000
# Characters of a server's own words that an error repeats.
MOST_REPEATED = 200

# What a validation error repeats of the request: token ids, and texts in quotation marks.
_NUMBERS = re.compile(r"\[?\b\d+(?:,\s*\d+){3,}(?:,\s*\.\.\.)?\]?")
_QUOTED = re.compile(r"'[^']{41,}'|\"[^\"]{41,}\"|(?<=input_value=)\S+|(?<='input': ).*")


def quotable(body: bytes) -> str:
    """The message in a refusal's `body`, without what it repeats of the request, in one short line."""
    text = body[:MOST_READ].decode("utf-8", "replace")
    with contextlib.suppress(ValueError, RecursionError):
        text = _message(json.loads(text))
    text = _QUOTED.sub("…", _NUMBERS.sub("[…]", " ".join(text.split())))
    return "".join(character for character in text if character.isprintable())[:MOST_REPEATED]


def _message(answer: Any) -> str:
    """From the error object of OpenAI and vLLM, of FastAPI, or whatever else it is."""
    match answer:
        case {"error": {"message": str(message)}} | {"error": str(message)} | {"message": str(message)}:
            return message
        case {"detail": [*faults]}:
            return "; ".join(_fault(fault) for fault in faults)
        case {"detail": str(message)}:
            return message
        case _:
            return json.dumps(answer)


def _fault(fault: Any) -> str:
    match fault:
        case {"loc": [*places], "msg": str(message)}:
            return f"{'.'.join(map(str, places))}: {message}"
        case _:
            return ""
