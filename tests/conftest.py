"""What every test shares."""

import logging

import pytest
import structlog
from hypothesis import settings

# No example is judged by its time: the first one to read a price table takes longer than all others.
settings.register_profile("house", deadline=None)
settings.load_profile("house")


@pytest.fixture
def anyio_backend() -> str:
    """The server runs on asyncio, and so do its tests."""
    return "asyncio"


@pytest.fixture(autouse=True)
def _logging_as_it_was():
    """What a test sets up for its logs is gone after it: no test depends on the one before."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)
