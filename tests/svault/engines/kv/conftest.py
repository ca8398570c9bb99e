"""A kv mount of each version."""

import pytest

from mounted import Mounted, mounted
from svault.engines.kv import kv_engine


@pytest.fixture
async def kv() -> Mounted:
    """A mount of version 2."""
    return await mounted(kv_engine, version="2")


@pytest.fixture
async def kv1() -> Mounted:
    """A mount of version 1, as no option means."""
    return await mounted(kv_engine)
