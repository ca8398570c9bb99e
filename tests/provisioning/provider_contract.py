"""What every provider must do, whatever is behind it. A test module of a provider says:

    class TestAws(ProviderContract):
        examples = (Example("server.web", configuration), ...)

        @pytest.fixture
        def provider(self) -> Provider: ...

        @pytest.fixture
        def objects(self) -> Callable[[str], Counter[str]]: ...

`objects(lineage)` counts, with a client of the test's own, what there is at the provider by kind of object (of that lineage, or
all where nobody else makes any). The examples' configurations are real ones: their things are made with all that they name.

What is compared for drift is `Found.values` against the leaves of the wanted values: a leaf that is known not to be there is
None, a leaf that the provider cannot tell is left out.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import ClassVar

import pytest
from tests.provisioning.worlds import Cut, Example, Journal, World, drift, places, recorded

from provisioning.errors import ProviderError
from provisioning.providers.base import Provider
from provisioning.resource import TAG_ADDRESS, TAG_LINEAGE

Objects = Callable[[str], Counter[str]]


class ProviderContract:
    """One provider: `examples`, and the fixtures `provider` and `objects`."""

    examples: ClassVar[tuple[Example, ...]] = ()
    cuts: ClassVar[tuple[str, ...]] = ("intent", "call")
    """Where a creation is cut off: a provider whose objects take seconds may leave one out."""
    together: ClassVar[bool] = False
    """Whether an example's tests come one after the other: where they share what is dear to make."""

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        if "example" in metafunc.fixturenames:
            which = self.examples
            if "changes" in metafunc.function.__name__:
                which = tuple(one for one in which if one.changed)
            metafunc.parametrize("example", which, ids=str, scope="class" if self.together else None)

    @pytest.fixture
    def world(self, provider: Provider, example: Example) -> Iterator[World]:
        """The example's ground, made; everything is deleted at the end."""
        made = World(provider, example)
        made.make_ground()
        yield made
        made.clear()

    def test_what_was_made_is_read_without_drift(self, provider: Provider, world: World):
        values = world.things[world.address].values
        made = world.make()
        assert drift(made, values) == {}
        read = provider.read(world.main)
        assert read is not None
        assert drift(read, values) == {}
        assert (read.kind, read.id, read.address) == (world.main.kind, made.id, world.address)
        assert dict(read.parts) == dict(made.parts)
        assert read.status in {"running", "available"}
        assert read.values

    def test_what_was_made_carries_all_its_tags(self, provider: Provider, world: World):
        world.make()
        read = provider.read(world.main)
        assert read is not None
        assert dict(read.tags).items() >= {TAG_ADDRESS: world.address, TAG_LINEAGE: world.lineage}.items()
        if "tags" in world.main.values:
            assert dict(read.tags).items() >= world.main.tags.items()

    def test_making_twice_makes_one(self, world: World, objects: Objects):
        first = world.make()
        before = objects(world.lineage)
        second = world.make()
        assert second.id == first.id
        assert objects(world.lineage) == before

    def test_a_creation_cut_off_at_any_call_is_completed(self, world: World, objects: Objects):
        empty = objects(world.lineage)
        journal = Journal()
        world.make(journal)
        expected = objects(world.lineage)
        world.undo()
        assert journal.calls
        for after in self.cuts:
            for number in places(len(journal.calls)):
                assert objects(world.lineage) == empty
                where = Journal(number, after)
                with pytest.raises(Cut):
                    world.make(where)
                made = world.make()
                assert drift(made, world.main.values) == {}, where
                assert objects(world.lineage) == expected, where
                world.undo()

    def test_what_was_begun_and_never_completed_is_found_by_its_tag_and_deleted(
        self, provider: Provider, world: World, objects: Objects
    ):
        empty = objects(world.lineage)
        journal = Journal()
        world.make(journal)
        world.undo()
        for number in places(len(journal.calls)):
            with pytest.raises(Cut):
                world.make(Journal(number))
            wanted = world.wanted(world.address)
            tags = {TAG_ADDRESS: world.address, TAG_LINEAGE: world.lineage}
            for found in provider.find_by_tag(tags, wanted.region, frozenset({wanted.kind})):
                provider.delete(recorded(wanted, found, world.things[world.address]), Journal())
            assert objects(world.lineage) == empty, journal.calls[number - 1]

    def test_changes_are_made_in_place(self, provider: Provider, world: World, objects: Objects):
        made = world.make()
        found, changed = world.change()
        assert found.id == made.id
        assert drift(found, changed.values) == {}
        world.keep(world.address, found, world.changed)
        read = provider.read(world.main)
        assert read is not None
        assert drift(read, changed.values) == {}
        assert drift(read, world.things[world.address].values), "the provider tells nothing of what was changed"
        before = objects(world.lineage)
        again, _ = world.change()
        assert drift(again, changed.values) == {}
        assert objects(world.lineage) == before

    def test_changes_cut_off_at_any_call_are_completed(self, world: World):
        journal = Journal()
        world.make()
        world.keep(world.address, world.change(journal)[0])
        world.undo()
        assert journal.calls
        for after in self.cuts:
            for number in places(len(journal.calls)):
                world.make()
                with pytest.raises(Cut):
                    world.change(Journal(number, after))
                found, changed = world.change()
                assert drift(found, changed.values) == {}, (number, after)
                world.keep(world.address, found)
                world.undo()

    def test_changes_behind_our_back_are_seen_and_brought_back(self, provider: Provider, world: World):
        world.make()
        world.change()
        read = provider.read(world.main)
        assert read is not None
        differing = drift(read, world.main.values)
        assert differing
        back = provider.update(world.main, world.wanted(world.address), frozenset(differing), Journal())
        assert drift(back, world.main.values) == {}

    def test_what_is_deleted_is_gone_and_can_be_deleted_again(self, provider: Provider, world: World, objects: Objects):
        empty = objects(world.lineage)
        world.make()
        assert objects(world.lineage) != empty
        one = world.main
        provider.delete(one, Journal())
        assert provider.read(one) is None
        assert provider.read_all([one]) == {world.address: None}
        assert objects(world.lineage) == empty
        provider.delete(one, Journal())
        tags = {TAG_ADDRESS: world.address, TAG_LINEAGE: world.lineage}
        assert [found.id for found in provider.find_by_tag(tags, one.region)] == []

    def test_a_deletion_cut_off_at_any_call_is_completed(self, provider: Provider, world: World, objects: Objects):
        empty = objects(world.lineage)
        journal = Journal()
        world.make()
        provider.delete(world.main, journal)
        assert journal.calls
        for number in places(len(journal.calls)):
            world.undo()
            world.make()
            with pytest.raises(Cut):
                provider.delete(world.main, Journal(number))
            provider.delete(world.main, Journal())
            assert objects(world.lineage) == empty, journal.calls[number - 1]

    def test_it_is_found_by_its_address_and_lineage_and_by_no_other(self, provider: Provider, world: World):
        made = world.make()
        region = world.main.region
        own = {TAG_ADDRESS: world.address, TAG_LINEAGE: world.lineage}
        assert [(one.kind, one.id, one.address) for one in provider.find_by_tag(own, region)] == [
            (world.main.kind, made.id, world.address)
        ]
        (alone,) = provider.find_by_tag(own, region, frozenset({world.main.kind}))
        assert dict(alone.parts) == dict(made.parts)
        of_lineage = provider.find_by_tag({TAG_LINEAGE: world.lineage}, region)
        assert {one.address for one in of_lineage} == set(world.made)
        assert list(provider.find_by_tag({**own, TAG_LINEAGE: "another"}, region)) == []
        assert list(provider.find_by_tag(own, region, frozenset())) == []

    def test_everything_is_read_at_once(self, provider: Provider, world: World):
        world.make()
        found = provider.read_all(list(world.made.values()))
        assert set(found) == set(world.made)
        for address, one in found.items():
            assert one is not None, address
            assert one.id == world.made[address].id
            assert drift(one, world.things[address].values) == {}, address

    def test_what_never_was_is_read_as_gone(self, provider: Provider, world: World):
        world.make()
        unknown = replace(world.main, address=f"{world.address}-0", id=self.unknown_id(world.main.id), parts={})
        assert provider.read(unknown) is None
        assert provider.read_all([unknown, world.main])[unknown.address] is None

    @staticmethod
    def unknown_id(known: str) -> str:
        """An id of the same form that nobody has: its last four letters or digits are others."""
        return known[:-4] + ("0bad" if known[-4:] != "0bad" else "1bad")

    def test_a_kind_that_it_does_not_make_is_refused_for_good(self, provider: Provider, world: World):
        strange = replace(world.wanted(world.address), kind="waiver")
        with pytest.raises(ProviderError) as caught:
            provider.create(strange, Journal())
        assert caught.value.is_permanent

    def test_what_it_says_of_itself_is_complete(self, provider: Provider):
        assert provider.name
        assert provider.version
        assert {example.address.partition(".")[0] for example in self.examples} == set(provider.kinds)
        checks = provider.test()
        assert checks
        assert all(check.said for check in checks)
        assert all(check.hint for check in checks if check.verdict == "failed")
