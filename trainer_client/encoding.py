"""Items as JSON, and requests made of them.

Each item is encoded by itself, so that one that cannot be is told from its neighbours. What is not ASCII is escaped:
a policy in training emits lone surrogates, which are no Unicode text and have no UTF-8.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from perception_reward.trainer_client.errors import InvalidItem

if TYPE_CHECKING:
    from perception_reward.trainer_client.options import Options
    from perception_reward.trainer_client.wire import ScoreItem

# An item as the wire model, or as the JSON object that it stands for.
Item: TypeAlias = "ScoreItem | Mapping[str, Any]"

# A quarter of what the service accepts by default: its memory and its time to read grow with a body.
REQUEST_BYTES = 16 << 20
# zlib's fastest: half a second less a step than its default, for a tenth more bytes.
GZIP_LEVEL = 1

_to_json = json.JSONEncoder(allow_nan=False, check_circular=False, separators=(",", ":")).encode


class Encoded(NamedTuple):
    """One item, ready to be sent."""

    id: str | None
    body: bytes


class Portion(NamedTuple):
    """Items of a call that go into one request; `offset` is the place of the first in the call."""

    offset: int
    items: list[Encoded]


def encode(item: Item, index: int = 0) -> Encoded:
    """One item as JSON; `InvalidItem` for what has none, such as a tensor or a NaN."""
    plain = item if isinstance(item, Mapping) else item.model_dump(exclude_unset=True)
    try:
        body = _to_json(plain if isinstance(plain, dict) else dict(plain)).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidItem(f"items[{index}] cannot be written as JSON: {error}", index=index) from None
    return Encoded(plain.get("id"), body)


def portions(items: Sequence[Item], most: int, most_bytes: int = REQUEST_BYTES) -> Iterator[Portion]:
    """`items`, encoded only when their turn comes, in portions of at most `most` items and about `most_bytes`."""
    portion, size, offset = list[Encoded](), 0, 0
    for index, item in enumerate(items):
        encoded = encode(item, index)
        if portion and (len(portion) == most or size + len(encoded.body) > most_bytes):
            yield Portion(offset, portion)
            portion, size, offset = [], 0, index
        portion.append(encoded)
        size += len(encoded.body)
    if portion:
        yield Portion(offset, portion)


def request_body(items: Sequence[Encoded], options: Options, step: int | None) -> bytes:
    """The body of `POST /v1/score`."""
    labels: dict[str, Any] = {"profile": options.profile, "step": step, "run": options.run, "prefix": options.prefix}
    labels["explain"] = options.explain or None
    head = _to_json({name: value for name, value in labels.items() if value is not None}).encode()[1:-1]
    return b'{%s%s"items":[%s]}' % (head, b"," if head else b"", b",".join(item.body for item in items))


def compressed(body: bytes) -> bytes:
    """`body`, gzipped."""
    import gzip

    return gzip.compress(body, GZIP_LEVEL)
