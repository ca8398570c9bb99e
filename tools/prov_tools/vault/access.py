"""What the vault's tools are handed: a client of the workspace's vault, and the two acts that involve a value or a person."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol


class VaultClient(Protocol):
    """Asks one vault with one token; `svault.embedded.VaultClient` is one."""

    async def request(
        self, method: str, path: str, data: Mapping[str, Any] | None = None, *, wrap_ttl: int = 0
    ) -> dict[str, Any]:
        """The answer's body. Raises the VaultError of the answer's status."""
        ...


@dataclass(frozen=True, slots=True)
class VaultPlace:
    """Where the vault is. `address` is empty for the workspace's own; `is_initialized` says whether there is one."""

    address: str
    is_initialized: bool
    keys: str = ""


Keep = Callable[[str], Awaitable[None]]


class Vault(Protocol):
    """The vault of the workspace, for one call."""

    @property
    def place(self) -> VaultPlace:
        """Where it is; opens nothing."""
        ...

    async def client(self) -> VaultClient:
        """A client. Raises VaultError: there is no vault yet, it is sealed, it does not answer."""
        ...

    async def resolve(self, handle: str) -> str:
        """The value that a handle names, for an action that needs it; it is hidden everywhere from now on.

        Never part of an answer. Raises InvalidInputError, NotFoundError, PermissionDeniedError, UnavailableError.
        """
        ...

    def hide(self, value: str) -> None:
        """Keep a value out of results, errors and logs from now on."""
        ...

    async def ask(self, handle: str, keep: Keep) -> str:
        """Open a page on which a person types a value once; `keep` gets it. Answers the page's address."""
        ...
