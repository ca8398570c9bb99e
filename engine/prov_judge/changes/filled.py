"""A resource's values with everything that was left out filled in, so that writing out a default is no change.

Providers, regions and machines come from `prov_gen.effective`, versions and images from the catalogue.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from prov_corpus import catalogue
from prov_gen.effective import find_plan, is_managed, machine_of, provider_of, region_of
from prov_gen.model.base import Record
from prov_gen.model.infrastructure import InfrastructureConfig
from prov_gen.model.kinds import Item
from prov_judge.changes.replacement import table

# Which field says that a kind's storage is encrypted: `security.encryption_at_rest` holds where it is left out.
_ENCRYPTED = {
    "database": "encryption_at_rest", "cache": "encryption_at_rest", "volume": "encrypted", "file_system": "encrypted",
    "queue": "encrypted", "backup": "encrypted",
}  # fmt: skip

_NOWHERE = frozenset({"limits", "secret", "waiver"})
"""Kinds that are at no provider: a budget, a place in the vault, an accepted finding."""


def filled(item: Item, config: InfrastructureConfig) -> dict[str, Any]:
    """The JSON values of a resource as they hold: the configuration's tags, its provider and region, sizes and versions."""
    record: Record = item.record
    values: dict[str, Any] = record.model_dump(mode="json")
    provider = provider_of(record, config)
    if item.kind.name not in _NOWHERE:
        values["provider"] = provider
    if "region" in values:
        values["region"] = region_of(record, config)
    if "tags" in values:
        values["tags"] = {**config.tags, **values["tags"]}
    _fill_encryption(item, config, values)
    fill = _FILL.get(item.kind.name)
    if fill:
        fill(values, record, config, provider)
    return values


def _fill_encryption(item: Item, config: InfrastructureConfig, values: dict[str, Any]) -> None:
    if config.security is None or config.security.encryption_at_rest:
        return
    field = _ENCRYPTED.get(item.kind.name)
    if field and field not in item.record.model_fields_set:
        values[field] = False
    if item.kind.name == "server" and "encrypted_disk" not in item.record.spec.model_fields_set:
        values["spec"]["encrypted_disk"] = False


def _server(values: dict[str, Any], record: Any, config: InfrastructureConfig, provider: str) -> None:
    machine = machine_of(record, config)
    spec = values["spec"]
    values["plan"] = machine.sku or (None if provider == "local" else values["plan"])
    # A size that this provider does not have says nothing about cores.
    spec["cpu"], spec["memory_gb"] = machine.cpu or None, machine.memory_gb
    spec["disk_type"] = disk_type(provider, spec["disk_type"])
    image = catalogue.images()[spec["os"]["family"]]
    spec["os"]["version"] = spec["os"]["version"] or image.default
    values["networking"]["vpc"] = values["networking"]["vpc"] or own_network(record, config)


def _kubernetes(values: dict[str, Any], record: Any, config: InfrastructureConfig, provider: str) -> None:
    values["version"] = values["version"] or catalogue.default_kubernetes().version
    values["managed"] = is_managed(record, provider)
    networking, shared = values["networking"], config.networking
    networking["cni_version"] = networking["cni_version"] or _default_cni(networking["cni"])
    for field in ("pod_cidr", "service_cidr"):
        if shared and getattr(shared, field) and field not in record.networking.model_fields_set:
            networking[field] = getattr(shared, field)
    networking["vpc"] = networking["vpc"] or own_network(record, config)
    for nodes in (values["control_plane"], values["workers"], *values["node_groups"]):
        nodes["plan"] = sku_of(provider, nodes["plan"])


def _database(values: dict[str, Any], _record: Any, _config: InfrastructureConfig, provider: str) -> None:
    values["version"] = values["version"] or _default_engine(values["engine"])
    values["storage_type"] = disk_type(provider, values["storage_type"])


def _cache(values: dict[str, Any], _record: Any, _config: InfrastructureConfig, _provider: str) -> None:
    values["version"] = values["version"] or _default_engine(values["engine"])


def _volume(values: dict[str, Any], _record: Any, _config: InfrastructureConfig, provider: str) -> None:
    values["type"] = disk_type(provider, values["type"])


def _security_group(values: dict[str, Any], record: Any, config: InfrastructureConfig, _provider: str) -> None:
    values["vpc"] = values["vpc"] or own_network(record, config)
    for rule in values["rules"]:
        if rule["to_port"] is None:
            rule["to_port"] = rule["from_port"]
        for field in ("cidrs", "groups"):
            rule[field] = sorted(set(rule[field]))


def _workload(values: dict[str, Any], _record: Any, config: InfrastructureConfig, _provider: str) -> None:
    if values["cluster"] is None and len(config.clusters) == 1:
        values["cluster"] = config.clusters[0].name


def _taskserv(values: dict[str, Any], _record: Any, config: InfrastructureConfig, _provider: str) -> None:
    values["targets"] = values["targets"] or [server.name for server in config.servers]


_FILL = {
    "server": _server, "kubernetes": _kubernetes, "database": _database, "cache": _cache, "volume": _volume,
    "security_group": _security_group, "workload": _workload, "taskserv": _taskserv,
}  # fmt: skip


def own_network(record: Any, config: InfrastructureConfig) -> str | None:
    """The name of the configuration's own network, for what lives at its provider and names no other."""
    if config.networking is None or provider_of(record, config) != config.provider:
        return None
    return config.networking.name


@lru_cache(4096)
def sku_of(provider: str, plan: str) -> str:
    """The SKU that a plan means, or the plan as it is written where it means none."""
    found = find_plan(provider, plan)
    return plan if found is None else found.name


def disk_type(provider: str, written: str | None) -> str:
    """The kind of disk that is meant; `ssd` and nothing are the provider's default."""
    defaults: Mapping[str, str] = table()["default_disk"]
    return defaults.get(provider, "ssd") if written in (None, "ssd") else str(written)


@lru_cache(64)
def _default_engine(engine: str) -> str | None:
    return catalogue.default_engine(engine).version if engine in catalogue.engines() else None


@lru_cache(64)
def _default_cni(cni: str) -> str | None:
    return catalogue.default_cni(cni).version if cni in catalogue.cnis() else None
