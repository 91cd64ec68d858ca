"""A sample of what was scored, as files of results that `perception-reward report` and `watch` read.

    FOLDER/rollouts-HOST-20261126T144200Z.jsonl        a result a line, with its response, run, step and group

Whole groups are taken, always the same for the same run, step and group, so that a report can compare what one prompt
got. Files are written by a thread of their own: a disk that is slow or full costs lines, which are counted, and never
a score. The oldest go when the folder holds more than it may.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
import zlib
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO

from perception_reward.service.batch.results import to_line
from perception_reward.service.scoring.responses import response_text
from perception_reward.trainer_client.wire import ItemResult, ScoreItem, ScoreRequest

logger = logging.getLogger(__name__)

# Files that the folder's room is shared by: so many are kept, one of them being written.
FILES = 8
# Results that wait for the disk.
MOST_WAITING = 4096


class RolloutLog:
    """Takes `share` of the groups. folder: made if it is not there. OSError where it cannot be written to.

    megabytes: that this host's files there may take. count: told how many results were `written` or `dropped`.
    """

    def __init__(self, folder: Path, share: float, megabytes: int, count: Callable[[str, int], None]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._most = max(1, (megabytes << 20) // FILES)
        self._share = share
        self._count = count
        self._prefix = f"rollouts-{socket.gethostname()}-"
        self._file: IO[bytes] | None = None
        self._lock = threading.Lock()
        self._waiting = 0
        self._failing = False
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="rollout log")
        self._open()

    def add(self, body: ScoreRequest, scored: Iterable[tuple[int, ItemResult]]) -> None:
        """Take the sample of some results of a request: (the item's place, its result)."""
        taken = [(body.items[index], result) for index, result in scored if self._takes(body, body.items[index])]
        if not taken:
            return
        with self._lock:
            fits = self._waiting + len(taken) <= MOST_WAITING
            self._waiting += len(taken) if fits else 0
        if not fits:
            self._count("dropped", len(taken))
            return
        self._writer.submit(self._write, body.run, body.step, taken)

    def close(self) -> None:
        """What waits is written first."""
        self._writer.shutdown()
        if self._file is not None:
            self._file.close()

    def _takes(self, body: ScoreRequest, item: ScoreItem) -> bool:
        group = item.group or item.annotation_id or item.id or ""
        lot = zlib.crc32(f"{body.run}\0{body.step}\0{group}".encode("utf-8", "surrogatepass"))
        return lot < self._share * (1 << 32)

    def _write(self, run: str | None, step: int | None, taken: list[tuple[ScoreItem, ItemResult]]) -> None:
        try:
            lines = "".join(_line(run, step, item, result) for item, result in taken)
            if self._file is None or self._file.tell() > self._most:
                self._open()
            assert self._file is not None
            self._file.write(lines.encode("utf-8", "replace"))
            self._file.flush()
        except (OSError, ValueError) as error:
            self._count("dropped", len(taken))
            if not self._failing:
                logger.error("rollouts are not logged: %s", error, extra={"folder": str(self._folder)})
            self._failing = True
        else:
            self._count("written", len(taken))
            self._failing = False
        finally:
            with self._lock:
                self._waiting -= len(taken)

    def _open(self) -> None:
        """The next file. They hold what a policy wrote: only this user reads them."""
        if self._file is not None:
            self._file.close()
            self._file = None
        name = f"{self._prefix}{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}.jsonl"
        descriptor = os.open(self._folder / name, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        self._file = os.fdopen(descriptor, "ab")
        for old in sorted(self._folder.glob(f"{self._prefix}*.jsonl"))[:-FILES]:
            old.unlink(missing_ok=True)


def _line(run: str | None, step: int | None, item: ScoreItem, result: ItemResult) -> str:
    explained = {
        "response": response_text(item.response),
        "answer": item.answer,
        "annotation_id": item.annotation_id,
        "facts": [{"id": fact.id, "text": fact.text} for fact in item.facts or ()],
    }
    return to_line(result, {}, group=item.group or item.annotation_id, step=step, run=run, explained=explained)
