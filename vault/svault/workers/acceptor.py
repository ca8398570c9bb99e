"""The listener of a server that has workers: this process accepts, and each connection goes to one of them or stays."""

import asyncio
import errno
import logging
import socket
import ssl
from typing import Any, cast

from svault.http.listener import BACKLOG, Listener
from svault.http.tls import TlsFiles
from svault.workers.pool import Pool

_log = logging.getLogger(__name__)
_AT_ONCE = 64
_PAUSE_SECONDS = 0.2
_FULL = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}


class _Accepting:
    """Stands for the server that asyncio would make. `close` lets the queue be: whoever accepts next takes from it."""

    def __init__(self, listener: "SharedListener", place: socket.socket, context: ssl.SSLContext | None) -> None:
        self._listener, self._place, self._context = listener, place, context
        self._loop = asyncio.get_running_loop()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._is_closed = False
        place.listen(BACKLOG)
        self._resume()

    def _resume(self) -> None:
        if not self._is_closed:
            self._loop.add_reader(self._place.fileno(), self._accept)

    def _accept(self) -> None:
        for _ in range(_AT_ONCE):
            try:
                connection, _ = self._place.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                if error.errno not in _FULL:
                    raise
                _log.error("no connection can be accepted: %s", error.strerror)
                self._loop.remove_reader(self._place.fileno())
                self._loop.call_later(_PAUSE_SECONDS, self._resume)
                return
            connection.setblocking(False)  # noqa: FBT003 - the standard library's own signature
            if self._listener.pool.hand_over(connection):
                connection.close()
                continue
            task = self._loop.create_task(self._listener.serve_connection(connection, self._context))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def close(self) -> None:
        """Accept no more."""
        self._is_closed = True
        self._loop.remove_reader(self._place.fileno())
        self._place.close()

    async def wait_closed(self) -> None:
        """Its connections are waited for by the listener."""


class SharedListener(Listener):
    """A listener whose connections are shared out."""

    def __init__(self, app: Any, place: socket.socket, tls: TlsFiles | None, pool: Pool) -> None:
        super().__init__(app, place, tls)
        self.pool = pool

    async def _listening(self, context: ssl.SSLContext | None) -> asyncio.Server:
        place = self._place.dup()
        place.setblocking(False)  # noqa: FBT003 - the standard library's own signature
        return cast("asyncio.Server", _Accepting(self, place, context))

    async def reload(self) -> None:
        """See Listener; the workers read their certificates anew too."""
        await super().reload()
        self.pool.reload()
