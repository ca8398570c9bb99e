"""A worker's process: `python -m svault.workers.process CHANNEL CONNECTIONS EPOCH`, with three inherited descriptors.

It answers at connections that the active process accepted and hands over, and ends when the active process does. Keys and
settings come over the channel; nothing is on its command line, in its environment or on a disk.
"""

import asyncio
import logging
import os
import resource
import signal
import socket
import ssl
import sys
from contextlib import suppress
from typing import Any

from stratumops.logging import configure
from svault.core.call import Answer
from svault.errors import VaultError
from svault.http.app import Receive, Scope, Send, read_call, send_answer
from svault.http.listener import Listener
from svault.http.tls import TlsFiles
from svault.workers.channel import Channel, Message
from svault.workers.epoch import Epoch
from svault.workers.front import Front

_log = logging.getLogger(__name__)
_AT_ONCE = 64


class WorkerApp:
    """The application of a worker."""

    def __init__(self, front: Front) -> None:
        self._front = front

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or let the active process do it."""
        try:
            call, body = await read_call(scope, receive)
            answer = await self._front.local(call)
            if answer is None:
                status, headers, answered = await self._front.forward(scope, body)
                await send({"type": "http.response.start", "status": status, "headers": headers})
                await send({"type": "http.response.body", "body": answered})
                return
        except VaultError as error:
            answer = Answer.of(error)
        await send_answer(answer, scope, send)


class _Silent(Listener):
    """A listener without an address of its own."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Nothing to listen at."""
        self.servers = []
        self.started = True
        self.is_ready.set()


class Worker:
    """Serves until it is told to stop, or the active process is gone."""

    def __init__(self, connections: socket.socket, epoch: Epoch) -> None:
        self._front = Front(epoch)
        self._connections = connections
        self._listener = _Silent(WorkerApp(self._front), socket.socket())
        self._tls: TlsFiles | None = None
        self._context: ssl.SSLContext | None = None
        self._stopping = asyncio.Event()
        self._tasks: set[asyncio.Task[Any]] = set()

    async def run(self, channel: socket.socket) -> None:
        """Serve."""
        loop = asyncio.get_running_loop()
        _, made = await loop.create_unix_connection(lambda: Channel(self._received, _end), sock=channel)
        self._front.channel = made
        await self._stopping.wait()
        loop.remove_reader(self._connections.fileno())
        await self._listener.stop()
        made.close()

    def _received(self, messages: list[Message]) -> None:
        for message in messages:
            match message:
                case ("hello", tls, level):
                    configure(level=level)
                    self._spawn(self._start(tls))
                case ("reload",):
                    self._reload()
                case ("stop",):
                    self._stopping.set()
                case _:
                    self._front.heard(message)
                    if message[0] == "forget" and self._front.channel is not None:
                        self._front.channel.send("forgot", message[1])

    async def _start(self, tls: tuple[Any, ...] | None) -> None:
        self._tls = None if tls is None else TlsFiles(*tls)
        self._reload()
        await self._listener.start()
        asyncio.get_running_loop().add_reader(self._connections.fileno(), self._take)
        assert self._front.channel is not None
        self._front.channel.send("ready")

    def _reload(self) -> None:
        try:
            self._context = None if self._tls is None else self._tls.context()
        except VaultError as error:
            if self._context is None:
                raise
            _log.error("a worker's certificates stay as they were: %s", error)

    def _take(self) -> None:
        for _ in range(_AT_ONCE):
            try:
                _, descriptors, _, _ = socket.recv_fds(self._connections, 1, 1)
            except BlockingIOError:
                return
            except OSError:
                _end()
                return
            for descriptor in descriptors:
                connection = socket.socket(fileno=descriptor)
                connection.setblocking(False)  # noqa: FBT003 - the standard library's own signature
                self._spawn(self._listener.serve_connection(connection, self._context))
            if not descriptors:
                return

    def _spawn(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _end() -> None:
    """The active process is gone: nothing more can be answered, and nothing is to be written."""
    os._exit(0)


def main() -> None:
    """Be a worker."""
    import uvloop  # noqa: PLC0415 - only a server needs it

    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # they are the active process's, which says what is to be done
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core dump would hold the keys
    os.umask(0o077)
    channel, connections, epoch = (int(text) for text in sys.argv[1:4])
    pair = [socket.socket(fileno=descriptor) for descriptor in (channel, connections)]
    for one in pair:
        one.setblocking(False)  # noqa: FBT003 - the standard library's own signature

    async def serve() -> None:
        await Worker(pair[1], Epoch(epoch)).run(pair[0])

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve())


if __name__ == "__main__":
    main()
