"""The daemon that the tests of the provider `local` share."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.provisioning.local.fake_lxd import FakeLxd, fake_lxd
from tests.provisioning.worlds import Example, Journal, Values, World

from lxd import Lxd, debian_image, lxd_daemon
from provisioning.providers.base import Account
from provisioning.providers.local.image import load
from provisioning.providers.local.provider import LocalProvider

DEBIAN = "prov/debian/12"


@pytest.fixture(scope="session")
def lxd() -> Iterator[Lxd]:
    """A throw-away daemon."""
    with lxd_daemon() as daemon:
        yield daemon


@pytest.fixture
def provider(lxd: Lxd) -> LocalProvider:
    """The provider at that daemon, without an image server."""
    return local(lxd.folder, nat="false")


@pytest.fixture(scope="session")
def debian(lxd: Lxd) -> str:
    """A real Debian in the daemon; its alias."""
    packed = debian_image()
    load(local(lxd.folder).daemon, packed, DEBIAN)
    return DEBIAN


@pytest.fixture
def fake(tmp_path: Path) -> Iterator[FakeLxd]:
    """A fake daemon in the test's folder."""
    with fake_lxd(tmp_path) as fake:
        yield fake


@pytest.fixture
def at_fake(fake: FakeLxd, tmp_path: Path) -> LocalProvider:
    """The provider at the fake daemon."""
    return local(tmp_path)


def local(folder: Path, **options: str) -> LocalProvider:
    """The provider at a daemon, without an image server."""
    return LocalProvider(Account("here", "local", endpoint=str(folder), options={"image_server": "", **options}))


def made(
    provider: LocalProvider, configuration: Callable[[str], Values], *addresses: str, journal: Journal | None = None
) -> World:
    """Make some things of a configuration, in this order; the first one is the world's main one."""
    world = World(provider, Example(addresses[0], configuration))
    for address in addresses:
        world.keep(address, provider.create(world.wanted(address), journal or Journal()))
    return world
