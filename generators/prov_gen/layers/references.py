"""Layer 4: names are unique, what is referred to exists, and nothing waits for itself."""

from collections import Counter
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from itertools import islice

from prov_gen.effective import provider_of, region_of
from prov_gen.findings import Finding, Path, finding
from prov_gen.layers.suggest import Suggestions
from prov_gen.model.infrastructure import InfrastructureConfig
from prov_gen.model.kinds import BY_NAME, resources
from prov_gen.model.references import REFERENCES, Reference, known_names, references

MAX_NAMED = 10
"""Names that a message about a circle tells."""


def check_references(config: InfrastructureConfig, suggestions: Suggestions | None = None) -> Iterator[Finding]:
    """Findings about names."""
    yield from _duplicates(config)
    names = known_names(config)
    known = {
        targets: {name: None for kind in targets for name in names.get(kind, ())}
        for targets in {reference.targets for reference in REFERENCES}
    }
    suggestions = suggestions or Suggestions()
    for named in references(config):
        if named.name not in known[named.reference.targets]:
            yield _missing(named.reference, named.where, named.name, known[named.reference.targets], suggestions)
    yield from _volumes(config)
    yield from _cycles(config)


def _missing(reference: Reference, where: Path, name: str, known: Mapping[str, None], suggestions: Suggestions) -> Finding:
    near = suggestions.close(reference.what, name, known)
    if near:
        fix = f"did you mean {near}?"
    elif known:
        fix = f"there are: {', '.join(islice(known, 10))}"
    else:
        kind = BY_NAME.get(reference.targets[0])
        fix = f"add it to {kind.field}" if kind else "add it to networking"
    return finding("reference_missing", where, f"there is no {reference.what} named {name}", fix)


def _duplicates(config: InfrastructureConfig) -> Iterator[Finding]:
    # Servers and clusters share one space of names: load balancers and taskservs name either.
    seen: dict[str, dict[str, Path]] = {}
    for item in resources(config):
        name = getattr(item.record, "name", None) or getattr(item.record, "domain", None)
        if not item.kind.is_list or name is None or item.kind.name == "taskserv":
            continue
        space = "machine" if item.kind.name in {"server", "kubernetes"} else item.kind.name
        first = seen.setdefault(space, {}).setdefault(name, item.path)
        if first != item.path:
            message = f"the name {name} is used twice (first by {first[0]}[{first[1]}])"
            yield finding("name_duplicate", (*item.path, "name"), message, f"choose another, such as {name}-2")
    if config.networking:
        counted = Counter(known_names(config).get("subnet", ()))
        for name, count in counted.items():
            if count > 1:
                message = f"{count} subnets are named {name}"
                yield finding("name_duplicate", ("networking", "subnets"), message, f"choose others, such as {name}-2")


def _volumes(config: InfrastructureConfig) -> Iterator[Finding]:
    servers = {server.name: server for server in config.servers}
    for index, volume in enumerate(config.volumes):
        server = servers.get(volume.attached_to or "")
        if server is None:
            continue
        mine = (provider_of(volume, config), region_of(volume, config))
        its = (provider_of(server, config), region_of(server, config))
        if mine != its:
            message = f"the volume is at {'/'.join(mine)} and its server at {'/'.join(its)}"
            yield finding("volume_elsewhere", ("volumes", index, "attached_to"), message, "put both into one region")
        elif volume.zone and server.zone and volume.zone != server.zone:
            message = f"the volume is in {volume.zone} and its server in {server.zone}"
            yield finding("volume_elsewhere", ("volumes", index, "zone"), message, f"set zone = {server.zone!r}")


def _cycles(config: InfrastructureConfig) -> Iterator[Finding]:
    """Circles in which each thing needs another first: access logs of buckets, aliases of DNS names."""
    logs = {bucket.name: {bucket.log_bucket} for bucket in config.buckets if bucket.log_bucket}
    yield from _circle(logs, ("buckets",), "access logs go round in a circle", "let one of them log elsewhere")
    for index, zone in enumerate(config.dns_zones):
        domain = zone.domain
        aliases = {
            _absolute(record.name, domain): {value.rstrip(".").lower() for value in record.values}
            for record in zone.records
            if record.type == "CNAME"
        }
        yield from _circle(
            aliases, ("dns_zones", index, "records"), "CNAME records point at each other", "let one of them name an address"
        )


def _absolute(name: str, domain: str) -> str:
    return domain if name == "@" else f"{name}.{domain}"


def _circle(needs: Mapping[str, set[str]], where: Path, message: str, fix: str) -> Iterator[Finding]:
    try:
        TopologicalSorter(needs).prepare()
    except CycleError as error:
        around: list[str] = error.args[1]
        named = around if len(around) <= MAX_NAMED else [*around[: MAX_NAMED - 1], f"... ({len(around) - 1} in all)", around[-1]]
        yield finding("reference_cycle", where, f"{message}: {' -> '.join(named)}", fix)
