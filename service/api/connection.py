"""One connection: uvicorn's, with bounds on what a header may hold and on how long anything is waited for."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import Any, cast

import httptools
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from perception_reward.service.api.connections import PATIENCE, Places, Wait
from perception_reward.service.metrics import Metrics
from perception_reward.trainer_client.wire import Problem

# Bytes of a request line and its header together, and the number of fields. A trainer sends some hundred bytes.
MOST_HEADER_BYTES = 32 * 1024
MOST_FIELDS = 128
# Bytes between two parts of a body: sizes of chunks, their extensions, and the trailer at the end.
MOST_FRAMING_BYTES = 64 * 1024
# Bytes that are gathered before they are sent. What is larger costs more to copy than a call does.
MOST_GATHERED = 16 * 1024
# Requests that are sent ahead of an answer. Each holds memory of its own.
MOST_AHEAD = 16


def refusal(status: int, detail: str) -> bytes:
    """A whole answer that ends its connection, for what never reaches the app."""
    phrase = HTTPStatus(status).phrase
    body = Problem(title=phrase, status=status, detail=detail).model_dump_json(exclude_none=True).encode()
    fields = ["Content-Type: application/problem+json", f"Content-Length: {len(body)}", "Connection: close"]
    if status == 503:
        fields.append("Retry-After: 1")
    return "\r\n".join([f"HTTP/1.1 {status} {phrase}", *fields, "", ""]).encode() + body


class Gathered:
    """A transport that sends at once what is written in one turn of the event loop: the head of an answer and its body.

    Each call to the kernel costs as much as half of what is done to score a cached rollout, and wakes the client.
    """

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._held = bytearray()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        if len(self._held) + len(data) > MOST_GATHERED:
            self._send()
            self._transport.write(data)
            return
        if not self._held:
            asyncio.get_running_loop().call_soon(self._send)
        self._held += data

    def write_eof(self) -> None:
        self._send()
        self._transport.write_eof()

    def close(self) -> None:
        self._send()
        self._transport.close()

    def abort(self) -> None:
        self._send()  # a connection may give way as soon as it was answered
        self._transport.abort()

    def _send(self) -> None:
        if self._held:
            held, self._held = self._held, bytearray()
            self._transport.write(held)


class Connection(HttpToolsProtocol):
    """An HTTP/1.1 connection that has a place. address: whom it counts for."""

    def __init__(
        self, config: Config, server_state: ServerState, *, address: str, places: Places, metrics: Metrics
    ) -> None:
        super().__init__(config, server_state, {}, asyncio.get_running_loop())
        self.address = address
        self._places = places
        self._metrics = metrics
        self._in_head = True
        self._head_bytes = 0
        self._framing_bytes = 0
        self._fields = 0
        self._moved = False
        self._deaf = False
        self._refused = False
        self._stalled = False
        self._gone = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        super().connection_made(cast(asyncio.Transport, Gathered(transport)))
        self._settle()

    def connection_lost(self, exc: Exception | None) -> None:
        self._gone = True
        self._places.wait(self, None)
        self._places.leave(self.address)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._unset_keepalive_if_required()
        while data and not self._deaf:
            # A header is fed to its bound and no further: what a parser keeps of one grows with the square.
            room = MOST_HEADER_BYTES + 1 - self._head_bytes if self._in_head else len(data)
            self._feed(data[:room])
            data = data[room:]
        self._settle()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._stalled = True
        self._settle()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._stalled = False
        self._settle()

    # What the parser tells

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._fields = 0

    def on_header(self, name: bytes, value: bytes) -> None:
        self._fields += 1
        if self._fields > MOST_FIELDS:
            raise ValueError("too many fields")
        if self._in_head:  # a field of the trailer is none of the header's
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        super().on_headers_complete()
        self._in_head = False
        self._framing_bytes = 0

    def on_body(self, body: bytes) -> None:
        super().on_body(body)
        self._framing_bytes = 0
        self._moved = True

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._in_head = True
        self._head_bytes = 0

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._settle()

    # What whoever gives away places tells

    def expire(self, wait: Wait) -> None:
        """It has waited too long: say so, where that is possible, and close."""
        if wait is Wait.HEAD and self._in_head and self._head_bytes:
            self._refuse(408, "header_too_slow", f"the header had not arrived after {PATIENCE[wait]:g} s")
            self._settle()
        elif wait is Wait.HEAD:
            self.transport.close()
        else:
            self.transport.abort()

    def give_way(self) -> None:
        """Close at once."""
        self._metrics.refused("gave_way")
        self.transport.abort()

    def cut_off(self) -> None:
        """The service ends: an answer that is half written is broken off. What has not begun can still be told."""
        cycle = self._latest()
        if cycle is not None and cycle.response_started and not cycle.response_complete:
            self.transport.abort()

    def _feed(self, data: bytes) -> None:
        self._head_bytes += len(data) if self._in_head else 0
        self._framing_bytes += 0 if self._in_head else len(data)
        try:
            self.parser.feed_data(data)  # pyright: ignore[reportOptionalMemberAccess]
        except httptools.HttpParserUpgrade:
            pass  # no protocol is spoken here but this one, and a client that asks for another is answered in this one
        except httptools.HttpParserError:
            if self._fields > MOST_FIELDS:
                self._refuse(431, "header_too_large", f"the header has over {MOST_FIELDS} fields")
            else:
                self._refuse(400, "malformed", "this is no HTTP request")
            return
        if len(self.pipeline) > MOST_AHEAD:
            self._deaf = True
            self.transport.abort()
        elif self._in_head and self._head_bytes > MOST_HEADER_BYTES:
            self._refuse(431, "header_too_large", f"the header is over {MOST_HEADER_BYTES >> 10} KiB")
        elif self._framing_bytes > MOST_FRAMING_BYTES:
            self._refuse(400, "malformed", f"over {MOST_FRAMING_BYTES >> 10} KiB between two parts of the body")

    def _refuse(self, status: int, reason: str, detail: str) -> None:
        """Answer nothing more of what comes, and say why where no other answer is in the way."""
        self._metrics.refused(reason)
        self._deaf = True
        cycle = self._latest()
        if cycle is not None and not cycle.response_complete:
            if not cycle.more_body and not self.pipeline:
                cycle.keep_alive = False  # what came before is whole: it is answered, and then it ends
                return
            if cycle.response_started or self.pipeline:
                self.transport.abort()
                return
            cycle.disconnected = True
            cycle.message_event.set()
        self._refused = True
        self.transport.write(refusal(status, detail))
        # Closed on bytes that nobody has read, a connection is reset, and what was said is lost.
        self.transport.write_eof()

    def _settle(self) -> None:
        """Tell what is waited for now."""
        wait = None if self._gone else self._waits_for()
        if wait is not self._places.waits(self) or (wait is Wait.BODY and self._moved):
            self._places.wait(self, wait)
        self._moved = False

    def _waits_for(self) -> Wait | None:
        if self._refused:
            return Wait.CLOSE
        if self._stalled:
            return Wait.READER
        if (cycle := self._latest()) is None:
            return Wait.HEAD
        if cycle.response_complete:
            return Wait.IDLE if self._in_head and not self._head_bytes else Wait.HEAD
        return Wait.BODY if cycle.more_body else None

    def _latest(self) -> RequestResponseCycle | None:
        """The latest request, of which there is none at first."""
        return self.cycle
