"""Fewer NAT gateways: none that nothing uses, one where the loss of it can be borne."""

from collections.abc import Iterator

from prov_gen.environments import is_production
from prov_gen.model.network import Networking
from prov_judge.cost.place import Pricing
from prov_judge.cost.proposal import Proposal


def nat(record: Networking, pricing: Pricing) -> Iterator[Proposal]:
    """For the gateways of the configuration's network."""
    if record.nat == "none":
        return
    environment = pricing.config.environment
    if is_idle(pricing):
        yield Proposal("idle_nat", {"nat": "none"})
    elif record.nat == "per_zone" and not is_production(environment):
        yield Proposal("nat_per_zone", {"nat": "single"}, {"environment": environment})


def is_idle(pricing: Pricing) -> bool:
    """Whether nothing can use a NAT gateway: subnets are named and none is private, or no machine is in a private one.

    A machine that names no subnet may be in any of them, so it counts as a user.
    """
    index, config = pricing.index, pricing.config
    if index.subnets and not index.hidden_subnets:
        return True
    for server in config.servers:
        subnet = server.networking.subnet
        if subnet in index.hidden_subnets or (subnet is None and not server.networking.public_ip):
            return False
    return all(
        cluster.networking.subnets and not index.hidden_subnets.intersection(cluster.networking.subnets)
        for cluster in config.clusters
    )
