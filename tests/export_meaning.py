"""What a configuration means once its words are resolved, so that two that say the same can be compared.

A size and the SKU that it stands for mean the same, as do `@daily` and `0 0 * * *`, or `ssd` and the provider's own disk. What
is filled in here is what the models and the catalogue say, not what an export writes.
"""

import copy
import re
from collections.abc import Iterator
from typing import Any

from prov_corpus import catalogue
from prov_corpus.catalogue.managed_sizes import managed_sku
from prov_gen.effective import find_plan, machine_of, provider_of, region_of
from prov_gen.export.import_ import import_terraform
from prov_gen.export.model import NotCarried, Path
from prov_gen.export.terraform import FILE, export
from prov_gen.model.base import SIZES
from prov_gen.model.infrastructure import InfrastructureConfig, dump, dump_stated
from prov_gen.model.kinds import KINDS

_CRON = {"@hourly": "0 * * * *", "@daily": "0 0 * * *", "@weekly": "0 0 * * 0", "@monthly": "0 0 1 * *"}
_SSD = {"aws": "gp3"}
_CLASSES = {"database": "db.", "cache": "cache."}
_ALL_PORTS = {"tcp": (0, 65535), "udp": (0, 65535), "icmp": (-1, -1)}


def meaning(config: InfrastructureConfig) -> dict[str, Any]:
    """The whole configuration as JSON values, its words resolved. A rule of a security group is what it lets through."""
    value = dump(config)
    for kind in KINDS:
        records = getattr(config, kind.field)
        for index, record in enumerate(records if kind.is_list else ()):
            place = value[kind.field][index]
            provider = provider_of(record, config)
            if hasattr(record, "provider"):
                place["provider"] = provider
            if hasattr(record, "region"):
                place["region"] = region_of(record, config)
            if kind.name in _RESOLVE:
                _RESOLVE[kind.name](place, record, provider, config)
            for backup in (place, place.get("backup")):
                if isinstance(backup, dict) and "schedule" in backup:
                    backup["schedule"] = _CRON.get(backup["schedule"], backup["schedule"])
    return value


def _server(place: dict[str, Any], record: Any, provider: str, config: InfrastructureConfig) -> None:
    machine = machine_of(record, config)
    size = machine.sku or f"{machine.cpu} cores, {machine.memory_gb} GB"
    place["plan"] = place["spec"]["cpu"] = place["spec"]["memory_gb"] = size
    place["spec"]["disk_type"] = _disk(record.spec.disk_type, provider)
    system = record.spec.os
    place["spec"]["os"]["version"] = system.version or catalogue.images()[system.family].default


def _disk(kind: str | None, provider: str) -> str | None:
    return _SSD.get(provider, kind) if kind == "ssd" else kind


def _managed(place: dict[str, Any], record: Any, provider: str, kind: Any) -> None:
    plan = (managed_sku(provider, kind, record.plan) if record.plan in SIZES else None) or record.plan
    if provider == "aws" and not plan.startswith(_CLASSES[kind]):
        plan = _CLASSES[kind] + plan
    standard = re.fullmatch(r"db-n1-standard-(\d+)", plan)
    # Google: a standard machine has 3.75 GB for each core.
    place["plan"] = f"db-custom-{standard[1]}-{int(standard[1]) * 3840}" if standard else plan


def _database(place: dict[str, Any], record: Any, provider: str, config: InfrastructureConfig) -> None:
    _managed(place, record, provider, "database")
    place["storage_type"] = _disk(record.storage_type, provider)
    if record.engine in catalogue.engines():
        place["version"] = record.version or catalogue.default_engine(record.engine).version
    del config


def _cache(place: dict[str, Any], record: Any, provider: str, config: InfrastructureConfig) -> None:
    _managed(place, record, provider, "cache")
    del config


def _cluster(place: dict[str, Any], record: Any, provider: str, config: InfrastructureConfig) -> None:
    for group in (place["control_plane"], place["workers"], *place["node_groups"]):
        sku = find_plan(provider, group["plan"]) if group.get("plan") else None
        group["plan"] = sku.name if sku else group.get("plan")
        if group is not place["control_plane"]:
            # Between a number and itself nothing scales.
            scaling, fixed = group.get("auto_scaling", {}), [group["count"], max(group["count"], 1)]
            group["auto_scaling"] = [scaling["min"], scaling["max"]] if scaling.get("enabled") else fixed
    place["version"] = record.version or catalogue.default_kubernetes().version
    del config


