"""A fake UpCloud for each test, and a provider that speaks to it."""

from collections.abc import Callable, Iterator

import pytest
from tests.provisioning.upcloud.fake import PASSWORD, USERNAME, FakeUpCloud
from tests.provisioning.worlds import Example, Journal, Values, World, drift

from prov_gen.model.infrastructure import InfrastructureConfig
from prov_judge.changes.things import things
from provisioning.providers.base import Account
from provisioning.providers.upcloud.cloud import Pace
from provisioning.providers.upcloud.provider import UpCloud
from provisioning.resource import Found

Build = Callable[[Values], World]
Change = Callable[[World, str, Values], tuple[Found, Journal]]


@pytest.fixture
def fake() -> Iterator[FakeUpCloud]:
    with FakeUpCloud() as running:
        yield running


@pytest.fixture
def account(fake: FakeUpCloud) -> Account:
    return Account("test", "upcloud", "de-fra1", fake.endpoint, {}, {"username": USERNAME, "password": PASSWORD})


@pytest.fixture
def provider(account: Account) -> Iterator[UpCloud]:
    made = UpCloud(account, pace=Pace(0.001, 20))
    yield made
    made.close()


@pytest.fixture
def build(provider: UpCloud) -> Build:
    """Makes everything of a configuration that the provider makes; the World has it by address."""

    def make(values: Values) -> World:
        world = World(provider, Example("", lambda _: values))
        for address, thing in world.things.items():
            if thing.kind in provider.kinds:
                world.keep(address, provider.create(world.wanted(address), Journal()))
        return world

    return make


@pytest.fixture
def change(provider: UpCloud) -> Change:
    """Brings one thing of a World to what another configuration says of it; answers what came of it and its journal."""

    def make(world: World, address: str, values: Values) -> tuple[Found, Journal]:
        changed = things(InfrastructureConfig.model_validate(values))
        before, after = world.things[address].leaves, changed[address].leaves
        paths = frozenset(path for path in {*before, *after} if before.get(path) != after.get(path))
        journal = Journal()
        found = provider.update(world.made[address], world.wanted(address, changed), paths, journal)
        assert drift(found, changed[address].values) == {}
        return found, journal

    return make
