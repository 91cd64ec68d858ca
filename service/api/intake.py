"""What happens to a body on its way in: gzip is unpacked, and memory is taken for it. Pure ASGI."""

from __future__ import annotations

import zlib

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from perception_reward.service.api.memory import Memory
from perception_reward.service.api.middleware import has_more
from perception_reward.service.api.problems import problem
from perception_reward.service.metrics import Metrics
from perception_reward.service.pace import Pace

# Bytes unpacked at a time. A few hundred bytes can hold as many, and others are served between two of them.
PIECE = 1 << 18
# zlib reads a gzip header and its checksum where 16 is added to the size of the window.
GZIP = 16 + zlib.MAX_WBITS


class Intake:
    """Unpacks bodies, and refuses those over `limit` bytes unpacked (413) or for which there is no room (429).

    Each request gets its share of `memory`. A body counts from its first byte until its request is answered: admission
    by items can only come after a body is read, and this comes before.
    """

    def __init__(self, app: ASGIApp, limit: int, memory: Memory, metrics: Metrics) -> None:
        self._app = app
        self._limit = limit
        self._memory = memory
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        encoding = Headers(scope=scope).get("content-encoding", "").strip().lower()
        if encoding not in ("", "identity", "gzip", "x-gzip"):
            self._metrics.refused("encoding")
            refusal = problem(
                415, "bodies may be gzip or plain, and no other Content-Encoding", headers={"Accept-Encoding": "gzip"}
            )
            await refusal(scope, receive, send)
            return
        source = Unpacked(receive) if encoding.endswith("gzip") else receive
        share = scope.setdefault("state", {})["memory"] = self._memory.share()
        arrived = 0

        async def counted() -> Message:
            nonlocal arrived
            message = await source()
            size = len(message.get("body", b""))
            arrived += size
            if arrived > self._limit:
                self._metrics.refused("too_large")
                raise HTTPException(413, self._detail)
            share.take(size)
            return message

        try:
            await self._app(scope, counted, send)
        finally:
            share.release()

    @property
    def _detail(self) -> str:
        return f"the body is over {self._limit >> 20} MiB unpacked; send fewer items a request, or raise max_body_mb"


class Unpacked:
    """A `receive` whose body is that of another, unpacked piece by piece. What is no gzip is refused with 400."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._unpack = zlib.decompressobj(GZIP)
        self._packed = b""
        self._pace = Pace()
        self._any = False
        self._more = True
        self._done = False

    async def __call__(self) -> Message:
        """One piece of the body, at most `PIECE` bytes; after the last one, whatever else comes."""
        if self._done:  # what is awaited now is the client's leaving
            return await self._receive()
        if not self._packed and self._more:
            message = await self._receive()
            if message["type"] != "http.request":
                return message
            self._packed, self._more = message.get("body", b""), has_more(message)
            self._any = self._any or bool(self._packed)
        piece = self._next()
        # A full piece may have left output behind in the decompressor, with no input to show for it.
        self._done = not (self._more or self._packed or len(piece) == PIECE)
        if self._done and self._any and not self._unpack.eof:
            raise HTTPException(400, "the body is no complete gzip file: it ends too soon")
        await self._pace.keep()
        return {"type": "http.request", "body": piece, "more_body": not self._done}

    def _next(self) -> bytes:
        try:
            piece = self._unpack.decompress(self._packed, PIECE)
        except zlib.error as error:
            raise HTTPException(400, f"the body is no gzip file, as its Content-Encoding says ({error})") from None
        self._packed = self._unpack.unconsumed_tail
        if self._unpack.unused_data:
            raise HTTPException(400, "the body goes on behind the end of its gzip file")
        return piece
