"""The vault of a workspace: its own, or the one at `vault.address`. The tools, the commands and `/v1` come here."""

import asyncio
import ipaddress
import json
import os
import ssl
import stat
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from prov_server.vault.pages import Asking, Pages
from prov_tools.vault.access import Keep, VaultPlace
from prov_tools.vault.failures import told
from prov_tools.vault.kv import Secret
from stratumops.errors import InvalidInputError, NotFoundError, PermissionDeniedError
from stratumops.handles import SecretHandle
from stratumops.settings_groups import VaultSettings
from stratumops.workspace import Workspace

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from svault.embedded import KeyPlace, VaultClient, WorkspaceVault

FOLDER = "vault"
TIMEOUT_SECONDS = 30.0
MAX_TOKEN_BYTES = 4096


class VaultAccess:
    """Opens nothing before it is asked for. Belongs to one event loop from the first request on.

    With `shares_it` this process answers the others of the workspace while it has the vault. `hide` is told every value that is
    resolved, made or typed in.
    """

    def __init__(
        self,
        workspace: Workspace,
        settings: VaultSettings,
        *,
        shares_it: bool = False,
        hide: Callable[[str], object] = lambda _: None,
    ) -> None:
        self._workspace = workspace
        self._settings = settings
        self._shares_it = shares_it
        self._hide = hide
        self._own: WorkspaceVault | None = None
        self._remote: VaultClient | None = None
        self._lock = asyncio.Lock()
        self.pages = Pages()
        """Where a person types a value in, or reads one."""

    @property
    def place(self) -> VaultPlace:
        """See `prov_tools.vault.access.Vault`."""
        address = self._settings.address
        if address:
            return VaultPlace(address, is_initialized=True)
        return VaultPlace("", is_initialized=self.own.is_initialized, keys=self.keys_place if self.own.is_initialized else "")

    @property
    def keys_place(self) -> str:
        """Where the keys of the workspace's own vault are, in words."""
        store = self.own.key_store
        return f"in the file {store.file}" if store.place == "file" else "in this system's keyring"

    @property
    def own(self) -> "WorkspaceVault":
        """The workspace's own vault, opened or not. Raises InvalidInputError when `vault.address` names another."""
        if self._settings.address:
            raise InvalidInputError(
                "vault.address names another vault, so the workspace's own is not used", hint="unset PROV_VAULT__ADDRESS"
            )
        if self._own is None:
            from svault.embedded import WorkspaceVault  # noqa: PLC0415 - the vault costs 200 ms, paid by who needs it

            crypto = self._settings.crypto_backend or None
            self._own = WorkspaceVault(self._workspace.own / FOLDER, crypto=crypto, shares_it=self._shares_it)
        return self._own

    async def initialize(self, place: "KeyPlace | None") -> "KeyPlace":
        """Make the workspace's own vault; answers where its keys are. Raises StratumError."""
        self._workspace.make_own()
        with told("vault"):
            return (await self.own.initialize(place=place)).keys

    async def app(self) -> "ASGIApp":
        """The HTTP API of the workspace's own vault. Raises VaultError; NotFoundError: there is none here."""
        if self._settings.address:
            raise NotFoundError("this server answers no /v1: its vault is elsewhere", hint=f"ask {self._settings.address}")
        if not self.own.is_initialized:
            raise NotFoundError("this workspace has no vault yet", hint="make one: prov vault init")
        return await self.own.app()

    async def client(self) -> "VaultClient":
        """See `prov_tools.vault.access.Vault`."""
        if not self._settings.address:
            return await self.own.client()
        async with self._lock:
            if self._remote is None:
                self._remote = await asyncio.to_thread(_remote, self._settings)
            return self._remote

    async def resolve(self, handle: str) -> str:
        """See `prov_tools.vault.access.Vault`."""
        named = SecretHandle.parse(handle)
        with told(f"secret {handle}"):
            secret = await Secret.at(await self.client(), named.path)
            values = await secret.values(named.version)
        if named.field not in values:
            raise NotFoundError(
                f"{named.path!r} has no field {named.field!r}", hint=f"`prov vault describe {named.path}` shows its handles"
            )
        value = text_of(values[named.field])
        self.hide(value)
        return value

    def hide(self, value: str) -> None:
        """See `prov_tools.vault.access.Vault`."""
        self._hide(value)

    async def ask(self, handle: str, keep: Keep) -> str:
        """See `prov_tools.vault.access.Vault`."""

        async def hidden(value: str) -> None:
            self.hide(value)
            await keep(value)

        return (await self.pages.open(Asking(handle, hidden))).url

    async def aclose(self) -> None:
        """Close the pages and the vault; another process may open it now."""
        await self.pages.aclose()
        if self._own is not None:
            await self._own.aclose()
        if self._remote is not None:
            await self._remote.aclose()


def text_of(value: Any) -> str:
    """A stored value as text: a number or an object as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _remote(settings: VaultSettings) -> "VaultClient":
    """A client of the vault at the address. Raises InvalidInputError, PermissionDeniedError."""
    import httpx2  # noqa: PLC0415 - only a vault elsewhere needs it

    from svault.embedded.client import HttpClient  # noqa: PLC0415 - as above

    address = urlsplit(settings.address)
    if address.scheme not in {"https", "http"} or not address.hostname:
        raise InvalidInputError("vault.address is no address", hint="such as https://vault.example.org:8200")
    if address.scheme == "http" and not _is_loopback(address.hostname):
        raise InvalidInputError("vault.address: a token is not sent over plain HTTP to another machine", hint="use https://")
    try:
        context = ssl.create_default_context(cafile=os.environ.get("VAULT_CACERT") or None)
    except OSError as error:
        raise InvalidInputError(f"VAULT_CACERT cannot be read: {error.strerror}", hint="name a PEM file with the CA") from None
    base = f"{address.scheme}://{address.netloc}"
    made = httpx2.AsyncClient(base_url=base, verify=context, timeout=TIMEOUT_SECONDS, trust_env=False)
    return HttpClient(made, _token(settings.token_file))


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _token(path: str) -> str:
    if not path:
        token = os.environ.get("VAULT_TOKEN", "").strip()
        if not token:
            raise InvalidInputError("there is no token for the vault", hint="set VAULT_TOKEN, or PROV_VAULT__TOKEN_FILE")
        return token
    try:
        with Path(path).expanduser().open("rb") as file:
            if stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077:
                raise PermissionDeniedError("vault.token_file can be read by others", hint=f"chmod 600 {path}")
            return file.read(MAX_TOKEN_BYTES).decode("ascii", "replace").strip()
    except OSError as error:
        raise InvalidInputError(f"vault.token_file cannot be read: {error.strerror}", hint="name a file with the token") from None
