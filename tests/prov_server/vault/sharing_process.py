"""A process that has a workspace's vault and shares it until its stdin ends: `python sharing_process.py FOLDER`."""

import asyncio
import sys

from prov_server.vault.access import VaultAccess
from stratumops.settings_groups import VaultSettings
from stratumops.workspace import Workspace


async def main(folder: str) -> None:
    vault = VaultAccess(Workspace.at(folder), VaultSettings(), shares_it=True)
    await vault.client()
    print("open" if vault.own.has_it else "passed on", flush=True)  # noqa: T201 - what the test waits for
    await asyncio.to_thread(sys.stdin.read)
    await vault.aclose()


asyncio.run(main(sys.argv[1]))
