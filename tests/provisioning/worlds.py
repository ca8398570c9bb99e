"""Examples of what a provider makes, and worlds in which one of them stands with all that it names."""

import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from prov_gen.model.infrastructure import InfrastructureConfig
from prov_judge.changes.leaves import leaves
from prov_judge.changes.things import Thing, things
from provisioning.providers.base import Provider
from provisioning.resource import TAG_ADDRESS, TAG_LINEAGE, Found, Recorded, Ref, Wanted

T = TypeVar("T")
Values = dict[str, Any]


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
    """An example's things under a lineage of their own, or on the ground that another world of the example made."""

    def __init__(self, provider: Provider, example: Example, ground: "World | None" = None) -> None:
        self.provider = provider
        self.example = example
        self.word = secrets.token_hex(4)
        self._steps = f"token-{self.word}"
        self.things = self._things(example.configuration)
        self._ground = dict(ground.made) if ground else {}
        if ground and any(self.things.get(one) != ground.things[one] for one in self._ground):
            # The ground's own names hold its word.
            self.word, self.things = ground.word, ground.things
        self.lineage = ground.lineage if ground else f"lineage-{self.word}"
        self.address = example.address.format(word=self.word)
        self.made: dict[str, Recorded] = dict(self._ground)
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
            f"{self._steps}-{self._making}-{address}", self.example.secrets,
        )  # fmt: skip

    def make_ground(self) -> None:
        """Make what the example's thing stands on."""
        needed = self._needed(self.address) - {self.address}
        for address in self.things:
            if address in needed and address not in self._ground:
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
        """Delete everything but the ground of another world, what was made last first."""
        for address, one in reversed(list(self.made.items())):
            if address not in self._ground:
                self.provider.delete(one, Journal())
        self.made = dict(self._ground)
