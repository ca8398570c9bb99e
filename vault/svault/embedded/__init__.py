"""A vault inside a workspace: made in one step, opened by whichever of our processes comes first, shared with the others.

vault = WorkspaceVault(folder)
await vault.initialize()
client = await vault.client()
await client.request("POST", "secret/data/app", {"data": {"password": "..."}})
await vault.aclose()
"""

from svault.embedded.client import VaultClient
from svault.embedded.keys import KeyPlace, Keys
from svault.embedded.vault import Initialized, WorkspaceVault

__all__ = ["Initialized", "KeyPlace", "Keys", "VaultClient", "WorkspaceVault"]
