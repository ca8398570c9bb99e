"""The vault of a workspace. The first process that needs it opens it and answers the others on a socket beside its files."""

import asyncio
import fcntl
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from svault.core.core import Core
from svault.core.mount_entry import MountEntry
from svault.core.settings import CONFIGURED, AuditDevice, CoreSettings
from svault.crypto.choice import backend
from svault.embedded.client import HttpClient, LocalClient, VaultClient
from svault.embedded.keys import KeyPlace, Keys, KeyStore
from svault.embedded.server import SocketServer, socket_client
from svault.errors import BadRequestError, PermissionDeniedError, SealedError, StorageLockedError
from svault.http.app import VaultApp
from svault.logical.clock import Clock, SystemClock
from svault.storage.filesystem import FilesystemStorage

if TYPE_CHECKING:
    import httpx2

    from svault.embedded.passing import PassingApp

DATA, UNFINISHED, SOCKET, AUDIT = "data", "data.unfinished", "vault.sock", "audit/vault.log"
POLICY = "workspace"
WAIT_SECONDS = 10.0
_TRY_SECONDS = 0.05
TOKEN_PERIOD = 30 * 86_400
RENEW_SECONDS = 86_400
_RULES = "\n".join(
    f'path "{path}" {{ capabilities = [{", ".join(f"{name!r}" for name in names)}] }}'.replace("'", '"')
    for path, names in {
        "secret/*": ("create", "read", "update", "patch", "delete", "list"),
        "transit/*": ("create", "read", "update", "delete", "list"),
        "pki/*": ("create", "read", "update", "patch", "delete", "list", "sudo"),
        "database/*": ("create", "read", "update", "delete", "list"),
        "sys/mounts": ("read",),
        "sys/leases/*": ("create", "update", "list", "sudo"),
        "sys/policies/acl/*": ("read", "list"),
    }.items()
)


@dataclass(frozen=True, slots=True)
class Initialized:
    """What `initialize` made: where the keys are, and which engines are mounted."""

    keys: KeyPlace
    engines: Sequence[str]
    folder: Path


def default_mounts() -> list[MountEntry]:
    """The engines of a workspace's vault: those of the specification's `[engines]`."""
    return [
        MountEntry("secret/", "kv", description="secrets, with versions", options={"version": "2"}),
        MountEntry("transit/", "transit", description="encryption and signatures"),
        MountEntry("pki/", "pki", description="certificates", max_lease_ttl=87_600 * 3600),
        MountEntry("database/", "database", description="database users with an end"),
    ]


