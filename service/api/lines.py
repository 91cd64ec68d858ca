"""Annotations as JSON lines in a body, read line by line while others are served."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncGenerator, Iterator
from dataclasses import replace
from typing import cast

from perception_reward.annotations.faults import LineError, Record
from perception_reward.annotations.jsonl import check_records
from perception_reward.annotations.model import Annotation
from perception_reward.annotations.record_json import parse_records
from perception_reward.service.api.body import read
from perception_reward.service.api.memory import Share
from perception_reward.service.api.problems import InvalidRequest
from perception_reward.service.pace import Pace

# A longer line is read in parts: it may hold the most facts that an annotation may have.
SHORT_BYTES = 1 << 16
# What an annotation and each of its facts cost where they are kept, besides their texts.
ANNOTATION_BYTES, FACT_BYTES = 1024, 1024

_blanks = re.compile(rb"[\n\r\t ]{1,65536}")


async def annotations_in(body: bytes, share: Share) -> AsyncGenerator[Annotation | LineError]:
    """Each line's annotation, or its first fault. A blank line yields nothing, but is counted.

    Raises `HTTPException` where the good ones take more than `share` has room for.
    """
    waiting: list[tuple[int, Record | LineError]] = []
    checked = check_records(_taken(waiting))
    pace = Pace()
    start = number = 0
    while start < len(body):
        if (after := _behind_blanks(body, start)) > start:
            number += body.count(b"\n", start, after)
            start = after
            await pace.keep()
            continue
        end = body.find(b"\n", start)
        line, start = body[start : end if end >= 0 else None], end + 1 if end >= 0 else len(body)
        number += 1
        if (record := await _record(number, line, share)) is not None:
            waiting.append((number, record))
            _, found = next(checked)
            if isinstance(found, Annotation):
                share.take(ANNOTATION_BYTES + len(found.facts) * FACT_BYTES + len(line))
            yield found
        await pace.keep()


def _behind_blanks(body: bytes, start: int) -> int:
    """Where the blank lines end that begin at `start`, or some of them, if there are many: not one by one."""
    match = _blanks.match(body, start)
    return start if match is None else body.rfind(b"\n", start, match.end()) + 1 or start


def _taken(waiting: list[tuple[int, Record | LineError]]) -> Iterator[tuple[int, Record | LineError]]:
    """One record each time one is asked for, which is when one waits."""
    while True:
        yield waiting.pop()


async def _record(number: int, line: bytes, share: Share) -> Record | LineError | None:
    """The line's object; None for a blank line."""
    if len(line) <= SHORT_BYTES:
        for _, record in parse_records([line.decode("utf-8", "replace")]):
            return replace(record, line=number) if isinstance(record, LineError) else record
        return None
    try:
        value = await read(line, Annotation, share, most_items=0)
    except json.JSONDecodeError as error:
        return LineError(number, "", f"is not JSON ({error.msg})")
    except InvalidRequest as error:
        return LineError(number, error.where, error.message)
    if not isinstance(value, dict):
        return LineError(number, "", "holds something else where a JSON object should be")
    return cast(Record, value)
