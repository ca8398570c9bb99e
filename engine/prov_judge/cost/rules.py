"""Which rule prices which kind: a row for every resource of the models."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from prov_gen.model.kinds import Item
from prov_judge.cost import clusters, databases, machines, managed, network, storage
from prov_judge.cost.model import Part, ResourceCost
from prov_judge.cost.place import Place, Pricing

Rule = Callable[[Any, Place], Iterator[Part]]

RULES: Mapping[str, Rule] = {
    "server": machines.server,
    "kubernetes": clusters.cluster,
    "database": databases.database,
    "networking": network.networking,
    "security_group": network.security_group,
    "load_balancer": network.load_balancer,
    "bucket": storage.bucket,
    "volume": storage.volume,
    "file_system": storage.file_system,
    "cache": databases.cache,
    "queue": managed.queue,
    "dns": network.dns_zone,
    "certificate": managed.certificate,
    "kms_key": managed.kms_key,
    "secret": managed.secret,
    "registry": managed.registry,
    "log_group": managed.log_group,
    "workload": managed.workload,
    "backup": managed.backup_plan,
    "taskserv": managed.taskserv,
}


def price_item(item: Item, pricing: Pricing) -> ResourceCost:
    """The bill of one resource."""
    place = pricing.place_of(item.record)
    parts = tuple(RULES[item.kind.name](item.record, place))
    return ResourceCost(item.path, address_of(item), item.kind.name, place.provider, place.region, parts)


def address_of(item: Item) -> str:
    """Kind and name, such as `server.web-1`; a DNS zone is named by its domain."""
    return f"{item.kind.name}.{getattr(item.record, 'name', None) or item.record.domain}"
