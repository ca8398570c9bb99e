"""The active process's side of its workers: starts and replaces them, hands connections over, tells changes, answers questions.

A worker answers what changes nothing (a route's `is_pure`) and is allowed; everything else it hands on to here. This process
alone writes, to the storage and to the audit. Before an entry changes the shared epoch is raised, and again when it has changed:
a worker that sees an epoch which it has not heard of waits for the message. So no answer is older than what anybody was told.
"""

import asyncio
import logging
import os
import signal
import socket
import sys
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from svault.core.core import Core
from svault.errors import InternalError, VaultError
from svault.http.app import VaultApp
from svault.http.tls import TlsFiles
from svault.workers.channel import Channel, Message
from svault.workers.epoch import Epoch
from svault.workers.facts import told
from svault.workers.replica import KINDS, snapshot

_log = logging.getLogger(__name__)
_TOKENS = ("sys/token/", "sys/expire/", "sys/wrapping/")
_KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "COVERAGE_PROCESS_START", "NO_COLOR")
"""What a worker gets of the environment; a key may be in the rest."""
FORGET_SECONDS = 2.0
STOP_SECONDS = 15.0
_VOUCH_SECONDS = 0.25
_AGAIN_SECONDS, _LONGEST_AGAIN = 0.2, 10.0
MAX_WORKERS = 64


def possible_workers() -> int:
    """How many processes can answer at the same time on this machine; 1 where they cannot share memory."""
    if not hasattr(os, "memfd_create"):
        return 1
    return min(MAX_WORKERS, len(os.sched_getaffinity(0)))


class _Member:
    """One worker."""

    def __init__(self, pool: "Pool") -> None:
        self.pool = pool
        self.process: asyncio.subprocess.Process | None = None
        self.channel: Channel | None = None
        self.connections: socket.socket | None = None
        self.is_ready = self.was_ready = False
        self.forgot = -1
        self.gone = asyncio.Event()

    async def start(self, hello: Message) -> None:
        """Start its process. Raises OSError."""
        ours, theirs = socket.socketpair()
        self.connections, taken = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        for one in (ours, theirs, self.connections, taken):
            one.setblocking(False)  # noqa: FBT003 - the standard library's own signature
        inherited = (theirs.fileno(), taken.fileno(), self.pool.epoch.descriptor)
        try:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-P",  # nothing is imported from the folder in which the server was started
                "-m",
                "svault.workers.process",
                *map(str, inherited),
                pass_fds=inherited,
                stdin=asyncio.subprocess.DEVNULL,
                env={name: os.environ[name] for name in _KEPT if name in os.environ},
            )
        except OSError:
            ours.close()
            self.connections.close()
            raise
        finally:
            theirs.close()
            taken.close()
        _, self.channel = await asyncio.get_running_loop().create_unix_connection(
            lambda: Channel(self._received, self._lost), sock=ours
        )
        self.channel.send(*hello)
        # In one step: whatever changes from here on is told as well.
        for change in self.pool.changes_under_way():
            self.channel.send(*change)
        self.channel.send("reached", self.pool.epoch.value)

    def _received(self, messages: list[Message]) -> None:
        self.pool.received(self, messages)

    def _lost(self) -> None:
        self.is_ready = False
        self.pool.lost()
        if self.connections is not None:
            self.connections.close()
            self.connections = None
        self.kill()
        self.gone.set()

    def kill(self) -> None:
        """End it at once."""
        if self.process is not None and self.process.returncode is None:
            with suppress(ProcessLookupError):
                self.process.send_signal(signal.SIGKILL)

    def send(self, *message: Any) -> None:
        """Send it a message."""
        if self.channel is not None:
            self.channel.send(*message)


