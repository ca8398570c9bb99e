"""The identity engine on a mount of its own, with two auth mounts."""

import pytest

from mounted import Mounted, mounted
from svault.identity import IdentityEngine
from svault.identity.base import MountInfo

USERPASS, OTHER = "auth_userpass_1a2b3c4d", "auth_userpass_5e6f7a8b"
MOUNTS = {USERPASS: MountInfo("auth/identity-one/", "userpass"), OTHER: MountInfo("auth/identity-two/", "userpass")}


def identity_engine(mount: object) -> IdentityEngine:
    """As the core makes it: it knows the mounts."""
    engine = IdentityEngine(mount)  # type: ignore[arg-type] # the factory's mount
    engine.mount_of = MOUNTS.get
    return engine


@pytest.fixture
async def identity() -> Mounted:
    """The engine, started."""
    return await mounted(identity_engine)


@pytest.fixture
def engine(identity: Mounted) -> IdentityEngine:
    """The engine itself, as the core asks it."""
    assert isinstance(identity.engine, IdentityEngine)
    return identity.engine
