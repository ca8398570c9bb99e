"""Both sides of a migration with what names what, shared by everything that plans."""

import ipaddress
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from prov_gen.model.infrastructure import InfrastructureConfig
from prov_judge.changes.compare import changes_of
from prov_judge.changes.model import Change
from prov_judge.changes.replacement import rows_of_unique
from prov_judge.changes.things import Thing, order, things
from prov_judge.migration.risk import of_kind


@dataclass(frozen=True)
class Scene:
    """Current and target things by address, and the changes between them."""

    current: InfrastructureConfig
    target: InfrastructureConfig
    before: Mapping[str, Thing] = field(default_factory=dict)
    after: Mapping[str, Thing] = field(default_factory=dict)
    changes: tuple[Change, ...] = ()
    _dependants: dict[str, tuple[str, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, current: InfrastructureConfig, target: InfrastructureConfig) -> "Scene":
        """The scene of two configurations."""
        before, after = things(current), things(target)
        return cls(current, target, before, after, changes_of(before, after))

    @cached_property
    def by_address(self) -> dict[str, Change]:
        """The changes that change something, by the address after them."""
        return {change.address: change for change in self.changes if change.action != "no_op"}

    @cached_property
    def now(self) -> dict[str, str]:
        """The address after the migration of every renamed thing, by the one before."""
        return {change.previous: change.address for change in self.changes if change.previous}

    def old(self, change: Change) -> Thing:
        """The thing before its change."""
        return self.before[change.previous or change.address]

    @cached_property
    def named_before(self) -> dict[str, tuple[str, ...]]:
        """Who names a thing today: its address, and those of the things that name it, each as it will be called."""
        return self._users(self.before)

    @cached_property
    def named_after(self) -> dict[str, tuple[str, ...]]:
        """Who will name a thing."""
        return self._users(self.after)

    def _users(self, every: Mapping[str, Thing]) -> dict[str, tuple[str, ...]]:
        users: dict[str, set[str]] = defaultdict(set)
        renamed = self.now if every is self.before else {}
        for address, thing in every.items():
            for _, target in thing.names:
                users[renamed.get(target, target)].add(renamed.get(address, address))
        return {target: tuple(sorted(found, key=order)) for target, found in users.items()}

    def dependants(self, address: str) -> tuple[str, ...]:
        """Everything that names a thing, or names what names it, today or afterwards."""
        if address not in self._dependants:
            self._dependants[address] = self._find_dependants(address)
        return self._dependants[address]

    def _find_dependants(self, address: str) -> tuple[str, ...]:
        found: set[str] = set()
        waiting = [address, *self._touched(address)]
        while waiting:
            one = waiting.pop()
            if one in found:
                continue
            found.add(one)
            waiting.extend(self.named_before.get(one, ()))
            waiting.extend(self.named_after.get(one, ()))
        return tuple(sorted(found - {address}, key=order))

    def _touched(self, address: str) -> list[str]:
        kinds = of_kind(address.partition(".")[0]).get("touches", ())
        return [other for other in {**self.before, **self.after} if other.partition(".")[0] in kinds] if kinds else []

    def is_moved(self, change: Change) -> bool:
        """Whether a thing goes to another provider."""
        return change.action == "replace" and self.old(change).provider != self.after[change.address].provider

    @cached_property
    def old_first(self) -> dict[str, str]:
        """The replaced things whose old one must go before the new one comes, each with the reason."""
        replaced = [change for change in self.by_address.values() if change.action == "replace" and not self.is_moved(change)]
        found = {change.address: why for change in replaced if (why := self._in_the_way(change))}
        names = {change.address for change in replaced}
        waiting = sorted(found, key=order, reverse=True)
        while waiting:
            address = waiting.pop()
            for user in self.named_before.get(address, ()):
                if user in names and user not in found:
                    found[user] = f"it stands on {address}, whose old one must go first"
                    waiting.append(user)
        return found

    def _in_the_way(self, change: Change) -> str:
        old, new = self.old(change), self.after[change.address]
        # A value that was nobody's choice and is stated now may be the one that it had.
        touched = {one.path for one in change.fields if one.impact != "none" or None not in (one.before, one.after)}
        for row in rows_of_unique(new.kind, new.provider):
            if touched & set(row.get("within", ("region",))):
                continue
            if row.get("by") == "cidr":
                if _overlap(old.values["cidr"], new.values["cidr"]):
                    return str(row["why"])
            elif change.previous is None or old.values.get("name") == new.values.get("name"):
                return str(row["why"])
        return ""


def _overlap(one: str, other: str) -> bool:
    try:
        left, right = ipaddress.ip_network(one, strict=False), ipaddress.ip_network(other, strict=False)
    except ValueError:
        return one == other
    return left.version == right.version and left.overlaps(right)
