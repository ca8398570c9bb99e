"""Policies over entries in a dictionary."""

import pytest

from mounted import Entries, MovedClock
from svault.barrier.view import View
from svault.policy.cedar import CedarPolicies
from svault.policy.store import PolicyStore


@pytest.fixture
def clock() -> MovedClock:
    """A clock that a test moves."""
    return MovedClock()


@pytest.fixture
def entries() -> Entries:
    """What is stored."""
    return Entries()


@pytest.fixture
async def policies(entries: Entries, clock: MovedClock) -> PolicyStore:
    """The ACL policies of a vault that was just unsealed for the first time."""
    store = PolicyStore(View(entries, "sys/policy/"), clock)
    await store.start()
    return store


@pytest.fixture
def cedar(entries: Entries) -> CedarPolicies:
    """The Cedar policies of a vault that has none yet."""
    return CedarPolicies(View(entries, "sys/cedar/"))
