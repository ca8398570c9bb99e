"""Vaults for tests: in process (`TestVault`), behind real HTTP (`running_server`), and a real OpenBao (`running_openbao`)."""

import asyncio
import contextlib
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import hvac
import uvicorn

from peers import environment
from svault.core.call import Answer, Call
from svault.core.core import Core
from svault.core.settings import CoreSettings
from svault.crypto.choice import backend
from svault.http.app import VaultApp
from svault.http.protocol import VaultProtocol
from svault.logical.clock import Clock
from svault.storage.base import Storage
from svault.storage.memory import MemoryStorage

WAIT_SECONDS = 60.0


class ManualClock:
    """A clock that stands still until a test moves it; `jump` sets the machine's clock without time passing."""

    def __init__(self, now: float = 1_795_000_000.0) -> None:
        self._now = now
        self._steady = 1000.0

    def time(self) -> float:
        return self._now

    def monotonic(self) -> float:
        return self._steady

    def advance(self, seconds: float) -> None:
        self._now += seconds
        self._steady += seconds

    def jump(self, seconds: float) -> None:
        self._now += seconds


class TestVault:
    """A vault in this process: initialised and unsealed on entering. `call` answers with status and body."""

    __test__ = False

    def __init__(
        self,
        storage: Storage | None = None,
        *,
        clock: Clock | None = None,
        settings: CoreSettings | None = None,
        static_key: bytes | None = None,
        crypto: str | None = "openssl",
    ) -> None:
        self.storage = storage or MemoryStorage()
        self.core = Core(self.storage, crypto=backend(crypto), clock=clock, settings=settings, static_key=static_key)
        self.keys: list[bytes] = []
        self.root = ""

    async def __aenter__(self) -> Self:
        await self.core.open()
        if not await self.core.is_initialized():
            self.keys, self.root = await self.core.initialize(1, 1)
            await self.core.unseal(self.keys[0])
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.core.aclose()

    async def call(
        self,
        method: str,
        path: str,
        data: Mapping[str, Any] | None = None,
        *,
        token: str | None = None,
        headers: Mapping[str, str] | None = None,
        wrap_ttl: int = 0,
        content_type: str = "application/json",
        remote_address: str = "127.0.0.1",
    ) -> Answer:
        given = self.root if token is None else token
        return await self.core.handle(
            Call(
                method,
                path,
                dict(data or {}),
                given,
                {name.lower(): value for name, value in (headers or {}).items()},
                remote_address,
                40000,
                wrap_ttl,
                content_type,
            )
        )

    async def ok(self, method: str, path: str, data: Mapping[str, Any] | None = None, **more: Any) -> dict[str, Any]:
        """The body of an answer that must succeed."""
        answer = await self.call(method, path, data, **more)
        assert answer.status < 300, (method, path, answer.status, answer.body)
        return dict(answer.body or {})


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@dataclass
class VaultServer:
    """Our vault behind real HTTP, unsealed; `client` is an hvac client with the root token."""

    url: str
    root: str = field(repr=False)
    core: Core = field(repr=False)
    keys: list[bytes] = field(repr=False)

    @property
    def client(self) -> hvac.Client:
        return hvac.Client(self.url, token=self.root)


@contextlib.contextmanager
def running_server(storage: Storage | None = None, settings: CoreSettings | None = None) -> Iterator[VaultServer]:
    port = free_port()
    started, stop, made = threading.Event(), threading.Event(), {}

    async def serve() -> None:
        async with TestVault(storage, settings=settings) as vault:
            app = VaultApp(vault.core)
            server = uvicorn.Server(
                uvicorn.Config(app, http=VaultProtocol, port=port, log_level="error", lifespan="off", ws="none")
            )
            server.install_signal_handlers = lambda: None  # type: ignore[attr-defined] # the test has its own signals
            task = asyncio.create_task(server.serve())
            while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
                await asyncio.sleep(0.01)
            made["server"] = VaultServer(f"http://127.0.0.1:{port}", vault.root, vault.core, vault.keys)
            started.set()
            await asyncio.to_thread(stop.wait)
            server.should_exit = True
            await task
            await app.aclose()

    thread = threading.Thread(target=lambda: asyncio.run(serve()), name="vault server")
    thread.start()
    try:
        assert started.wait(WAIT_SECONDS), "the vault did not start"
        yield made["server"]
    finally:
        stop.set()
        thread.join()


@dataclass
class BaoServer:
    """A real OpenBao in dev mode."""

    url: str
    root: str = field(repr=False)

    @property
    def client(self) -> hvac.Client:
        return hvac.Client(self.url, token=self.root)

    def call(
        self,
        method: str,
        path: str,
        data: Mapping[str, Any] | None = None,
        *,
        token: str | None = None,
        headers: Mapping[str, str] | None = None,
        wrap_ttl: int = 0,
        content_type: str = "application/json",
    ) -> Answer:
        """The same as `TestVault.call`, of OpenBao."""
        return http_call(
            self.url,
            method,
            path,
            data,
            token=self.root if token is None else token,
            headers=headers,
            wrap_ttl=wrap_ttl,
            content_type=content_type,
        )


def http_call(
    url: str,
    method: str,
    path: str,
    data: Mapping[str, Any] | bytes | None = None,
    *,
    token: str = "",
    headers: Mapping[str, str] | None = None,
    wrap_ttl: int = 0,
    content_type: str = "application/json",
) -> Answer:
    """One request over HTTP as an `Answer`; a body that is no JSON stands in `raw`."""
    import json

    body = data if isinstance(data, bytes) else None if data is None else json.dumps(data).encode()
    request = urllib.request.Request(f"{url}/v1/{path}", data=body, method=method)
    request.add_header("Content-Type", content_type)
    if token:
        request.add_header("X-Vault-Token", token)
    if wrap_ttl:
        request.add_header("X-Vault-Wrap-TTL", str(wrap_ttl))
    for name, value in (headers or {}).items():
        request.add_header(name, value)
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            status, text, kind = response.status, response.read(), response.headers.get("Content-Type", "")
    except urllib.error.HTTPError as error:
        status, text, kind = error.code, error.read(), error.headers.get("Content-Type", "")
        error.close()
    if text and "json" in kind:
        with contextlib.suppress(ValueError):
            return Answer(status, json.loads(text), content_type=kind)
    return Answer(status, raw=text, content_type=kind)


@contextlib.contextmanager
def running_openbao(*options: str) -> Iterator[BaoServer]:
    made, process = _openbao(options)
    try:
        yield made
    finally:
        process.terminate()
        process.wait()


def _openbao(options: tuple[str, ...]) -> tuple[BaoServer, subprocess.Popen[bytes]]:
    """One that answers. It listens on the next port too, which somebody may have: then it ends, and another port is tried."""
    program = environment("openbao") / "venv" / "bin" / "bao"
    base = [str(program), "server", "-dev", "-dev-root-token-id=root", "-dev-no-store-token", *options]
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        port = free_port()
        command = [*base, f"-dev-listen-address=127.0.0.1:{port}"]
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        made = BaoServer(f"http://127.0.0.1:{port}", "root")
        while process.poll() is None and time.monotonic() < deadline:
            with contextlib.suppress(OSError):
                if made.call("GET", "sys/health").status == 200 and made.call("GET", "secret/config").status == 200:
                    return made, process
            time.sleep(0.05)
        process.kill()
        process.wait()
    raise AssertionError("OpenBao did not start")
