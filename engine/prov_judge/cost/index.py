"""What rules look up in a configuration again and again, gathered once."""

from collections import defaultdict
from collections.abc import Mapping
from functools import cached_property
from typing import Any

from prov_gen.effective import provider_of
from prov_gen.model.base import Record
from prov_gen.model.data import Bucket
from prov_gen.model.infrastructure import InfrastructureConfig
from prov_gen.model.kinds import Item, resources
from prov_gen.model.network import LoadBalancer, Subnet
from prov_gen.model.references import REFERENCES
from prov_gen.model.server import Server

_BACKED_UP = next(reference.targets for reference in REFERENCES if (reference.kind, reference.field) == ("backup", "targets[]"))


class Index:
    """Names and groups of one configuration."""

    def __init__(self, config: InfrastructureConfig) -> None:
        self.config = config

    @cached_property
    def subnets(self) -> tuple[Subnet, ...]:
        """The subnets of all networks."""
        network = self.config.networking
        return (*network.subnets, *(subnet for vpc in network.vpcs for subnet in vpc.subnets)) if network else ()

    @cached_property
    def addressed_subnets(self) -> frozenset[str]:
        """Subnets in which servers get a public address by default."""
        return frozenset(subnet.name for subnet in self.subnets if subnet.map_public_ip)

    @cached_property
    def hidden_subnets(self) -> frozenset[str]:
        """Private subnets: the ones that reach the internet through a NAT gateway."""
        return frozenset(subnet.name for subnet in self.subnets if subnet.tier == "private")

    @cached_property
    def subnet_zones(self) -> tuple[str, ...]:
        """The zones that subnets name, sorted."""
        return tuple(sorted({subnet.zone for subnet in self.subnets if subnet.zone}))

    @cached_property
    def machine_zones(self) -> frozenset[str]:
        """The zones that servers and nodes name."""
        named = {server.zone for server in self.config.servers if server.zone}
        for cluster in self.config.clusters:
            named |= {zone for group in (cluster.workers, *cluster.node_groups) for zone in group.zones}
        return frozenset(named)

    @cached_property
    def buckets(self) -> Mapping[str, list[Bucket]]:
        """Buckets by provider, sorted by name."""
        found: dict[str, list[Bucket]] = defaultdict(list)
        for bucket in sorted(self.config.buckets, key=lambda one: one.name):
            found[provider_of(bucket, self.config)].append(bucket)
        return found

    @cached_property
    def _senders(self) -> Mapping[tuple[str, type[Record], str], int]:
        """The place of each resource among those of its provider that send to the internet, by kind and name."""
        config = self.config
        senders: list[Server | LoadBalancer | Bucket] = [
            *(one for one in config.servers if one.networking.public_ip or one.networking.subnet in self.addressed_subnets),
            *(one for one in config.load_balancers if one.scheme == "public"),
            *(one for one in config.buckets if one.access == "public_read"),
        ]
        counts: dict[str, int] = defaultdict(int)
        found: dict[tuple[str, type[Record], str], int] = {}
        for one in sorted(senders, key=lambda one: (type(one).__name__, one.name)):
            provider = provider_of(one, config)
            found.setdefault((provider, type(one), one.name), counts[provider])
            counts[provider] += 1
        return found

    def senders_before(self, record: Server | LoadBalancer | Bucket, provider: str) -> int:
        """How many resources of a provider come before this one of those that send to the internet."""
        return self._senders.get((provider, type(record), record.name), len(self._senders))

    @cached_property
    def backed_up(self) -> Mapping[str, list[Any]]:
        """What a backup plan can name, by name; several kinds may share one."""
        found: dict[str, list[Any]] = defaultdict(list)
        for item in resources(self.config):
            if item.kind.name in _BACKED_UP:
                found[item.record.name].append(item.record)
        return found

    @cached_property
    def backups_of(self) -> Mapping[str, list[Item]]:
        """The backup plans that name a target."""
        found: dict[str, list[Item]] = defaultdict(list)
        for item in resources(self.config):
            if item.kind.name == "backup":
                for name in dict.fromkeys(item.record.targets):
                    found[name].append(item)
        return found

    @cached_property
    def servers(self) -> frozenset[str]:
        """Names of servers."""
        return frozenset(server.name for server in self.config.servers)
