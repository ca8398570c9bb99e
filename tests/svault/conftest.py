"""Vaults to test with: in process, behind real HTTP, and a real OpenBao beside them."""

from collections.abc import AsyncIterator, Iterator

import pytest

from vaults import BaoServer, TestVault, VaultServer, running_openbao, running_server


@pytest.fixture
async def vault(anyio_backend: str) -> AsyncIterator[TestVault]:
    async with TestVault() as made:
        yield made


@pytest.fixture
def server() -> Iterator[VaultServer]:
    with running_server() as made:
        yield made


@pytest.fixture(scope="session")
def openbao() -> Iterator[BaoServer]:
    with running_openbao() as made:
        yield made
