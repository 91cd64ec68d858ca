"""The cursor of a listing in the order of ids: opaque, and right whatever is inserted meanwhile."""

from __future__ import annotations

import base64
import binascii

# Ids have at most 512 characters, of at most four bytes each.
MAX_CHARACTERS = 4096


def to_cursor(last_id: str) -> str:
    """The cursor that continues after `last_id`."""
    return base64.urlsafe_b64encode(last_id.encode()).decode().rstrip("=")


def from_cursor(cursor: str) -> str:
    """The id after which the listing goes on. Raises `ValueError` for text that `to_cursor` did not make."""
    try:
        if len(cursor) > MAX_CHARACTERS:
            raise ValueError
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        return base64.b64decode(padded, altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        raise ValueError("is no cursor of this listing; leave it out to start at the beginning") from None