class WorkspaceVault:
    """The vault in one folder (`.prov/vault`). Belongs to one event loop.

    With `shares_it` this process answers others on the folder's socket while it has the vault open; short commands do not.
    """

    def __init__(self, folder: Path, *, crypto: str | None = None, shares_it: bool = False, clock: Clock | None = None) -> None:
        self.folder = folder
        self._crypto = crypto
        self._shares_it = shares_it
        self._clock = clock or SystemClock()
        self._renewed = 0.0
        self._keys = KeyStore(folder)
        self._lock = asyncio.Lock()
        self._core: Core | None = None
        self._server: SocketServer | None = None
        self._client: VaultClient | None = None
        self._socket: httpx2.AsyncClient | None = None
        self._app: VaultApp | PassingApp | None = None

    @property
    def key_store(self) -> KeyStore:
        """Where the keys are."""
        return self._keys

    @property
    def is_initialized(self) -> bool:
        """Whether `initialize` was done here."""
        return (self.folder / DATA).is_dir()

    def _new_core(self, unseal_key: bytes, data: Path) -> Core:
        log = AuditDevice(CONFIGURED, "file", {"file_path": os.fspath((self.folder / AUDIT).absolute())})
        settings = CoreSettings(
            mounts=default_mounts(), cluster_name="workspace", storage_type="filesystem", audit_devices=(log,)
        )
        return Core(
            FilesystemStorage(data), crypto=backend(self._crypto), settings=settings, static_key=unseal_key, clock=self._clock
        )

    async def initialize(self, *, place: KeyPlace | None = None) -> Initialized:
        """Make the vault, its keys and its engines. Raises BadRequestError when there is one, StorageError."""
        async with self._lock:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            with _alone(self.folder):
                return await self._initialized(place)

    async def _initialized(self, place: KeyPlace | None) -> Initialized:
        if self.is_initialized:
            raise BadRequestError("this workspace has a vault already", hint="see it: prov vault status")
        unfinished = self.folder / UNFINISHED
        shutil.rmtree(unfinished, ignore_errors=True)
        unseal_key = os.urandom(32)
        core = self._new_core(unseal_key, unfinished)
        await core.open()
        try:
            shares, token = await _furnished(core)
        finally:
            await core.aclose()
        # Under its own name only when its keys are kept: a crash before leaves nothing that looks like a vault.
        kept = self._keys.save(Keys(unseal_key, tuple(share.hex() for share in shares), token), place=place)
        unfinished.rename(self.folder / DATA)
        return Initialized(kept, [entry.path for entry in default_mounts()], self.folder)

    def keys(self) -> Keys:
        """The keys. Raises BadRequestError when there are none."""
        found = self._keys.load()
        if found is None:
            raise BadRequestError("this workspace has no vault yet", hint="make one: prov vault init")
        return found

    async def client(self) -> VaultClient:
        """A client of the vault, opened here or in the process that has it.

        Raises BadRequestError (no vault yet), SealedError, StorageError.
        """
        async with self._lock:
            if self._client is not None and (self._core is not None or await _answers(self._client)):
                return await self._renewing(self._client)
            await self._let_go()
            if not self.is_initialized:
                raise BadRequestError("this workspace has no vault yet", hint="make one: prov vault init")
            self._client = await self._opened(self.keys())
            self._renewed = 0.0
            return await self._renewing(self._client)

    async def app(self) -> "VaultApp | PassingApp":
        """The vault's HTTP API (ASGI), answered here or by the process that has it. Raises as `client`."""
        await self.client()
        from svault.embedded.passing import PassingApp  # noqa: PLC0415 - only servers answer HTTP

        if self._app is None:
            core, socket = self._core, self._socket
            if core is not None:
                self._app = VaultApp(core)
            else:
                assert socket is not None
                self._app = PassingApp(socket)
        return self._app

    @property
    def has_it(self) -> bool:
        """Whether this process has the vault open."""
        return self._core is not None

    async def _opened(self, keys: Keys) -> VaultClient:
        deadline = asyncio.get_running_loop().time() + WAIT_SECONDS
        while True:
            core = self._new_core(keys.unseal_key, self.folder / DATA)
            try:
                await core.open()
            except StorageLockedError:
                # Another process has it: it answers on the socket, or is a short command that soon ends.
                socket = socket_client(self.folder / SOCKET)
                client = HttpClient(socket, keys.token)
                if await _answers(client):
                    self._socket = socket
                    return client
                await client.aclose()
                if asyncio.get_running_loop().time() > deadline:
                    raise SealedError(
                        "another process has this workspace's vault and does not answer", hint="see who: prov vault status"
                    ) from None
                await asyncio.sleep(_TRY_SECONDS)
                continue
            except BaseException:
                await core.aclose()
                raise
            self._core = core
            if self._shares_it:
                self._server = SocketServer(core, self.folder / SOCKET)
                try:
                    await self._server.start()
                except BaseException:
                    await self._let_go()
                    raise
            return LocalClient(core, keys.token)

    async def _renewing(self, client: VaultClient) -> VaultClient:
        """The same client; once a day its token is renewed, so that a server may run for longer than a token lives."""
        now = self._clock.monotonic()
        if self._renewed and now - self._renewed <= RENEW_SECONDS:
            return client
        try:
            await client.request("POST", "auth/token/renew-self")
        except PermissionDeniedError:
            if self._core is None:
                raise
            # Unused for longer than the token lives. Whoever has the keys may have another one.
            keys = self.keys()
            token = await _workspace_token(LocalClient(self._core, await self._core.new_root_token()))
            self._keys.save(replace(keys, token=token), place=self._keys.place)
            client = self._client = LocalClient(self._core, token)
        self._renewed = now
        return client

    async def _let_go(self) -> None:
        server, self._server = self._server, None
        client, self._client = self._client, None
        core, self._core = self._core, None
        app, self._app = self._app, None
        self._socket = None
        if server is not None:
            await server.stop()
        if client is not None:
            await client.aclose()
        if isinstance(app, VaultApp):
            await app.aclose()
        if core is not None:
            await core.aclose()

    async def aclose(self) -> None:
        """Close the vault; another process may open it now."""
        async with self._lock:
            await self._let_go()


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Two processes that make a vault at the same moment would each write keys. Raises StorageLockedError."""
    handle = os.open(folder / "init.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise StorageLockedError("another process is making this workspace's vault", hint="wait until it is done") from None
    finally:
        os.close(handle)


async def _furnished(core: Core) -> tuple[list[bytes], str]:
    """Initialise a vault and give it a policy and a token for the workspace's tools; no root token stays behind."""
    shares, root = await core.initialize(1, 1)
    client = LocalClient(core, root)
    await client.request("POST", f"sys/policies/acl/{POLICY}", {"policy": _RULES})
    return shares, await _workspace_token(client)


async def _workspace_token(root: VaultClient) -> str:
    """A token for the workspace's tools, made with a root token that is revoked."""
    wanted = {"policies": [POLICY], "period": TOKEN_PERIOD, "display_name": "workspace"}
    made = await root.request("POST", "auth/token/create-orphan", wanted)
    await root.request("POST", "auth/token/revoke-self")
    return str(made["auth"]["client_token"])


async def _answers(client: VaultClient) -> bool:
    try:
        await client.request("GET", "sys/health")
    except SealedError:
        return False
    return True
