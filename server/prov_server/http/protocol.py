"""HTTP/1.1 on one connection: uvicorn's, with the deadlines and the bound that it does not have.

uvicorn waits for ever for the end of a request's headers and body. A client that sends a byte a minute (slowloris) would hold its
connection, and enough of them all file descriptors.
"""

import asyncio
from typing import Any, ClassVar

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from prov_server.http.answers import to_json
from prov_server.http.errors import BadRequestError


class BoundedProtocol(H11Protocol):
    """Closes a connection whose request is not whole in time, and a new one while too many are open."""

    max_connections: ClassVar[int] = 512
    header_seconds: ClassVar[float] = 20.0
    body_seconds: ClassVar[float] = 90.0

    linger_seconds: ClassVar[float] = 2.0

    _deadline: asyncio.TimerHandle | None = None
    _awaited: Any = None
    _is_refused = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # uvicorn's own narrowing
        """Start the clock; a connection too many is closed at once."""
        super().connection_made(transport)
        if len(self.connections) > self.max_connections:
            transport.close()
            return
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the clock."""
        self._stop()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on, but not what follows a refusal."""
        if not self._is_refused:
            super().data_received(data)

    def handle_events(self) -> None:
        """Read on, and set the clock for what is awaited now."""
        try:
            super().handle_events()
        except h11.LocalProtocolError:
            # Garbage after a request that is being answered: there is no place for another answer.
            self.transport.close()
        self._watch()

    def send_400_response(self, msg: str) -> None:
        """What cannot be read as HTTP, answered in the product's shape."""
        error = BadRequestError(msg.rstrip("."), hint="send HTTP/1.1; header lines may have 64 KiB together")
        body = to_json(error.as_dict())
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode("ascii")),
            (b"x-content-type-options", b"nosniff"),
            (b"cache-control", b"no-store"),
            (b"connection", b"close"),
        ]
        for event in (
            h11.Response(status_code=400, headers=headers, reason=b"Bad Request"),
            h11.Data(data=body),
            h11.EndOfMessage(),
        ):
            self.transport.write(self.conn.send(event) or b"")
        # Closing while bytes are still coming resets the connection, and the client never sees the answer.
        self._is_refused = True
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self._stop()
        self._deadline = self.loop.call_later(self.linger_seconds, self.transport.close)

    def _watch(self) -> None:
        if self._is_refused:
            return
        state = self.conn.their_state
        awaited = state if state in (h11.IDLE, h11.SEND_BODY) and not self.transport.is_closing() else None
        if awaited is self._awaited:
            return
        self._stop()
        self._awaited = awaited
        if awaited is not None:
            seconds = self.header_seconds if awaited is h11.IDLE else self.body_seconds
            self._deadline = self.loop.call_later(seconds, self.transport.close)

    def _stop(self) -> None:
        self._awaited = None
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