def _volume(place: dict[str, Any], record: Any, provider: str, config: InfrastructureConfig) -> None:
    place["type"] = _disk(record.type, provider)
    del config


def _group(place: dict[str, Any], record: Any, provider: str, config: InfrastructureConfig) -> None:
    place["rules"] = sorted({one for rule in record.rules for one in _lets_through(rule)})
    del provider, config


def _lets_through(rule: Any) -> Iterator[str]:
    """A line for each network or group on the other side of a rule."""
    first, last = _ALL_PORTS.get(rule.protocol, (0, 0))
    if rule.protocol != "all" and rule.from_port is not None:
        first, last = rule.from_port, rule.from_port if rule.to_port is None else rule.to_port
    for side in (*rule.cidrs, *(f"group {name}" for name in rule.groups)):
        yield f"{rule.direction} {rule.protocol} {first}-{last} {side} {rule.description or ''}"


_RESOLVE = {
    "server": _server,
    "database": _database,
    "cache": _cache,
    "kubernetes": _cluster,
    "volume": _volume,
    "security_group": _group,
}


def _delete(place: Any, path: Path) -> None:
    *steps, last = path
    for step in steps:
        place = place[step]
    if isinstance(place, dict):
        place.pop(last, None)
    elif isinstance(last, int):
        del place[last]


def without_listed(config: InfrastructureConfig, listed: tuple[NotCarried, ...]) -> InfrastructureConfig:
    """The configuration without what an export says that it does not carry."""
    value = copy.deepcopy(dump(config))
    paths: list[Path] = [entry.path for entry in listed]
    # The last of a list goes first, so that the numbers before it stay what they are.
    for path in sorted(paths, key=lambda one: [str(step).zfill(9) for step in one], reverse=True):
        _delete(value, path)
    return InfrastructureConfig.model_validate(value)


def leaves(stated: Any, meant: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """What is meant by every stated value that is no record, with its path; a list of texts is one value."""
    if isinstance(stated, dict) and isinstance(meant, dict):
        for key, item in stated.items():
            yield from leaves(item, meant.get(key), (*path, key))
    elif isinstance(stated, list) and isinstance(meant, list) and meant and isinstance(meant[0], dict):
        for index, item in enumerate(stated):
            yield from leaves(item, meant[index], (*path, index))
    elif meant not in (None, [], {}):
        yield path, meant


def at(value: Any, stated: Any, path: tuple[Any, ...]) -> Any:
    """The value at a path of `stated`, in another configuration, where lists are matched by name and may have another order."""
    for step in path:
        key = "domain" if isinstance(stated, list) and "domain" in stated[0] and "name" not in stated[0] else "name"
        if isinstance(stated, list) and isinstance(step, int) and key in stated[step] and "values" not in stated[step]:
            value = next((item for item in value or [] if item.get(key) == stated[step][key]), None)
        elif isinstance(value, list):
            value = value[step] if isinstance(step, int) and step < len(value) else None
        else:
            value = value.get(step) if isinstance(value, dict) else None
        stated = stated[step]
    return value


def alike(one: Any, other: Any) -> bool:
    """Whether two values say the same: lists of names are sets, and nothing is an empty list."""
    if isinstance(one, list) and isinstance(other, list):
        return set(map(str, one)) == set(map(str, other))
    return one == other


def lost(config: InfrastructureConfig) -> list[tuple[Any, ...]]:
    """The stated values that neither come back with what they mean nor are listed: path, before, after."""
    done = export(config)
    stated, meant = dump_stated(config), meaning(config)
    text = done.files.get(FILE)
    back = meaning(import_terraform(text, FILE).config) if text else {}
    listed = [entry.path for entry in done.not_carried]
    return [
        (path, value, at(back, stated, path))
        for path, value in leaves(stated, meant)
        if not any(path[: len(entry)] == entry or entry[: len(path)] == path for entry in listed)
        and not alike(value, at(back, stated, path))
    ]
