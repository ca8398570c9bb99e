"""The contract of all providers, on a real LXD with containers that start in a moment, and on a fake where none can start."""

from collections import Counter
from collections.abc import Callable
from typing import Any, ClassVar

import pytest
from tests.provisioning.local import configurations
from tests.provisioning.local.fake_lxd import FakeLxd
from tests.provisioning.provider_contract import ProviderContract
from tests.provisioning.worlds import Example

from lxd import Lxd
from provisioning.providers.local.provider import LocalProvider

VPC = Example("vpc.main", configurations.network, configurations.changed_vpc)
SUBNET = Example("subnet.front", configurations.network, configurations.changed_subnet)
SERVER = Example("server.web", configurations.alone, configurations.changed_alone)
VOLUME = Example("volume.data", configurations.volume, configurations.changed_volume)


def count(lineage: str, found: dict[str, list[dict[str, Any]]]) -> Counter[str]:
    """What there is of a lineage, by kind of object."""
    counted: Counter[str] = Counter()
    for kind, ones in found.items():
        for one in ones:
            is_own = one["config"].get("user.prov.lineage") == lineage
            counted[kind] += is_own
            counted["device"] += len(one.get("devices", ())) if is_own else 0
            counted["subnet"] += sum(lineage in value for key, value in one["config"].items() if ".subnet." in key)
    return +counted


@pytest.mark.lxd
@pytest.mark.timeout(240)
class TestLxd(ProviderContract):
    """A real daemon."""

    examples: ClassVar[tuple[Example, ...]] = (VPC, SUBNET, SERVER, VOLUME)
    cuts: ClassVar[tuple[str, ...]] = ("call",)

    @pytest.fixture
    def objects(self, lxd: Lxd) -> Callable[[str], Counter[str]]:
        """By a plain client, without our reader."""
        api = lxd.client().api
        nodes = {"instance": api.instances, "network": api.networks, "volume": api.storage_pools["default"].volumes.custom}

        def objects(lineage: str) -> Counter[str]:
            found = {kind: node.get(params={"recursion": 1}).json()["metadata"] for kind, node in nodes.items()}
            return count(lineage, {kind: [one for one in ones if "config" in one] for kind, ones in found.items()})

        return objects

    def test_nothing_is_missing_for_it(self, provider: LocalProvider):
        assert {check.verdict for check in provider.test()} <= {"ok", "warning"}
        assert "alpine/3.22" in provider.catalogue().images


class TestFake(ProviderContract):
    """A fake daemon, where more is tried."""

    examples: ClassVar[tuple[Example, ...]] = (
        VPC, SUBNET, SERVER, VOLUME,
        Example("server.web", configurations.in_subnet, lambda word: configurations.in_subnet(word, memory=0.5)),
        Example("volume.data", configurations.attached, lambda word: configurations.attached(word, to=None)),
    )  # fmt: skip

    @pytest.fixture
    def provider(self, at_fake: LocalProvider) -> LocalProvider:
        """The provider at it."""
        return at_fake

    @pytest.fixture
    def objects(self, fake: FakeLxd) -> Callable[[str], Counter[str]]:
        """What is in its memory."""
        kept = {"instance": fake.instances, "network": fake.networks, "volume": fake.volumes}
        return lambda lineage: count(lineage, {kind: list(ones.values()) for kind, ones in kept.items()})
