"""What the builders share: where things are built, the records made so far, and the names that are taken."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from prov_gen.understand.draft import Draft
from prov_gen.understand.naming import Names, slug
from prov_gen.understand.phrases import Phrase
from prov_gen.understand.records import Made
from stratumops.errors import InvalidInputError

MOST_OF_A_KIND = 1000


@dataclass(slots=True)
class Site:
    """Provider, region, its zones that are used, and everything that is built there."""

    draft: Draft
    provider: str
    region: str
    made: list[Made]
    phrases: Sequence[Phrase]
    zone_count: int | None = None
    names: dict[str, Names] = field(default_factory=dict)
    groups: dict[str, dict[str, Any]] = field(default_factory=dict)

    def of(self, *kinds: str) -> list[Made]:
        """The records of some kinds, in the order of the text."""
        return [made for made in self.made if made.head.kind in kinds]

    def zones(self, count: int) -> list[str]:
        """Names of the first zones of the region, as many as there are up to `count`."""
        from prov_corpus.catalogue import regions  # noqa: PLC0415 - the catalogue is read on the first description, not on import

        known = regions(self.provider)[self.region].zones
        return [zone for zone in known if zone != self.region][:count]

    def add(self, field_name: str, made: Made, base: str) -> list[dict[str, Any]]:
        """Add a head's records to a list of the configuration, named and counted; returns them."""
        records: list[dict[str, Any]] = self.draft.config.setdefault(field_name, [])
        if made.head.count is None and len(made.names) > 1:
            made.head.count = len(made.names)
        count = max(1, made.head.count or 1)
        if len(records) + count > MOST_OF_A_KIND:
            raise InvalidInputError(
                f"{len(records) + count:,} {field_name} are too many", hint=f"describe at most {MOST_OF_A_KIND:,} of a kind"
            )
        first = len(records)
        self._settle_region(made)
        made.placed = self.names_for(field_name, made, base, count)
        added = [{"name": name, **made.values} for name in made.placed]
        records.extend(added)
        made.tell(self.draft, f"{field_name}[{first}]" if count == 1 else f"{field_name}[{first}..{first + count - 1}]")
        return added

    def _settle_region(self, made: Made) -> None:
        """What is at another provider needs a region of that one."""
        from prov_corpus.catalogue import default_region, regions  # noqa: PLC0415 - the catalogue is read on the first description, not on import

        provider = made.values.get("provider")
        if provider and made.values.get("region") not in regions(str(provider)):
            made.values["region"] = default_region(str(provider)).id
            made.values.pop("zone", None)
            why = f"no region of {provider} was named; this is its default"
            made.assume("region", made.values["region"], why)

    def names_for(self, field_name: str, made: Made, base: str, count: int) -> list[str]:
        # Servers and clusters share one space of names: balancers and taskservs name either.
        taken = self.names.setdefault("machines" if field_name in {"servers", "clusters"} else field_name, Names())
        stated = [(name, slug(name)) for name in made.names]
        for name, label in stated:
            if label != name and label:
                made.assume("name", label, f"{name[:80]!r} is no DNS label; this is the nearest one")
        labels = [label for _, label in stated if label]
        if len(labels) == count:
            return [taken.take_exactly(label) for label in labels]
        if labels:
            return taken.take(labels[0], count)
        return taken.take(base, count, several=self._alike(made) > 1)

    def _alike(self, made: Made) -> int:
        """How many things without a name of their own share a kind and a role."""
        return sum(
            max(1, other.head.count or 1)
            for other in self.of(made.head.kind)
            if not other.names and all(other.values.get(key) == made.values.get(key) for key in ("role", "kind"))
        )

    def group(self, name: str, description: str) -> dict[str, Any]:
        """The security group of that name, made when it is first asked for."""
        if name not in self.groups:
            self.groups[name] = {"name": name, "description": description, "rules": []}
        return self.groups[name]

    def group_path(self, name: str) -> str:
        """Where a security group stands in the configuration."""
        return f"security_groups[{list(self.groups).index(name)}]"

    def allow(
        self, group: str, ports: tuple[int, int], why: str, *, cidrs: Iterable[str] = (), groups: Iterable[str] = ()
    ) -> None:
        """Let connections in; the same rule is not added twice."""
        rule: dict[str, Any] = {"from_port": ports[0], "description": why[:256]}
        if ports[1] != ports[0]:
            rule["to_port"] = ports[1]
        if found := list(cidrs):
            rule["cidrs"] = found
        if names := list(groups):
            rule["groups"] = names
        rules = self.groups[group]["rules"]
        if not any({**old, "description": ""} == {**rule, "description": ""} for old in rules):
            rules.append(rule)

    def inside(self) -> str:
        """The addresses that count as inside: the configuration's own network."""
        network = self.draft.config.get("networking") or {}
        return str(network.get("vpc_cidr", "10.0.0.0/16"))
