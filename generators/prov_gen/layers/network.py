"""Layer 3: networks are well formed, lie inside each other where they must, and do not overlap where they must not."""

from collections.abc import Generator, Iterator, Sequence

from prov_gen.codes import Severity
from prov_gen.findings import Finding, Path, finding, path_text
from prov_gen.layers.addresses import Block, Blocks, overlaps
from prov_gen.model.infrastructure import InfrastructureConfig
from prov_gen.model.kubernetes import KubernetesCluster
from prov_gen.model.network import SecurityGroup, Subnet

# AWS takes networks of /16 to /28 and the others are close to that; a smaller network is useless anywhere.
SMALLEST_PREFIX = 29


def check_network(config: InfrastructureConfig) -> Iterator[Finding]:
    """Findings about addresses."""
    main: Block | None = None
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
        mine = Blocks(others)
        own_names = {vpc.name for vpc in networking.vpcs}
        for index, peering in enumerate(networking.peerings):
            peer = yield from _parse(peering.peer_cidr, (*where, "peerings", index, "peer_cidr"))
            if peer and peering.peer in own_names:
                # With a further network of the configuration itself: only the first one must be apart from it.
                yield from _peer(peer, Blocks([main] if main else []))
            elif peer:
                yield from _peer(peer, mine)
    for index, cluster in enumerate(config.clusters):
        yield from _cluster(cluster, config, main, ("clusters", index, "networking"))
    for index, group in enumerate(config.security_groups):
        yield from _group(group, ("security_groups", index))


def _parse(cidr: str, where: Path, *, is_peer: bool = False) -> Generator[Finding, None, Block | None]:
    """The network; a finding when its address has host bits, or is no network at all. A rule's peer may be a single address."""
    block = Block.parse(cidr, where)
    if block is None:
        yield finding("cidr_invalid", where, f"{cidr} is not a network", "write it like 10.0.0.0/16")
        return None
    if block.address != block.first:
        message = f"{cidr} is an address inside {block.text}, not a network"
        yield finding("cidr_host_bits", where, message, f"write {block.text}")
    if block.version == 4 and block.prefix > SMALLEST_PREFIX and not is_peer:
        message = f"{cidr} has room for {block.size} addresses"
        yield finding("network_too_small", where, message, f"use /{SMALLEST_PREFIX - 1} or larger")
    return block


def _peer(peer: Block, mine: Blocks) -> Iterator[Finding]:
    """One finding for a peering, however many networks it overlaps."""
    other, count = mine.sharing(peer)
    if other is not None:
        more = f" and {count - 1} more" if count > 1 else ""
        message = f"{peer.text} overlaps {other.text} ({path_text(other.where)}){more}"
        yield finding("network_overlap", peer.where, message, "networks with common addresses cannot be peered")


def _subnets(parent: Block | None, subnets: list[Subnet], where: Path) -> Iterator[Finding]:
    known: list[Block] = []
    for index, subnet in enumerate(subnets):
        own = yield from _parse(subnet.cidr, (*where, index, "cidr"))
        if own is None:
            continue
        known.append(own)
        if parent and not parent.holds(own):
            message = f"the subnet {subnet.name} ({subnet.cidr}) lies outside its network {parent.text}"
            yield finding("subnet_outside", own.where, message, f"choose a part of {parent.text}")
    yield from _apart(known, "error", "give each subnet addresses of its own")


def _cluster(cluster: KubernetesCluster, config: InfrastructureConfig, main: Block | None, where: Path) -> Iterator[Finding]:
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
            yield from _parse(cidr, (*where, "rules", index, "cidrs", position), is_peer=True)
        if rule.protocol in {"icmp", "all"} and (rule.from_port is not None or rule.to_port is not None):
            message = f"{rule.protocol} has no ports"
            fix = "leave from_port and to_port out, or set protocol = 'tcp"
            yield finding("rule_ports_unused", (*where, "rules", index), message, fix)
        if not rule.cidrs and not rule.groups:
            message, fix = "the rule names nobody on the other side, so it lets nothing through", "add cidrs or groups"
            yield finding("rule_without_peer", (*where, "rules", index), message, fix)


def _apart(blocks: Sequence[Block], severity: Severity, fix: str) -> Iterator[Finding]:
    """A finding for each network that shares addresses with another one."""
    for later, first in overlaps(blocks):
        message = f"{later.text} overlaps {first.text} ({path_text(first.where)})"
        yield finding("network_overlap", later.where, message, fix, severity=severity)
