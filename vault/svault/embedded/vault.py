"""The vault of a workspace. The first process that needs it opens it and answers the others on a socket beside its files."""

import asyncio
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from svault.core.core import Core
from svault.core.mount_entry import MountEntry
from svault.core.settings import CoreSettings
from svault.crypto.choice import backend
from svault.embedded.client import HttpClient, LocalClient, VaultClient
from svault.embedded.keys import KeyPlace, Keys, KeyStore
from svault.embedded.server import SocketServer, socket_client
from svault.errors import BadRequestError, SealedError, StorageLockedError
from svault.storage.filesystem import FilesystemStorage

DATA, UNFINISHED, SOCKET = "data", "data.unfinished", "vault.sock"
POLICY = "workspace"
WAIT_SECONDS = 10.0
_TRY_SECONDS = 0.05
TOKEN_PERIOD = 30 * 86_400
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

    def __init__(self, folder: Path, *, crypto: str | None = None, shares_it: bool = False) -> None:
        self.folder = folder
        self._crypto = crypto
        self._shares_it = shares_it
        self._keys = KeyStore(folder)
        self._lock = asyncio.Lock()
        self._core: Core | None = None
        self._server: SocketServer | None = None
        self._client: VaultClient | None = None

    @property
    def is_initialized(self) -> bool:
        """Whether `initialize` was done here."""
        return (self.folder / DATA).is_dir()

    def _new_core(self, unseal_key: bytes, data: Path) -> Core:
        settings = CoreSettings(mounts=default_mounts(), cluster_name="workspace", storage_type="filesystem")
        return Core(FilesystemStorage(data), crypto=backend(self._crypto), settings=settings, static_key=unseal_key)

    async def initialize(self, *, place: KeyPlace | None = None) -> Initialized:
        """Make the vault, its keys and its engines. Raises BadRequestError when there is one, StorageError."""
        async with self._lock:
            if self.is_initialized:
                raise BadRequestError("this workspace has a vault already", hint="see it: prov vault status")
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
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
                return self._client
            await self._let_go()
            if not self.is_initialized:
                raise BadRequestError("this workspace has no vault yet", hint="make one: prov vault init")
            self._client = await self._opened(self.keys())
            return self._client

    async def core(self) -> Core | None:
        """The vault when this process has it, opened if nobody has; None when another process has it."""
        await self.client()
        return self._core

    async def _opened(self, keys: Keys) -> VaultClient:
        deadline = asyncio.get_running_loop().time() + WAIT_SECONDS
        while True:
            core = self._new_core(keys.unseal_key, self.folder / DATA)
            try:
                await core.open()
            except StorageLockedError:
                # Another process has it: it answers on the socket, or is a short command that soon ends.
                client = HttpClient(socket_client(self.folder / SOCKET), keys.token)
                if await _answers(client):
                    return client
                await client.aclose()
                if asyncio.get_running_loop().time() > deadline:
                    raise SealedError(
                        "another process has this workspace's vault and does not answer", hint="see who: prov vault status"
                    ) from None
                await asyncio.sleep(_TRY_SECONDS)
                continue
            self._core = core
            if self._shares_it:
                self._server = SocketServer(core, self.folder / SOCKET)
                await self._server.start()
            local = LocalClient(core, keys.token)
            await local.request("POST", "auth/token/renew-self")
            return local

    async def _let_go(self) -> None:
        server, self._server = self._server, None
        client, self._client = self._client, None
        core, self._core = self._core, None
        if server is not None:
            await server.stop()
        if client is not None:
            await client.aclose()
        if core is not None:
            await core.aclose()

    async def aclose(self) -> None:
        """Close the vault; another process may open it now."""
        async with self._lock:
            await self._let_go()


async def _furnished(core: Core) -> tuple[list[bytes], str]:
    """Initialise a vault and give it a policy and a token for the workspace's tools; no root token stays behind."""
    shares, root = await core.initialize(1, 1)
    client = LocalClient(core, root)
    await client.request("POST", f"sys/policies/acl/{POLICY}", {"policy": _RULES})
    wanted = {"policies": [POLICY], "period": TOKEN_PERIOD, "display_name": "workspace"}
    made = await client.request("POST", "auth/token/create-orphan", wanted)
    await client.request("POST", "auth/token/revoke-self")
    return shares, str(made["auth"]["client_token"])


async def _answers(client: VaultClient) -> bool:
    try:
        await client.request("GET", "sys/health")
    except SealedError:
        return False
    return True
