"""How a command of a person uses the vault: opened for it, and closed when it ends."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

from prov_server.cli.session import Session

if TYPE_CHECKING:
    from prov_server.vault.access import VaultAccess

T = TypeVar("T")


def with_vault(session: Session, work: "Callable[[VaultAccess], Awaitable[T]]", *, shares_it: bool = False) -> T:
    """What `work` answers. Raises StratumError."""
    from prov_server.redaction import process_redactor
    from prov_server.vault.access import VaultAccess
    from prov_tools.vault.failures import told

    settings = session.settings().vault

    async def run() -> T:
        vault = VaultAccess(session.workspace, settings, shares_it=shares_it, hide=process_redactor().register)
        try:
            with told("secret"):
                return await work(vault)
        finally:
            await vault.aclose()

    return asyncio.run(run())
