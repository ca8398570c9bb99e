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


@pytest.fixture(autouse=True, scope="session")
def _person_of_nobody(tmp_path_factory: pytest.TempPathFactory):
    """What the product keeps of a person (approver keys, folders of theirs, an index) is kept with the tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.mktemp("config")))
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield
