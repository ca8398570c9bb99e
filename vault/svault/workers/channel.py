"""Messages between the active process and a worker, over a socket pair that nobody else has.

A message is a tuple of plain values. All that are sent while the loop turns once go out together, in their order.
"""

import asyncio
import marshal
import struct
from collections.abc import Callable
from typing import Any, cast

Message = tuple[Any, ...]
_LENGTH = struct.Struct("!I")
MAX_UNSENT_BYTES = 256 << 20


class Channel(asyncio.Protocol):
    """One end. `received` gets the messages of one read, `lost` is called once, when the other end is gone."""

    def __init__(self, received: Callable[[list[Message]], None], lost: Callable[[], None]) -> None:
        self._received, self._lost = received, lost
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._waiting: list[Message] = []
        self._held = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The socket is ready."""
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """The other end is gone."""
        self._transport = None
        self._waiting.clear()
        self._lost()

    def data_received(self, data: bytes) -> None:
        """Bytes of one or more frames."""
        self._held += data
        messages: list[Message] = []
        at = 0
        while len(self._held) - at >= _LENGTH.size:
            end = at + _LENGTH.size + _LENGTH.unpack_from(self._held, at)[0]
            if len(self._held) < end:
                break
            with memoryview(self._held) as view:
                messages += marshal.loads(view[at + _LENGTH.size : end])  # noqa: S302 - the other end is this program
            at = end
        if at:
            del self._held[:at]
        if messages:
            self._received(messages)

    def send(self, *message: Any) -> None:
        """Send a message with the others of this turn; nothing when the other end is gone."""
        if self._transport is None:
            return
        if not self._waiting:
            self._loop.call_soon(self._flush)
        self._waiting.append(message)

    def _flush(self) -> None:
        if self._transport is None or not self._waiting:
            return
        body = marshal.dumps(self._waiting)
        self._waiting.clear()
        self._transport.write(_LENGTH.pack(len(body)) + body)
        if self._transport.get_write_buffer_size() > MAX_UNSENT_BYTES:
            self._transport.abort()  # nobody reads there any more

    def close(self) -> None:
        """Let go of the other end."""
        if self._transport is not None:
            self._flush()
            self._transport.close()
