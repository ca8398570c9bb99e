"""A request whose body is small: the application is called when all of it is there, and answered in one write."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from typing import TYPE_CHECKING, Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE

if TYPE_CHECKING:
    from svault.http.protocol import VaultProtocol

_log = logging.getLogger(__name__)
_NO_BODY = {204, 304}
_FAILED = b"HTTP/1.1 500 Internal Server Error\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


class _NobodyWaits:
    """Stands for the event that uvicorn sets when a body grows or a client leaves."""

    def set(self) -> None:
        """Nobody waits."""


class Exchange:
    """One request and its answer, for uvicorn's protocol in the place of its `RequestResponseCycle`."""

    message_event = _NobodyWaits()

    __slots__ = ("_chunks", "_connection", "_start", "_task", "body", "disconnected", "keep_alive", "response_complete", "scope")

    def __init__(self, connection: "VaultProtocol", scope: MutableMapping[str, Any], *, keep_alive: bool) -> None:
        self.scope = scope
        self.body = b""
        self.keep_alive = keep_alive
        self.disconnected = self.response_complete = False
        self._connection = connection
        self._start: MutableMapping[str, Any] | None = None
        self._chunks: list[bytes] = []
        self._task: asyncio.Task[None] | None = None

    def begin(self, app: Callable[..., Awaitable[None]]) -> None:
        """Call the application."""
        self._task = self._connection.loop.create_task(self._answered(app))
        self._connection.tasks.add(self._task)

    async def _answered(self, app: Callable[..., Awaitable[None]]) -> None:
        connection = self._connection
        try:
            await app(self.scope, self._receive, self._send)
        except Exception:  # noqa: BLE001 - whatever failed, the client gets an answer and the log the traceback
            _log.exception("a request failed")
        finally:
            if self._task is not None:
                connection.tasks.discard(self._task)
            if not self.response_complete and not self.disconnected:
                connection.transport.write(_FAILED)
                connection.transport.close()

    async def _receive(self) -> MutableMapping[str, Any]:
        if self.disconnected or self.response_complete:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": self.body, "more_body": False}

    async def _send(self, message: MutableMapping[str, Any]) -> None:
        if self._start is None:
            self._start = message
            return
        self._chunks.append(message.get("body", b""))
        if message.get("more_body", False):
            return
        connection = self._connection
        if connection.flow.write_paused and not self.disconnected:
            await connection.flow.drain()
        if self.disconnected:
            return
        connection.transport.write(self._encoded(self._start, b"".join(self._chunks)))
        self.response_complete = True
        if not self.keep_alive:
            connection.transport.close()
        connection.on_response_complete()

    def _encoded(self, start: MutableMapping[str, Any], body: bytes) -> bytes:
        status: int = start["status"]
        is_sized = status in _NO_BODY
        lines = [STATUS_LINE[status][:-2]]
        for name, value in (*self._connection.server_state.default_headers, *start["headers"]):
            if b"\r" in value or b"\n" in value:
                raise ValueError(f"the header {name!r} has a line break")
            lines.append(b"%b: %b" % (name, value))
            is_sized = is_sized or name == b"content-length"
        if not is_sized:
            lines.append(b"content-length: %d" % len(body))
        if not self.keep_alive:
            lines.append(b"connection: close")
        lines += [b"", b"" if self.scope["method"] == "HEAD" else body]
        return b"\r\n".join(lines)
