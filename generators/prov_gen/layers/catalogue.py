"""Layer 2: regions, plans, images and versions exist at the provider and are still supported."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from prov_corpus import catalogue
from prov_gen.effective import cheapest, find_plan, provider_of, region_of
from prov_gen.findings import Finding, Path, finding
from prov_gen.layers.plans import check_machine_plan, check_managed_plan
from prov_gen.layers.suggest import Suggestions
from prov_gen.model.infrastructure import InfrastructureConfig
from prov_gen.model.kinds import Item, resources
from prov_gen.model.server import Server

DISK_TYPES = {"aws": {"ssd", "gp2", "gp3", "io1", "io2", "hdd"}}
"""Kinds of disk by provider; others sell ssd and hdd under names of their own."""
COMMON_DISK_TYPES = {"ssd", "hdd"}


@dataclass(frozen=True, slots=True)
class _Place:
    """What the checks of one record need beside it."""

    provider: str
    config: InfrastructureConfig
    today: date
    suggestions: Suggestions


def check_catalogue(config: InfrastructureConfig, today: date, suggestions: Suggestions | None = None) -> Iterator[Finding]:
    """Findings about what the provider does not have, or no longer supports."""
    suggestions = suggestions or Suggestions()
    if config.region:
        yield from _region(config.provider, config.region, ("region",), suggestions)
    for item in resources(config):
        record, provider = item.record, provider_of(item.record, config)
        own = getattr(record, "region", None)
        if own:
            yield from _region(provider, own, (*item.path, "region"), suggestions)
        check = _BY_KIND.get(item.kind.name)
        if check:
            yield from check(item, _Place(provider, config, today, suggestions))


def _region(provider: str, region: str, where: Path, suggestions: Suggestions) -> Iterator[Finding]:
    if region in catalogue.regions(provider):
        return
    others = [name for name, found in catalogue.provider_of_region(region) if found.id == region]
    if others:
        fix = f"set provider = '{others[0]}, or a region of {provider} such as {catalogue.default_region(provider).id}"
        yield finding("region_of_other_provider", where, f"{region} is a region of {others[0]}, not of {provider}", fix)
        return
    near = suggestions.ask(("region", provider, region), lambda: catalogue.nearest_regions(provider, region))
    near = near or [catalogue.default_region(provider).id]
    yield finding("region_unknown", where, f"{provider} has no region {region!r}", f"did you mean {', '.join(near)}?")


def _zone(zone: str, provider: str, region: str, where: Path) -> Iterator[Finding]:
    known = catalogue.regions(provider).get(region)
    if known and known.zones and zone not in known.zones:
        fix = f"choose one of {', '.join(known.zones)}"
        yield finding("zone_unknown", where, f"{region} has no zone {zone!r}", fix)


def _release(
    what: str, version: str, known: Mapping[str, catalogue.Release], default: str, where: Path, today: date
) -> Iterator[Finding]:
    """A version against its catalogue: unknown ones may be newer than we are, so they only warn."""
    plain = version.removeprefix("v")
    parts = plain.split(".")
    release = next((known[key] for n in range(len(parts), 0, -1) if (key := ".".join(parts[:n])) in known), None)
    if release is None:
        choices = ", ".join(list(known)[-4:])
        yield finding("version_unknown", where, f"{what} {version} is not in the catalogue", f"known are {choices}")
    elif catalogue.is_end_of_life(release, today):
        message = f"{what} {version} reached its end of life on {release.end_of_life}"
        yield finding("version_end_of_life", where, message, f"upgrade to {default}")


def _server(item: Item, place: _Place) -> Iterator[Finding]:
    server: Server = item.record
    spec = (*item.path, "spec")
    if server.zone:
        yield from _zone(server.zone, place.provider, region_of(server, place.config), (*item.path, "zone"))
    if server.plan:
        yield from check_machine_plan(server.plan, place.provider, (*item.path, "plan"), place.suggestions)
        yield from _larger_than_plan(server, place.provider, spec)
    elif place.provider != "local":
        cpu, memory = server.spec.cpu or 0, server.spec.memory_gb or 0
        if cheapest(place.provider, cpu, memory) is None:
            message = f"no plan of {place.provider} in the catalogue has {cpu} cores and {memory:g} GB"
            yield finding("plan_none_fits", spec, message, "ask for less, or name a plan")
    family = server.spec.os.family
    image = catalogue.images()[family]
    if place.provider not in image.providers:
        message, fix = (
            f"{place.provider} offers no stock image of {image.name}",
            f"use {catalogue.default_image().family}, or upload your own image",
        )
        yield finding("image_not_offered", (*spec, "os", "family"), message, fix)
    if server.spec.os.version:
        yield from _release(
            image.name, server.spec.os.version, image.versions, image.default, (*spec, "os", "version"), place.today
        )
    yield from _disk(server.spec.disk_type, place.provider, (*spec, "disk_type"))


def _larger_than_plan(server: Server, provider: str, spec: Path) -> Iterator[Finding]:
    sku = find_plan(provider, server.plan or "")
    if sku is None:
        return
    fix = "leave it out, or choose a larger plan"
    if server.spec.cpu and server.spec.cpu > sku.vcpu:
        message = f"the plan {server.plan} has {sku.vcpu:g} cores, not {server.spec.cpu}"
        yield finding("spec_larger_than_plan", (*spec, "cpu"), message, fix)
    if server.spec.memory_gb and sku.memory_gb is not None and server.spec.memory_gb > sku.memory_gb:
        message = f"the plan {server.plan} has {sku.memory_gb:g} GB of memory, not {server.spec.memory_gb:g}"
        yield finding("spec_larger_than_plan", (*spec, "memory_gb"), message, fix)


def _disk(kind: str | None, provider: str, where: Path) -> Iterator[Finding]:
    allowed = DISK_TYPES.get(provider, COMMON_DISK_TYPES)
    if kind and kind not in allowed:
        fix = f"choose one of {', '.join(sorted(allowed))}"
        yield finding("disk_type_not_offered", where, f"{provider} has no disks of the type {kind}", fix)


def _cluster(item: Item, place: _Place) -> Iterator[Finding]:
    cluster, path = item.record, item.path
    region = region_of(cluster, place.config)
    control = (*path, "control_plane", "plan")
    yield from check_machine_plan(cluster.control_plane.plan, place.provider, control, place.suggestions)
    groups = [(("workers",), cluster.workers), *((("node_groups", i), group) for i, group in enumerate(cluster.node_groups))]
    for where, group in groups:
        yield from check_machine_plan(group.plan, place.provider, (*path, *where, "plan"), place.suggestions)
        for index, zone in enumerate(group.zones):
            yield from _zone(zone, place.provider, region, (*path, *where, "zones", index))
    if cluster.version:
        default = catalogue.default_kubernetes().version
        yield from _release(
            "Kubernetes", cluster.version, catalogue.kubernetes_versions(), default, (*path, "version"), place.today
        )
    if cluster.networking.cni_version:
        cni = cluster.networking.cni
        where = (*path, "networking", "cni_version")
        default = catalogue.default_cni(cni).version
        yield from _release(
            cni.capitalize(), cluster.networking.cni_version, catalogue.cni_versions(cni), default, where, place.today
        )


def _database(item: Item, place: _Place) -> Iterator[Finding]:
    database, path = item.record, item.path
    yield from check_managed_plan(database.plan, "database", place.provider, (*path, "plan"), place.suggestions)
    if database.version and database.engine in catalogue.engines():
        default = catalogue.default_engine(database.engine).version
        known = catalogue.engine_versions(database.engine)
        yield from _release(database.engine, database.version, known, default, (*path, "version"), place.today)
    yield from _disk(database.storage_type, place.provider, (*path, "storage_type"))


def _cache(item: Item, place: _Place) -> Iterator[Finding]:
    cache, path = item.record, item.path
    yield from check_managed_plan(cache.plan, "cache", place.provider, (*path, "plan"), place.suggestions)
    if cache.version and cache.engine in catalogue.engines():
        default = catalogue.default_engine(cache.engine).version
        yield from _release(
            cache.engine, cache.version, catalogue.engine_versions(cache.engine), default, (*path, "version"), place.today
        )


def _balancer(item: Item, place: _Place) -> Iterator[Finding]:
    # What spreads traffic at home has no plans, and its machines are declared as servers.
    if item.record.plan and place.provider != "local":
        where = (*item.path, "plan")
        yield from check_managed_plan(item.record.plan, "load_balancer", place.provider, where, place.suggestions)


def _volume(item: Item, place: _Place) -> Iterator[Finding]:
    yield from _disk(item.record.type, place.provider, (*item.path, "type"))
    if item.record.zone:
        yield from _zone(item.record.zone, place.provider, region_of(item.record, place.config), (*item.path, "zone"))


_Check = Callable[[Item, _Place], Iterator[Finding]]
_BY_KIND: dict[str, _Check] = {
    "server": _server,
    "kubernetes": _cluster,
    "database": _database,
    "cache": _cache,
    "load_balancer": _balancer,
    "volume": _volume,
}
