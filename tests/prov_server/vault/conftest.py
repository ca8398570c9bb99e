"""A workspace with a vault of its own."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from prov_server.vault.access import VaultAccess
from stratumops.settings_groups import VaultSettings
from stratumops.workspace import Workspace
from svault.embedded import KeyPlace


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace.at(tmp_path)


@pytest.fixture
async def vault(workspace: Workspace, anyio_backend: str) -> AsyncIterator[VaultAccess]:
    """Made, with its keys in a file, and closed again: the first request opens it."""
    made = VaultAccess(workspace, VaultSettings())
    await made.initialize(KeyPlace.FILE)
    yield made
    await made.aclose()