class Pool:
    """`count` workers. Belongs to one event loop."""

    def __init__(self, core: Core, app: VaultApp, count: int, tls: TlsFiles | None, log_level: str) -> None:
        self.epoch = Epoch.new()
        self._core, self._app = core, app
        self._hello: Message = (
            "hello",
            None if tls is None else (tls.cert, tls.key, tls.client_ca, tls.requires_client_cert),
            log_level,
        )
        self._members: list[_Member | None] = [None] * count
        self._keepers: list[asyncio.Task[None]] = []
        self._tasks: set[asyncio.Task[Any]] = set()
        self._open: dict[int, Message] = {}
        self._changes = 0
        self._forgotten_at = 0
        self._turn = 0
        self._is_stopping = False
        self._has_heard = asyncio.Event()
        self._is_needed = asyncio.Event()

    def start(self) -> None:
        """Begin: the workers come once the vault is active, and until they are ready this process does all itself."""
        self._core.replicas = self
        self._core.barrier.watcher = self
        loop = asyncio.get_running_loop()
        self._keepers = [loop.create_task(self._keep(number), name=f"worker {number}") for number in range(len(self._members))]
        if self._core.active is not None:
            self.wake()
        self._keepers.append(loop.create_task(self._vouch(), name="workers' epoch"))

    async def stop(self) -> None:
        """Let the workers answer what is under way, and end them."""
        self._is_stopping = True
        for member in self._running():
            member.is_ready = False
            member.send("stop")
        with suppress(TimeoutError):
            async with asyncio.timeout(STOP_SECONDS):
                await asyncio.gather(*(member.gone.wait() for member in self._running()))
        for member in self._running():
            member.kill()
        for keeper in self._keepers:
            keeper.cancel()
        await asyncio.gather(*self._keepers, *self._tasks, return_exceptions=True)
        self._core.replicas = None
        self._core.barrier.watcher = None
        self.epoch.close()

    async def _vouch(self) -> None:
        """Tell that this process lives: one that hangs may have lost the lead to another server."""
        while True:
            self.epoch.vouch(self._core.clock.monotonic())
            await asyncio.sleep(_VOUCH_SECONDS)

    async def _keep(self, number: int) -> None:
        """Keep one worker running; after a crash another one takes its place."""
        pause = _AGAIN_SECONDS
        await self._is_needed.wait()
        while not self._is_stopping:
            member = self._members[number] = _Member(self)
            try:
                await member.start(self._hello)
                await member.gone.wait()
            except OSError as error:
                _log.error("a worker could not be started: %s", error.strerror)
            finally:
                member.kill()
                if member.process is not None:
                    await member.process.wait()
            pause = _AGAIN_SECONDS if member.was_ready else min(pause * 2, _LONGEST_AGAIN)
            if not self._is_stopping:
                _log.warning("a worker has ended and is replaced")
                await asyncio.sleep(pause)

    def _running(self) -> list[_Member]:
        return [member for member in self._members if member is not None and not member.gone.is_set()]

    @property
    def processes(self) -> list[int]:
        """The process ids of the workers that take connections."""
        return [member.process.pid for member in self._running() if member.is_ready and member.process is not None]

    def hand_over(self, connection: socket.socket) -> bool:
        """Give an accepted connection to the next in turn; False: it is this process's own turn."""
        ready = [member for member in self._running() if member.is_ready and member.connections is not None]
        self._turn = (self._turn + 1) % (len(ready) + 1)
        if self._turn == 0:
            return False
        to = ready[self._turn - 1].connections
        assert to is not None
        try:
            socket.send_fds(to, [b"c"], [connection.fileno()])
        except OSError:
            return False
        return True

    def reload(self) -> None:
        """The certificates are to be read anew."""
        for member in self._running():
            member.send("reload")

    # What the barrier and the core tell.

    def begun(self, keys: Iterable[str]) -> int:
        """See Watcher."""
        self._changes += 1
        keys = list(keys)
        active = self._core.active
        has_tokens = has_others = False
        for key in keys:
            if key.startswith(_TOKENS):
                has_tokens = True
            elif not has_others:
                folder, _, rest = key.partition("/")
                mounted = active.mounts.by_uuid(rest.partition("/")[0]) if active is not None and folder == "logical" else None
                has_others = mounted is None or mounted.entry.kind not in KINDS
        message = ("begun", self.epoch.raised(), self._changes, keys, has_tokens, has_others)
        self._open[self._changes] = message
        self._tell(message)
        return self._changes

    def ended(self, change: int) -> None:
        """See Watcher."""
        if self._open.pop(change, None) is not None:
            self._tell(("ended", self.epoch.raised(), change))

    def changes_under_way(self) -> list[Message]:
        """What a worker that comes now must know of."""
        return list(self._open.values())

    def _tell(self, message: Message) -> None:
        for member in self._running():
            member.send(*message)

    def wake(self) -> None:
        """See Replicas."""
        self._is_needed.set()

    def forget(self) -> None:
        """See Replicas."""
        self._forgotten_at = self.epoch.raised()
        self._tell(("forget", self._forgotten_at))

    async def forgotten(self) -> None:
        """See Replicas: a worker that does not answer is ended."""
        wanted = self._forgotten_at
        with suppress(TimeoutError):
            async with asyncio.timeout(FORGET_SECONDS):
                while self._remembering(wanted):
                    self._has_heard.clear()
                    await self._has_heard.wait()
        for member in self._remembering(wanted):
            member.kill()

    def lost(self) -> None:
        """A worker has ended: it holds nothing any more."""
        self._has_heard.set()

    def _remembering(self, wanted: int) -> list[_Member]:
        return [member for member in self._running() if member.is_ready and member.forgot < wanted]

    # What the workers ask.

    def received(self, member: _Member, messages: list[Message]) -> None:
        """Messages of one worker."""
        audits: list[Message] = []
        for message in messages:
            match message[0]:
                case "audit":
                    audits.append(message)
                case "counted":
                    self._core.metrics.tally.add(message[1])
                case "ready":
                    member.is_ready = member.was_ready = True
                case "forgot":
                    member.forgot = max(member.forgot, message[1])
                    self._has_heard.set()
                case _:
                    self._do(self._answered(member, message))
        if audits:
            self._do(self._audited(member, audits))

    def _do(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answered(self, member: _Member, message: Message) -> None:
        number = message[1]
        try:
            member.send("re", number, await self._value(message))
        except VaultError:
            member.send("refused", number)
        except Exception:  # noqa: BLE001 - the worker must not wait for ever
            _log.exception("a worker's question failed")
            member.send("refused", number)

    async def _value(self, message: Message) -> Any:
        match message:
            case ("call", _, parts, body):
                return await self._called(parts, body)
            case ("get", _, key):
                self._core.running()  # what is not there must not be taken for what nobody may read
                found = await self._core.storage.get(key)
                return None if found is None else (found.value, found.version)
            case ("list", _, prefix):
                self._core.running()
                return await self._core.storage.list(prefix)
            case ("token", _, text):
                active = self._core.active
                return None if active is None else await told(active, text)
            case ("snapshot", _):
                active = self._core.active
                is_changing = any(has_others for *_, has_others in self._open.values())
                return None if active is None or is_changing else snapshot(active)
        raise InternalError

    async def _called(self, parts: tuple[Any, ...], body: bytes) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
        """Do a request as if it had come here."""
        method, path, query, headers, client, tls = parts
        scope = {"type": "http", "method": method, "path": path, "query_string": query, "headers": headers, "client": client}
        if tls is not None:
            scope["extensions"] = {"tls": tls}
        sent: list[Any] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        await self._app(scope, receive, send)
        start, *chunks = sent
        return start["status"], [tuple(header) for header in start["headers"]], b"".join(chunk["body"] for chunk in chunks)

    async def _audited(self, member: _Member, audits: list[Message]) -> None:
        """Write the lines of several requests at once. True: they are written; False: they cannot be; None: ask again here."""
        active = self._core.active
        current = [message for message in audits if active is not None and message[2] == active.audit.generation]
        for message in audits:
            if message not in current:
                member.send("re", message[1], None)
        if active is None or not current:
            return
        lines: dict[str, list[bytes]] = {}
        for _, _, _, by_device in current:
            for device, pair in by_device.items():
                lines.setdefault(device, []).extend(pair)
        active.begin()
        try:
            await active.audit.log_lines(lines)
            is_written = True
        except Exception as error:  # noqa: BLE001 - whatever failed, nothing is answered without its lines
            is_written = False
            if not isinstance(error, VaultError):
                _log.exception("a worker's audit lines could not be written")
        finally:
            active.end()
        for message in current:
            member.send("re", message[1], is_written)
