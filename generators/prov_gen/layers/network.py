"""Layer 3: networks are well formed, lie inside each other where they must, and do not overlap where they must not."""

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_interface, ip_network

from prov_gen.findings import Finding, Path, Severity, path_text
from prov_gen.model.infrastructure import InfrastructureConfig
from prov_gen.model.kubernetes import KubernetesCluster
from prov_gen.model.network import SecurityGroup, Subnet

Network = IPv4Network | IPv6Network

# AWS takes networks of /16 to /28 and the others are close to that; a smaller network is useless anywhere.
SMALLEST_PREFIX = 29


@dataclass(frozen=True, slots=True)
class _Named:
    """A network and where it is written."""

    network: Network
    where: Path


def check_network(config: InfrastructureConfig) -> Iterator[Finding]:
    """Findings about addresses."""
    main: _Named | None = None
    if config.networking:
        networking = config.networking
        where: Path = ("networking",)
        main = yield from _parse(networking.vpc_cidr, (*where, "vpc_cidr"))
        yield from _subnets(main, networking.subnets, (*where, "subnets"))
        others = [main] if main else []
        for index, vpc in enumerate(networking.vpcs):
            own = yield from _parse(vpc.cidr, (*where, "vpcs", index, "cidr"))
            yield from _subnets(own, vpc.subnets, (*where, "vpcs", index, "subnets"))
            others += [own] if own else []
        yield from _apart(others, "warning", "these networks cannot be connected later")
        for index, peering in enumerate(networking.peerings):
            peer = yield from _parse(peering.peer_cidr, (*where, "peerings", index, "peer_cidr"))
            if peer:
                for mine in others:
                    yield from _apart([mine, peer], "error", "networks with common addresses cannot be peered")
    for index, cluster in enumerate(config.clusters):
        yield from _cluster(cluster, config, main, ("clusters", index, "networking"))
    for index, group in enumerate(config.security_groups):
        yield from _group(group, ("security_groups", index))


def _finding(code: str, severity: Severity, where: Path, message: str, fix: str) -> Finding:
    return Finding(layer=3, code=code, severity=severity, where=where, message=message, fix=fix)


def _parse(cidr: str, where: Path) -> Generator[Finding, None, _Named | None]:
    """The network; a finding when its address has host bits, or is no network at all."""
    try:
        network = ip_network(cidr, strict=False)
    except ValueError:
        yield _finding("cidr_invalid", "error", where, f"{cidr} is not a network", "write it like 10.0.0.0/16")
        return None
    if ip_interface(cidr).ip != network.network_address:
        yield _finding(
            "cidr_host_bits", "error", where, f"{cidr} is an address inside {network}, not a network", f"write {network}"
        )
    if network.version == 4 and network.prefixlen > SMALLEST_PREFIX and "cidrs" not in where:
        message = f"{cidr} has room for {network.num_addresses} addresses"
        yield _finding("network_too_small", "error", where, message, f"use /{SMALLEST_PREFIX - 1} or larger")
    return _Named(network, where)


def _subnets(parent: _Named | None, subnets: list[Subnet], where: Path) -> Iterator[Finding]:
    known: list[_Named] = []
    for index, subnet in enumerate(subnets):
        own = yield from _parse(subnet.cidr, (*where, index, "cidr"))
        if own is None:
            continue
        known.append(own)
        if parent and not _inside(own.network, parent.network):
            message = f"the subnet {subnet.name} ({subnet.cidr}) lies outside its network {parent.network}"
            yield _finding("subnet_outside", "error", own.where, message, f"choose a part of {parent.network}")
    yield from _apart(known, "error", "give each subnet addresses of its own")


def _cluster(cluster: KubernetesCluster, config: InfrastructureConfig, main: _Named | None, where: Path) -> Iterator[Finding]:
    networking = cluster.networking
    stated = networking.model_fields_set
    shared = config.networking
    pods = networking.pod_cidr if "pod_cidr" in stated or not (shared and shared.pod_cidr) else shared.pod_cidr
    services = (
        networking.service_cidr if "service_cidr" in stated or not (shared and shared.service_cidr) else shared.service_cidr
    )
    ranges = []
    for field, cidr in (("pod_cidr", pods), ("service_cidr", services)):
        own = yield from _parse(cidr, (*where, field))
        ranges += [own] if own else []
    # A cluster that names no network of its own lives in the configuration's.
    nodes = main
    if "vpc_cidr" in stated or main is None:
        nodes = yield from _parse(networking.vpc_cidr, (*where, "vpc_cidr"))
    yield from _apart([*([nodes] if nodes else []), *ranges], "error", "nodes, pods and services need addresses of their own")


def _group(group: SecurityGroup, where: Path) -> Iterator[Finding]:
    for index, rule in enumerate(group.rules):
        for position, cidr in enumerate(rule.cidrs):
            yield from _parse(cidr, (*where, "rules", index, "cidrs", position))
        if rule.protocol in {"icmp", "all"} and (rule.from_port is not None or rule.to_port is not None):
            message = f"{rule.protocol} has no ports"
            fix = "leave from_port and to_port out, or set protocol = 'tcp"
            yield _finding("rule_ports_unused", "warning", (*where, "rules", index), message, fix)
        if not rule.cidrs and not rule.groups:
            message, fix = "the rule names nobody on the other side, so it lets nothing through", "add cidrs or groups"
            yield _finding("rule_without_peer", "warning", (*where, "rules", index), message, fix)


def _apart(networks: list[_Named], severity: Severity, fix: str) -> Iterator[Finding]:
    """A finding for each network that shares addresses with another one.

    Networks overlap only when one holds the other, so in the order of addresses each is compared with the one that holds the
    current place: a thousand subnets are not a million pairs.
    """
    order = {one.where: index for index, one in enumerate(networks)}
    for version in (4, 6):
        holder: _Named | None = None
        for one in sorted((n for n in networks if n.network.version == version), key=_address_order):
            if holder is None or int(one.network.network_address) > int(holder.network.broadcast_address):
                holder = one
                continue
            later, first = (one, holder) if order[one.where] > order[holder.where] else (holder, one)
            message = f"{later.network} overlaps {first.network} ({path_text(first.where)})"
            yield _finding("network_overlap", severity, later.where, message, fix)


def _address_order(named: _Named) -> tuple[int, int]:
    return int(named.network.network_address), named.network.prefixlen


def _inside(inner: Network, outer: Network) -> bool:
    if isinstance(inner, IPv4Network) and isinstance(outer, IPv4Network):
        return inner.subnet_of(outer)
    if isinstance(inner, IPv6Network) and isinstance(outer, IPv6Network):
        return inner.subnet_of(outer)
    return False
