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

import os
import secrets
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, TypeVar

import pytest

from prov_gen.model.infrastructure import InfrastructureConfig
from prov_judge.changes.leaves import leaves
from prov_judge.changes.things import Thing, things
from provisioning.errors import ProviderError
from provisioning.providers.base import Provider
from provisioning.resource import TAG_ADDRESS, TAG_LINEAGE, Found, Recorded, Ref, Wanted

T = TypeVar("T")
Values = dict[str, Any]
Objects = Callable[[str], Counter[str]]


MOST_CUTS = 3


def places(count: int) -> list[int]:
    """At which of so many calls a test cuts off: at all of them when there is time (`make soak`), else at three."""
    if os.environ.get("PROV_TESTS_SOAK") or count <= MOST_CUTS:
        return list(range(1, count + 1))
    return sorted({1, (count + 1) // 2, count})


class Cut(BaseException):
    """The process ends here. No Exception, so that no provider goes on after it."""


@dataclass
class Journal:
    """Calls that end the process at the n-th: after its intent (`"intent"`), or after the call, its result lost (`"call"`)."""

    cut_at: int = 0
    after: str = "call"
    calls: list[str] = field(default_factory=list)
    reports: list[str] = field(default_factory=list)

    def run(self, call: str, function: Callable[[], T], *, part: str = "", note: Mapping[str, Any] | None = None) -> T:
        self.calls.append(call)
        if self.after == "intent" and len(self.calls) == self.cut_at:
            raise Cut
        result = function()
        if self.after == "call" and len(self.calls) == self.cut_at:
            raise Cut
        return result

    def report(self, words: str) -> None:
        self.reports.append(words)

    def is_cancelled(self) -> bool:
        return False


@dataclass(frozen=True, slots=True)
class Example:
    """A thing to make. `word` goes where names must differ between two makings of it: `address` holds it as `{word}`.

    `changed` is the configuration after an update in place; `secrets` are values by handle.
    """

    address: str
    configuration: Callable[[str], Values]
    changed: Callable[[str], Values] | None = None
    secrets: Mapping[str, str] = field(default_factory=dict)
    besides: tuple[str, ...] = ()
    """Addresses of what it stands on without naming it."""

    def __str__(self) -> str:
        return self.address.replace("-{word}", "").replace("{word}", "")


def drift(found: Found, values: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Where what was found differs from what was wanted: (wanted, found) by path."""
    wanted = {path: leaf.value for path, leaf in leaves(values).items()}
    return {path: (wanted.get(path), value) for path, value in found.values.items() if wanted.get(path) != value}


def recorded(wanted: Wanted, found: Found, thing: Thing) -> Recorded:
    """What the state keeps of a thing that was made."""
    return Recorded(
        wanted.address, wanted.kind, wanted.provider, wanted.region, found.id, wanted.values, {}, "", (), thing.names,
        found.outputs, found.parts, wanted.tags, found.status,
    )  # fmt: skip


class World:
    """An example's things under a lineage of their own."""

    def __init__(self, provider: Provider, example: Example) -> None:
        self.provider = provider
        self.example = example
        self.word = secrets.token_hex(4)
        self.lineage = f"lineage-{self.word}"
        self.address = example.address.format(word=self.word)
        self.things = self._things(example.configuration)
        self.made: dict[str, Recorded] = {}
        self._making = 0

    def _things(self, configuration: Callable[[str], Values]) -> dict[str, Thing]:
        return things(InfrastructureConfig.model_validate(configuration(self.word)))

    @property
    def changed(self) -> dict[str, Thing]:
        assert self.example.changed is not None
        return self._things(self.example.changed)

    def wanted(self, address: str, among: Mapping[str, Thing] | None = None) -> Wanted:
        """A thing as the engine hands it over, with what is made already."""
        thing = (among or self.things)[address]
        refs: dict[str, tuple[Ref, ...]] = {}
        for name, target in thing.names:
            if target in self.made:
                refs[name] = (*refs.get(name, ()), self.made[target].ref)
        tags = {
            **thing.values.get("tags", {}),
            TAG_ADDRESS: address,
            TAG_LINEAGE: self.lineage,
        }
        return Wanted(
            address, thing.kind, thing.name, thing.provider, thing.values.get("region", ""), thing.values, tags, refs,
            f"token-{self.word}-{self._making}-{address}", self.example.secrets,
        )  # fmt: skip

    def make_ground(self) -> None:
        """Make what the example's thing stands on."""
        needed = self._needed(self.address) - {self.address}
        for address in self.things:
            if address in needed:
                self.keep(address, self.provider.create(self.wanted(address), Journal()))

    def _needed(self, address: str) -> set[str]:
        direct = {target for _, target in self.things[address].names if target != address}
        if address == self.address:
            direct |= set(self.example.besides)
        return direct.union(*(self._needed(target) for target in direct))

    def make(self, journal: Journal | None = None) -> Found:
        """Make the example's thing."""
        found = self.provider.create(self.wanted(self.address), journal or Journal())
        self.keep(self.address, found)
        return found

    def keep(self, address: str, found: Found, among: Mapping[str, Thing] | None = None) -> None:
        """Record what was made."""
        self.made[address] = recorded(self.wanted(address, among), found, (among or self.things)[address])

    @property
    def main(self) -> Recorded:
        """The example's thing as the state has it."""
        return self.made[self.address]

    def change(self, journal: Journal | None = None) -> tuple[Found, Thing]:
        """Bring the example's thing to its changed values."""
        changed = self.changed
        before, after = self.things[self.address].leaves, changed[self.address].leaves
        paths = frozenset(path for path in {*before, *after} if before.get(path) != after.get(path))
        assert paths, "the example changes nothing"
        found = self.provider.update(self.main, self.wanted(self.address, changed), paths, journal or Journal())
        return found, changed[self.address]

    def undo(self) -> None:
        """Delete the example's thing and keep its ground, to make it anew as another step."""
        self.provider.delete(self.made.pop(self.address), Journal())
        self._making += 1

    def clear(self) -> None:
        """Delete everything, what was made last first."""
        for one in reversed(list(self.made.values())):
            self.provider.delete(one, Journal())
        self.made = {}


class ProviderContract:
    """One provider: `examples`, and the fixtures `provider` and `objects`."""

    examples: ClassVar[tuple[Example, ...]] = ()
    cuts: ClassVar[tuple[str, ...]] = ("intent", "call")
    """Where a creation is cut off: a provider whose objects take seconds may leave one out."""

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        if "example" in metafunc.fixturenames:
            which = self.examples
            if "changes" in metafunc.function.__name__:
                which = tuple(one for one in which if one.changed)
            metafunc.parametrize("example", which, ids=str)

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
