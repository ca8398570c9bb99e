"""The server process: one vault, its listener, the one of its metrics, and the signals that stop or refresh them."""

import asyncio
import logging
import os
import resource
import signal
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress

from svault.config.model import Settings
from svault.core.core import Core
from svault.errors import VaultError
from svault.http.app import VaultApp
from svault.http.listener import Listener, bound
from svault.http.metrics_app import MetricsApp
from svault.http.tls import tls_files
from svault.workers.acceptor import SharedListener
from svault.workers.pool import Pool, possible_workers

_log = logging.getLogger(__name__)
Prepare = Callable[[Core], Awaitable[str]]
"""Done with the open vault before clients can connect; what it returns is written to stderr when they can."""


class Server:
    """Opens a vault and answers for it until it is told to stop."""

    def __init__(self, core: Core, settings: Settings) -> None:
        section = settings.server
        self._core = core
        self._address = section.address
        self._app = VaultApp(core)
        # What cannot work is known before the storage is touched.
        place, tls = bound(section.address), tls_files(section)
        count = section.workers or possible_workers()
        self._pool = Pool(core, self._app, count - 1, tls, settings.vault.log_level) if count > 1 else None
        self._listeners = [SharedListener(self._app, place, tls, self._pool) if self._pool else Listener(self._app, place, tls)]
        if settings.metrics.enabled and settings.metrics.address is not None:
            self._listeners.append(Listener(MetricsApp(core.metrics), bound(settings.metrics.address)))
        self._scheme = "https" if section.has_tls else "http"
        self._stopping = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self, prepare: Prepare | None = None) -> None:
        """Serve until SIGTERM or SIGINT. Raises VaultErrors of the start."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stopping.set)
        loop.add_signal_handler(signal.SIGHUP, self._refresh_soon)
        _raise_file_limit()
        try:
            await self._core.open()
            said = await prepare(self._core) if prepare is not None else ""
            # The vault's own is the last one: who reaches the vault reaches its metrics too.
            for listener in reversed(self._listeners):
                await listener.start()
            if self._pool is not None:
                self._pool.start()
            await self._tell()
            if said:
                sys.stderr.write(said + "\n")
                sys.stderr.flush()
            await self._stopping.wait()
        finally:
            await self._stop()

    async def _tell(self) -> None:
        state = "not initialized" if not await self._core.is_initialized() else "sealed" if self._core.is_sealed else "unsealed"
        _log.info("the vault answers at %s://%s; it is %s", self._scheme, self._address, state)

    async def _stop(self) -> None:
        # What a worker answers at this moment needs this process until it is done.
        workers = [self._pool.stop()] if self._pool is not None else []
        await asyncio.gather(*(listener.stop() for listener in self._listeners), *workers)
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._app.aclose()
        await self._core.aclose()
        _log.info("the vault has stopped")

    def _refresh_soon(self) -> None:
        task = asyncio.get_running_loop().create_task(self._refresh(), name="refresh")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _refresh(self) -> None:
        """On SIGHUP: the audit files by their names, and the certificates, anew."""
        if self._core.active is not None:
            await self._core.active.audit.reopen()
        try:
            for listener in self._listeners:
                await listener.reload()
        except VaultError as error:
            _log.error("the certificates stay as they were: %s", error)
        else:
            _log.info("audit files and certificates were read anew")


def _raise_file_limit() -> None:
    """Each connection is an open file: take as many as the system allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < hard:
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core dump would hold the keys
    os.umask(0o077)


def serve(make_core: Callable[[], Core], settings: Settings, prepare: Prepare | None = None) -> None:
    """Run a server in this process until it is told to stop. Raises VaultErrors of the start."""
    import uvloop  # noqa: PLC0415 - only a server needs it

    async def main() -> None:
        await Server(make_core(), settings).run(prepare)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())
