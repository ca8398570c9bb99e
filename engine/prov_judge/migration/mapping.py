"""What stands for a machine, a region, a disk at another provider, and why."""

import tomllib
from collections.abc import Iterator
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from prov_corpus import catalogue, prices
from prov_gen.effective import find_plan
from prov_judge.changes.masking import shown
from prov_judge.changes.model import Change
from prov_judge.changes.things import Thing
from prov_judge.migration.model import Mapped
from prov_judge.migration.scene import Scene

TABLE = Path(__file__).parent / "mapping.toml"


@cache
def table() -> dict[str, Any]:
    """The data file, read once. Treat as read-only."""
    return tomllib.loads(TABLE.read_text(encoding="utf-8"))


def mappings(scene: Scene, moved: list[Change]) -> tuple[Mapped, ...]:
    """What becomes of the regions, sizes and disks of everything that moves."""
    found: dict[tuple[str, str], Mapped] = {}
    for change in moved:
        old, new = scene.old(change), scene.after[change.address]
        for mapped in (*_regions(old, new, scene), *_machines(old, new), *_disks(old, new)):
            found.setdefault((mapped.address, mapped.before), mapped)
    return tuple(found.values())


def _regions(old: Thing, new: Thing, scene: Scene) -> Iterator[Mapped]:
    if "region" not in old.values or "region" not in new.values:
        return
    before, after = old.values["region"], new.values["region"]
    written = catalogue.regions(new.provider).get(after)
    best, why = nearest_region(old.provider, before, new.provider)
    if written is None:
        why = f"{new.provider} has no region {after}: {why}"
    elif written.id != best:
        is_written = getattr(new.item.record, "region", None) or scene.target.region
        said = "the target says so" if is_written else f"the target names none, and it is the default of {new.provider}"
        why = f"{said}; nearer is {best}: {why}"
        best = written.id
    yield Mapped("infrastructure.main", f"{old.provider} {before}", f"{new.provider} {best}", why)


@lru_cache(1024)
def nearest_region(provider: str, region: str, other: str) -> tuple[str, str]:
    """The other provider's region that is nearest to one, and why: the same city, country, or continent; else its default."""
    here = catalogue.regions(provider).get(region)
    there = catalogue.regions(other)
    default = catalogue.default_region(other)
    if not any(one.country for one in there.values()):
        return default.id, "it is the only one"
    if here is None or not here.country:
        return default.id, "it is the default: where the old one lies is not known"
    same = catalogue.find_region(other, here.name)
    if same and same.country == here.country:
        return same.id, f"the same place ({here.name})"
    # The default comes first among equals.
    regions = [default, *there.values()]
    for one in regions:
        if one.country == here.country:
            return one.id, f"the same country ({here.country})"
    continent = _continent(here.country)
    for one in regions:
        if continent and _continent(one.country) == continent:
            law = "" if one.in_eu == here.in_eu else "; one lies in the European Economic Area and the other does not"
            return one.id, f"the same continent ({continent}){law}"
    return default.id, f"it is the default: {other} has no region on that continent"


def _continent(country: str) -> str:
    return next((name for name, countries in table()["continents"].items() if country in countries), "")


def _machines(old: Thing, new: Thing) -> Iterator[Mapped]:
    if old.kind == "server":
        name = str(shown("plan", old.values["plan"]) or "own size")
        cpu, memory = old.values["spec"]["cpu"], old.values["spec"]["memory_gb"]
        if cpu is None:
            before = f"{old.provider} {name} (size not known)"
            yield Mapped(new.address, before, f"{new.provider}: not known", f"{old.provider} has no such size: name one")
        else:
            yield chosen(new.address, old.provider, (name, float(cpu), memory), new.provider, _region(new), new.values["plan"])
    elif old.kind == "kubernetes":
        groups = [("control_plane", old.values["control_plane"]), ("workers", old.values["workers"])]
        groups += [(f"node_groups[{one['name']}]", one) for one in old.values["node_groups"]]
        for name, group in groups:
            sku = find_plan(old.provider, group["plan"])
            if sku is not None:
                wanted = _group(new.values, name)
                size = (group["plan"], float(sku.vcpu), sku.memory_gb)
                yield chosen(f"{new.address} {name}", old.provider, size, new.provider, _region(new), wanted)


