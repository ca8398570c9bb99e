"""The memory backend keeps the contract."""

from collections.abc import AsyncIterator

import pytest

from svault.errors import StorageError
from svault.storage.base import Storage, Write
from svault.storage.choice import make_storage

from .storage_contract import StorageContract

pytestmark = pytest.mark.anyio


@pytest.fixture
async def storage(anyio_backend: str) -> AsyncIterator[Storage]:
    made = make_storage("memory", {})
    await made.open()
    yield made
    await made.aclose()


class TestMemory(StorageContract):
    pass


async def test_a_closed_memory_storage_refuses_to_work_and_has_forgotten_everything(storage: Storage):
    await storage.commit([Write("a", b"one")])
    await storage.aclose()
    with pytest.raises(StorageError):
        await storage.get("a")
    with pytest.raises(StorageError):
        await storage.commit([])
    await storage.open()
    assert await storage.list("") == []
