"""What a person calls a secret: its path, or a handle with or without `vault:` before it."""

from dataclasses import dataclass

from prov_tools.vault.access import VaultClient
from prov_tools.vault.kv import Secret
from stratumops.errors import StratumError
from stratumops.handles import SCHEME, SecretHandle, typed_handle
from svault.errors import VaultError


@dataclass(frozen=True, slots=True)
class Named:
    """A secret's path (mount and path together), and the field and version where a handle named them."""

    path: str
    field: str | None = None
    version: int | None = None

    @property
    def handle(self) -> SecretHandle | None:
        """The handle, when a field was named."""
        return SecretHandle(self.path, self.field, self.version) if self.field else None


async def named(client: VaultClient, text: str) -> Named:
    """What `secret/app`, `secret/app#password` or `vault:secret/app#password` means.

    Without `vault:` a # may be a part of the path: where a secret has that very path, it is meant. Raises VaultError.
    """
    handle = typed_handle(text)
    if handle is None:
        return Named(text)
    if not text.startswith(SCHEME) and await _is_path(client, text):
        return Named(text)
    return Named(handle.path, handle.field, handle.version)


async def _is_path(client: VaultClient, text: str) -> bool:
    try:
        return await (await Secret.at(client, text)).facts() is not None
    except (StratumError, VaultError):
        return False  # whoever uses what was named finds out what is wrong
