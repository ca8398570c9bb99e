"""The messages of a stdio client: lines of bounded length, each of them answered.

The SDK's reader keeps a line in memory until it ends, however long it grows, and drops what it cannot read without a word, so
that a client waits for an answer that never comes. Writing is left to the SDK's transport.
"""

import asyncio
import fcntl
import os
import queue
import re
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Any, BinaryIO, Self

import anyio
from mcp.server.stdio import stdio_server
from mcp.shared.message import SessionMessage
from mcp_types import INVALID_REQUEST, PARSE_ERROR, ErrorData, JSONRPCError, jsonrpc_message_adapter
from pydantic import ValidationError

MAX_LINE_BYTES = 16 << 20
"""Longest message that is read: several times what a tool call may hold, escapes included."""

_CHUNK = 1 << 16
_HEAD = 4096
_METHOD = re.compile(rb'"method"\s*:')
_ID = re.compile(rb'"id"\s*:\s*(?:(-?\d{1,15})|"([^"\\]{1,128})")\s*[,}]')


@asynccontextmanager
async def stdio() -> AsyncIterator[tuple["Messages", Any]]:
    """Messages from stdin, and the SDK's stream to stdout. Meanwhile descriptor 0 is the null device: no child reads from it."""
    private = fcntl.fcntl(0, fcntl.F_DUPFD_CLOEXEC, 3)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    silent: Any = _nothing()  # a file without lines, for the SDK's own reader
    try:
        async with stdio_server(stdin=silent) as (_, write):
            # Not closed with the file: a thread may still be reading from it when the server ends.
            yield Messages(os.fdopen(private, "rb", closefd=False), write), write
    finally:
        os.dup2(private, 0)


async def _nothing() -> AsyncIterator[str]:
    for line in tuple[str, ...]():
        yield line


class Messages:
    """The messages in a binary file of lines (the SDK's `ReadStream`). What is no message is answered with a JSON-RPC error."""

    def __init__(self, file: BinaryIO, write: Any, limit: int = MAX_LINE_BYTES) -> None:
        self._file = file
        self._write = write
        self._limit = limit
        self._wanted: queue.SimpleQueue[asyncio.Future[tuple[bytes, bool]]] = queue.SimpleQueue()
        self._loop = asyncio.get_running_loop()
        # The interpreter waits for a thread of a pool before it ends, and this one waits for the client.
        threading.Thread(target=self._work, name="stdin", daemon=True).start()

    async def receive(self) -> SessionMessage:
        """The next message. Raises `anyio.EndOfStream` at the end."""
        while True:
            line, is_whole = await self._next()
            if not line:
                raise anyio.EndOfStream
            if is_whole:
                try:
                    return SessionMessage(jsonrpc_message_adapter.validate_json(line, by_name=False))
                except ValidationError as error:
                    refusal = refuse(line, error)
            else:
                refusal = _error(line, INVALID_REQUEST, f"a message may have {self._limit:,} bytes; this one was left out")
            if refusal is not None:
                await self._write.send(SessionMessage(refusal))

    async def _next(self) -> tuple[bytes, bool]:
        line: asyncio.Future[tuple[bytes, bool]] = self._loop.create_future()
        self._wanted.put(line)
        return await line

    def _work(self) -> None:
        """In a thread: read a line for each that is wanted."""
        while True:
            wanted = self._wanted.get()
            try:
                found = self._read()
            except OSError:
                found = (b"", True)  # a terminal or a socket that is gone: the client left
            try:
                self._loop.call_soon_threadsafe(_give, wanted, found)
            except RuntimeError:
                return  # the loop is closed: the server has ended

    def _read(self) -> tuple[bytes, bool]:
        """The next line and whether it is whole; of one that is too long only the head is kept."""
        line = self._file.readline(self._limit)
        if len(line) < self._limit or line.endswith(b"\n"):
            return line, True
        while (rest := self._file.readline(_CHUNK)) and not rest.endswith(b"\n"):
            pass
        return line[:_HEAD], False

    async def aclose(self) -> None:
        """Nothing to close: the file is the process's own."""

    def __aiter__(self) -> "Messages":
        return self

    async def __anext__(self) -> SessionMessage:
        try:
            return await self.receive()
        except anyio.EndOfStream:
            raise StopAsyncIteration from None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc_val: BaseException | None, exc_tb: TracebackType | None
    ) -> None:
        await self.aclose()


def _give(wanted: "asyncio.Future[tuple[bytes, bool]]", found: tuple[bytes, bool]) -> None:
    if not wanted.done():
        wanted.set_result(found)


def refuse(line: bytes, error: ValidationError) -> JSONRPCError | None:
    """The answer to a line that is no message; None for an empty line."""
    if not line.strip():
        return None
    if error.errors(include_url=False, include_input=False, include_context=False)[0]["type"] == "json_invalid":
        return _error(line, PARSE_ERROR, "the line is not JSON, or nested too deeply")
    return _error(line, INVALID_REQUEST, "the line is JSON but not a JSON-RPC 2.0 message")


def _error(line: bytes, code: int, message: str) -> JSONRPCError:
    """An error to the request that the line seems to be, or to nobody (JSON-RPC 2.0, 5: an id that is not known is null)."""
    head = line[:_HEAD]
    found = _ID.search(head) if _METHOD.search(head) else None
    number, name = found.groups() if found else (None, None)
    id_ = int(number) if number else name.decode("utf-8", "replace") if name else None
    return JSONRPCError(jsonrpc="2.0", id=id_, error=ErrorData(code=code, message=message))
