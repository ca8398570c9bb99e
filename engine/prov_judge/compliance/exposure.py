"""Predicates about what the internet reaches and how networks lie."""

from collections.abc import Sequence

from prov_gen.layers.security import ALL_PORTS, is_internet
from prov_gen.model.network import SecurityRule
from prov_judge.compliance.evidence import Evidence, failing, holding
from prov_judge.compliance.scope import Subject, World


def closed_to_internet(
    subject: Subject, _world: World, *, ports: Sequence[int] = (), protocols: Sequence[str] = ("tcp",), direction: str = "ingress"
) -> Evidence:
    """Whether a security group opens none of these ports to the whole internet; without ports: not every port at once."""
    group = subject.record
    for index, rule in enumerate(group.rules):
        if rule.direction != direction or rule.protocol == "icmp":
            continue
        opened = _all_ports(rule) if not ports else _opens(rule, ports, protocols)
        if not opened:
            continue
        for position, cidr in enumerate(rule.cidrs):
            if is_internet(cidr):
                what = "every port" if not ports else f"port {', '.join(str(port) for port in opened)}"
                way = "from" if direction == "ingress" else "to"
                path = (*subject.path, "rules", index, "cidrs", position)
                return failing(path, cidr, f"{what} is open {way} {cidr}")
    return holding((*subject.path, "rules"), f"{len(group.rules)} rules", "no rule opens it to the internet")


def _all_ports(rule: SecurityRule) -> list[int]:
    first, last = _range(rule)
    return [first] if last - first + 1 >= ALL_PORTS - 1 else []


def _opens(rule: SecurityRule, ports: Sequence[int], protocols: Sequence[str]) -> list[int]:
    if rule.protocol != "all" and rule.protocol not in protocols:
        return []
    first, last = _range(rule)
    return [port for port in ports if first <= port <= last]


def _range(rule: SecurityRule) -> tuple[int, int]:
    if rule.protocol == "all" or rule.from_port is None:
        return 0, ALL_PORTS - 1
    return rule.from_port, rule.to_port if rule.to_port is not None else rule.from_port


def no_public_address(subject: Subject, world: World) -> Evidence:
    """Whether a server has no public address, by itself or by its subnet."""
    networking = subject.record.networking
    path = (*subject.path, "networking", "public_ip")
    if networking.public_ip:
        return failing(path, "true", "it has a public address")
    subnet = world.subnets.get(networking.subnet or "")
    if subnet is not None and subnet.map_public_ip:
        path = (*subject.path, "networking", "subnet")
        return failing(path, subnet.name, f"its subnet {subnet.name} gives public addresses")
    shown = "false" if "public_ip" in networking.model_fields_set else "false (the default)"
    return holding(path, shown, "it has no public address")


def networks_apart(_subject: Subject, world: World) -> Evidence:
    """Whether no two networks of the configuration have addresses in common."""
    for found in world.overlaps:
        return failing(found.where, "overlap", found.message)
    path = ("networking",) if world.networks else ("clusters",)
    return holding(path, "apart", "no two networks have addresses in common")


def outside_public_subnets(subject: Subject, world: World) -> Evidence:
    """Whether none of the resource's subnets is reached from the internet."""
    for index, name in enumerate(subject.record.subnets):
        subnet = world.subnets.get(name)
        if subnet is not None and subnet.tier == "public":
            return failing((*subject.path, "subnets", index), name, f"the subnet {name} is public")
    return holding((*subject.path, "subnets"), "not public", "none of its subnets is public")
