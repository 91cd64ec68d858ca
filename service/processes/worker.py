"""What a worker does: chunks of payloads in, one outcome out for each.

The limit on a payload's computing is the kernel's: SIGPROF, at its default, ends the process even inside C code. How
long a payload takes by the clock is watched by the service, which may also stop a worker for a while.
"""

from __future__ import annotations

import os
import pickle
import signal
import socket
import time

from perception_reward.service.processes.messages import Answer, Chunk, Outcome, Raised, Returned, frame, read_frame

DETAIL_CHARACTERS = 200


def work(connection: socket.socket) -> None:
    """A worker's life, until the service hangs up (EOFError, OSError) or the memory limit was met."""
    connection.sendall(frame(os.getpid()))
    stream = connection.makefile("rb")
    while True:
        chunk: Chunk = read_frame(stream)
        for payload in chunk.payloads:
            signal.setitimer(signal.ITIMER_PROF, chunk.cpu_limit)
            outcome, answer = _answer(chunk.function, payload)
            signal.setitimer(signal.ITIMER_PROF, 0)
            connection.sendall(answer)
            if isinstance(outcome, Raised) and outcome.exhausted:
                return


def _answer(function: bytes, payload: bytes) -> tuple[Outcome, bytes]:
    try:
        outcome = Returned(pickle.loads(function)(pickle.loads(payload)))
        return outcome, frame(Answer(outcome, time.process_time()))
    except BaseException as error:
        raised = Raised(describe(error), exhausted=isinstance(error, MemoryError))
    return raised, frame(Answer(raised, time.process_time()))


def describe(error: BaseException) -> str:
    """An error in one short line."""
    try:
        text = str(error)
    except Exception:
        text = "(no text)"
    return f"{type(error).__name__}: {text}"[:DETAIL_CHARACTERS]
