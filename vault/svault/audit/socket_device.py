"""The `socket` device: entries as lines over TCP or a unix stream, as datagrams over UDP.

Options as in Vault: `address`, `socket_type` (tcp, udp, unix), `write_timeout` (default 2s; one second at least).
"""

import asyncio
import os
import socket
from collections.abc import Awaitable

from svault.audit.device import DeviceOptions
from svault.errors import BadRequestError, InternalError
from svault.logical.durations import parse_duration

_STREAM = {"tcp", "tcp4", "tcp6", "unix"}
_DATAGRAM = {"udp", "udp4", "udp6"}


class AuditSocketError(InternalError):
    """The other end of a socket device cannot be reached, or does not read."""

    code = "vault_audit_socket"


class SocketDevice:
    """A connection that is made again when it breaks; every entry within the write timeout, or it failed."""

    def __init__(self, options: DeviceOptions) -> None:
        options.require_json()
        self.address = options.text("address")
        if not self.address:
            raise BadRequestError("address is required")
        self.kind = options.text("socket_type") or "tcp"
        try:
            self._seconds = max(1, parse_duration(options.text("write_timeout") or "2s"))
        except BadRequestError:
            raise BadRequestError(f'time: invalid duration "{options.text("write_timeout")}"') from None
        self._turn = asyncio.Lock()
        self._socket: socket.socket | None = None

    async def open(self) -> None:
        """See Device. The first entry connects."""

    def write(self, *entries: bytes) -> Awaitable[None] | None:
        """See Device."""
        return self._write([entry + b"\n" for entry in entries])

    async def reopen(self) -> None:
        """See Device."""
        await self.close()

    async def close(self) -> None:
        """See Device."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    async def _write(self, lines: list[bytes]) -> None:
        failed: list[str] = []
        try:
            async with asyncio.timeout(self._seconds), self._turn:
                while len(failed) < 2:
                    try:
                        return await self._send(lines)
                    except OSError as error:
                        failed.append(self._said(error))
                        await self.close()
                    except BaseException:
                        await self.close()  # a part of the line may be out: the stream ends with it
                        raise
        except TimeoutError:
            failed.append(f"write {self.kind} {self.address}: i/o timeout")
        listed = "".join(f"\t* {what}\n" for what in failed)
        raise AuditSocketError(f"{len(failed)} error{'s' if len(failed) > 1 else ''} occurred:\n{listed}\n")

    async def _send(self, lines: list[bytes]) -> None:
        loop = asyncio.get_running_loop()
        if self._socket is not None and _is_closed_by_peer(self._socket):
            await self.close()
        if self._socket is None:
            self._socket = await self._connect(loop)
        for part in lines if self._socket.type == socket.SOCK_DGRAM else [b"".join(lines)]:
            await loop.sock_sendall(self._socket, part)

    async def _connect(self, loop: asyncio.AbstractEventLoop) -> socket.socket:
        if self.kind == "unix":
            return await _connected(loop, socket.AF_UNIX, socket.SOCK_STREAM, self.address)
        if self.kind not in _STREAM | _DATAGRAM:
            raise _UnknownNetworkError
        host, _, port = self.address.rpartition(":")
        family = {"4": socket.AF_INET, "6": socket.AF_INET6}.get(self.kind[-1], socket.AF_UNSPEC)
        kind = socket.SOCK_STREAM if self.kind in _STREAM else socket.SOCK_DGRAM
        found = await loop.getaddrinfo(host.strip("[]") or "localhost", port, family=family, type=kind)
        return await _connected(loop, found[0][0], kind, found[0][4])

    def _said(self, error: OSError) -> str:
        dial = f"dial {self.kind} {self.address}: "
        if isinstance(error, _UnknownNetworkError):
            return f"dial {self.kind}: unknown network {self.kind}"
        if isinstance(error, socket.gaierror):
            return f"{dial}no such host"
        what = os.strerror(error.errno).lower() if error.errno else type(error).__name__
        return f"{dial}connect: {what}" if self._socket is None else f"write {self.kind} {self.address}: {what}"


class _UnknownNetworkError(OSError):
    """`socket_type` is none that we know; found out where Vault finds it out, at the first connection."""


async def _connected(loop: asyncio.AbstractEventLoop, family: int, kind: int, address: object) -> socket.socket:
    made = socket.socket(family, kind)
    made.setblocking(False)  # noqa: FBT003 - the standard library's own signature
    try:
        await loop.sock_connect(made, address)  # type: ignore[arg-type] # a path or what getaddrinfo found
    except BaseException:
        made.close()
        raise
    return made


def _is_closed_by_peer(connection: socket.socket) -> bool:
    """Whether the other end has hung up: a line sent to it now would be lost without an error."""
    if connection.type != socket.SOCK_STREAM:
        return False
    try:
        return connection.recv(1, socket.MSG_PEEK) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True
