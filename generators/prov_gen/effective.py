"""What holds for a resource once everything left out is filled in: provider, region, machine, version.

A configuration says only what differs; layers, prices, plans and exports ask here for the rest, so that they agree.
"""

from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

from prov_corpus import catalogue, prices
from prov_gen.model.base import SIZES
from prov_gen.model.infrastructure import InfrastructureConfig
from prov_gen.model.kubernetes import KubernetesCluster
from prov_gen.model.server import Server


@dataclass(frozen=True, slots=True)
class Machine:
    """A server's size as it will be. `sku` is None at the provider `local` and where nothing fits."""

    sku: str | None
    cpu: float
    memory_gb: float | None


def provider_of(record: Any, config: InfrastructureConfig) -> str:
    """A resource's provider: its own, else the configuration's."""
    return getattr(record, "provider", None) or config.provider


def region_of(record: Any, config: InfrastructureConfig) -> str:
    """A resource's region: its own, else the configuration's where that is its provider's, else the provider's default."""
    own: str | None = getattr(record, "region", None)
    if own:
        return own
    provider = provider_of(record, config)
    if config.region and (provider == config.provider or config.region in catalogue.regions(provider)):
        return config.region
    return catalogue.default_region(provider).id


def is_managed(cluster: KubernetesCluster, provider: str) -> bool:
    """Whether the provider runs a cluster's control plane: as the configuration says, else as is usual there."""
    return cluster.managed if cluster.managed is not None else catalogue.runs_kubernetes(provider)


def find_plan(provider: str, plan: str) -> prices.Sku | None:
    """The SKU that a plan means: small, medium, large, xlarge, or a SKU by its exact name."""
    if plan in SIZES:
        return _size(provider, plan)
    found = prices.find_sku(provider, plan)
    return found if found and found.name == plan else None


@cache
def _size(provider: str, size: str) -> prices.Sku:
    return prices.plan_size(provider, size)


@lru_cache(8192)
def cheapest(provider: str, cpu: float, memory_gb: float, region: str | None = None) -> prices.Sku | None:
    """As `prices.cheapest_sku`; thousands of servers of one size are looked up once, and a region without prices is none."""
    priced = region if region in prices.priced_regions(provider) else None
    return prices.cheapest_sku(provider, cpu=cpu, memory_gb=memory_gb, region=priced)


def machine_of(server: Server, config: InfrastructureConfig) -> Machine:
    """A server's SKU, cores and memory (in GB)."""
    provider = provider_of(server, config)
    spec = server.spec
    if server.plan:
        sku = find_plan(provider, server.plan)
        if sku is None:
            return Machine(None, spec.cpu or 0, spec.memory_gb)
        name = None if provider == "local" else sku.name
        return Machine(name, spec.cpu or sku.vcpu, spec.memory_gb or sku.memory_gb)
    cpu, memory = spec.cpu or Server.unless_plan["cpu"], spec.memory_gb or Server.unless_plan["memory_gb"]
    if provider == "local":
        return Machine(None, cpu, memory)
    sku = cheapest(provider, cpu, memory, region_of(server, config))
    return Machine(sku.name, sku.vcpu, sku.memory_gb) if sku else Machine(None, cpu, memory)
