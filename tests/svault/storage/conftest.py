"""Storage tests are asynchronous; the contract's assertions are rewritten like those of a test module."""

from pathlib import Path

import pytest

pytest.register_assert_rewrite("tests.svault.storage.storage_contract")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where a store may be made."""
    return tmp_path / "store"
