"""Reading, scoring and writing at once: several chunks are under way, and their results are written in order.

    await run(chunks(files, selection), score, write, ahead=4, stopping=asyncio.Event())

Memory holds `ahead` chunks, whatever the size of the files and wherever a slow chunk stands.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from typing import TypeAlias

from perception_reward.annotations.faults import LineError, Record, RecordFileError
from perception_reward.service.batch.chunks import Chunk, Scored
from perception_reward.service.batch.files import Files
from perception_reward.service.batch.layouts import OURS
from perception_reward.service.batch.rollouts import RolloutFile
from perception_reward.service.batch.selection import Place, Selection

# Records scored together: enough to fill a judge, few enough that progress shows and little is lost by a kill.
RECORDS = 256
# Characters of a chunk, by its texts: long responses travel in smaller company.
CHARACTERS = 4 << 20

Records: TypeAlias = list[tuple[int, Record | LineError]]
Score = Callable[[Chunk], Awaitable[Scored]]
Write = Callable[[Chunk, Scored], None]


def chunks(
    files: Files,
    selection: Selection,
    behind: Place = (0, 0),
    taken: int = 0,
    *,
    skip_bad: bool = False,
) -> Iterator[Chunk]:
    """The records that `selection` takes, behind a place. taken: how many have been taken up to it.

    A chunk is of one file. Raises `RecordFileError` and `OSError` for a file that cannot be read to its end; with
    `skip_bad` that is one more faulty record, and the next file is read.
    """
    left = None if selection.limit is None else selection.limit - taken
    for number in range(behind[0], len(files)):
        if left is not None and left <= 0:
            return
        after = behind[1] if number == behind[0] else 0
        try:
            file = files[number]
            for records in _portions(file, number, selection, after):
                taking = records if left is None else records[:left]
                after = taking[-1][0]
                yield Chunk(number, file.path.name, file.unit, file.layout, taking, (number, after))
                if left is not None and (left := left - len(taking)) <= 0:
                    return
        except (RecordFileError, OSError) as error:
            if not skip_bad:
                raise
            fault = LineError(0, "", f"cannot be read behind its {after}: {error}")
            yield Chunk(number, files.paths[number].name, "record", OURS, [(after + 1, fault)], (number + 1, 0))


def _portions(file: RolloutFile, number: int, selection: Selection, after: int) -> Iterator[Records]:
    portion: Records = []
    size = 0
    for place, record in file.records(after):
        if not selection.takes(number, place, record):
            continue
        portion.append((place, record))
        if not isinstance(record, LineError):
            size += sum(len(value) for value in record.values() if isinstance(value, str))
        if len(portion) == RECORDS or size > CHARACTERS:
            yield portion
            portion, size = [], 0
    if portion:
        yield portion


async def run(found: Iterator[Chunk], score: Score, write: Write, *, ahead: int, stopping: asyncio.Event) -> bool:
    """Score and write every chunk; whether all of them. ahead: how many are under way at most.

    Once `stopping` is set no chunk is begun, and those under way are finished. Reading and writing have a thread of
    their own, one after the other in each, so that neither keeps the scorer waiting.
    """
    reading = asyncio.ensure_future(asyncio.to_thread(next, found, None))
    under_way: deque[tuple[Chunk, asyncio.Future[Scored]]] = deque()
    ended = False
    try:
        while under_way or not (ended or stopping.is_set()):
            if not (ended or stopping.is_set()) and len(under_way) < ahead:
                chunk = await reading
                if chunk is None:
                    ended = True
                    continue
                reading = asyncio.ensure_future(asyncio.to_thread(next, found, None))
                under_way.append((chunk, asyncio.ensure_future(score(chunk))))
            else:
                chunk, scored = under_way[0]
                await asyncio.to_thread(write, chunk, await scored)
                under_way.popleft()
    finally:
        for _, scored in under_way:
            scored.cancel()
        await asyncio.gather(*(scored for _, scored in under_way), return_exceptions=True)
        await asyncio.gather(reading, return_exceptions=True)
    return ended