def _group(values: Any, name: str) -> str | None:
    if name.startswith("node_groups["):
        return next((one["plan"] for one in values["node_groups"] if name == f"node_groups[{one['name']}]"), None)
    return str(values[name]["plan"])


def _region(thing: Thing) -> str:
    return str(thing.values["region"])


def chosen(
    address: str, provider: str, size: tuple[str, float, float | None], other: str, region: str, wanted: str | None
) -> Mapped:
    """The other provider's SKU for a machine of `size` (name, cores, memory in GB): what the target names where that
    exists, else the cheapest of the same family and architecture that is as large, else the cheapest that is as large."""
    name, cpu, memory = size
    before = f"{provider} {name} ({_size(cpu, memory)})"
    if other == "local":
        return Mapped(address, before, f"local container ({_size(cpu, memory)})", "containers have the size that is asked for")
    named = find_plan(other, wanted) if wanted else None
    if named is not None:
        fits = named.vcpu >= cpu and (named.memory_gb or 0) >= (memory or 0)
        smaller = "" if fits else "; it is smaller than the old one"
        return Mapped(
            address, before, f"{other} {named.name} ({_size(named.vcpu, named.memory_gb)})", f"the target says so{smaller}"
        )
    kind = catalogue.classify(provider, name) if provider != "local" else None
    sku = _alike(other, cpu, memory or 0, region, kind.kind if kind else "general", kind.arch if kind else "x86_64")
    if sku is None:
        return Mapped(address, before, f"{other}: none", "no priced size is as large: split it, or name one")
    same = kind is not None and sku.kind == kind.kind
    family = f"the cheapest {sku.kind} size" if same else f"no {kind.kind if kind else 'like'} family there: the cheapest size"
    return Mapped(
        address, before, f"{other} {sku.name} ({_size(sku.vcpu, sku.memory_gb)})", f"{family} with as much of both ({sku.arch})"
    )


@lru_cache(8192)
def _alike(provider: str, cpu: float, memory: float, region: str, kind: str, arch: str) -> prices.Sku | None:
    place = region if region in prices.priced_regions(provider) else catalogue.reference_region(provider)
    best: tuple[Any, prices.Sku] | None = None
    for sku in prices.skus(provider).values():
        if sku.kind != kind or sku.arch != arch or sku.memory_gb is None or sku.vcpu < cpu or sku.memory_gb < memory:
            continue
        if not catalogue.classify(provider, sku.name).chosen:
            continue
        price = prices.price(provider, region=place, sku=sku.name)
        if price is not None and (best is None or (price.monthly, sku.name) < best[0]):
            best = (price.monthly, sku.name), sku
    return best[1] if best else prices.cheapest_sku(provider, cpu=cpu, memory_gb=memory, region=place, arch=arch)


def _size(cpu: float, memory: float | None) -> str:
    told = "memory not known" if memory is None else f"{memory:g} GB"
    return f"{cpu:g} vCPU, {told}"


_DISK = {"server": ("spec", "disk_type"), "volume": ("type",), "database": ("storage_type",)}


def _disks(old: Thing, new: Thing) -> Iterator[Mapped]:
    """The disk that the target asks for, which is the one that is priced, by the name that the other provider gives it."""
    path = _DISK.get(old.kind)
    if path is None:
        return
    before, after = (f"{one.provider} {catalogue.disk_type(one.provider, _at(one, path))}" for one in (old, new))
    record: Any = new.item.record
    for step in path[:-1]:
        record = getattr(record, step)
    is_stated = path[-1] in record.model_fields_set and getattr(record, path[-1]) is not None
    why = "the target says so" if is_stated else f"the target names none, and it is the default of {new.provider}"
    yield Mapped(f"{new.address} {'.'.join(path)}", before, after, why)


def _at(thing: Thing, path: tuple[str, ...]) -> str:
    value: Any = thing.values
    for step in path:
        value = value[step]
    return str(value)
