"""Predicates about what the internet reaches and how networks lie."""

from collections.abc import Iterator, Sequence

from prov_gen.layers.security import ALL_PORTS, is_internet
from prov_gen.model.network import SecurityGroup, SecurityRule
from prov_judge.compliance.evidence import Evidence, counted, failing, holding, unknown
from prov_judge.compliance.model import Path
from prov_judge.compliance.scope import Subject, World

_WAY = {"ingress": "from", "egress": "to"}


def closed_to_internet(
    subject: Subject, world: World, *, ports: Sequence[int], protocols: Sequence[str] = ("tcp",), with_ssh: bool = False
) -> Evidence:
    """Whether a security group lets the whole internet reach none of these ports (`with_ssh`: nor where its servers have SSH)."""
    group = subject.record
    guarded = sorted({*ports, *world.ssh_ports.get(group.name, ())}) if with_ssh else ports
    for rule, path, cidr in _internet_rules(group, subject.path, "ingress"):
        if rule.protocol != "all" and rule.protocol not in protocols:
            continue
        first, last = _range(rule)
        if opened := [port for port in guarded if first <= port <= last]:
            return failing(path, cidr, f"port {', '.join(map(str, opened))} is open from {cidr}")
    words = f"no rule opens port {', '.join(map(str, guarded))} to the internet"
    return holding((*subject.path, "rules"), counted(len(group.rules), "rule"), words)


def few_ports_open(subject: Subject, _world: World, *, share: float, direction: str = "ingress") -> Evidence:
    """Whether the rules of a security group together open less than this share of all ports to the whole internet."""
    group = subject.record
    opened: dict[str, list[tuple[int, int]]] = {"tcp": [], "udp": []}
    way = _WAY[direction]
    for rule, path, cidr in _internet_rules(group, subject.path, direction):
        for protocol in opened if rule.protocol == "all" else (rule.protocol,):
            opened[protocol].append(_range(rule))
            count = _covered(opened[protocol])
            if count >= share * ALL_PORTS:
                what = "every port is" if count == ALL_PORTS else f"{count} of {ALL_PORTS} ports are"
                return failing(path, cidr, f"{what} open {way} {cidr}")
    words = f"no rules open most ports {'to' if direction == 'egress' else 'from'} the internet"
    return holding((*subject.path, "rules"), counted(len(group.rules), "rule"), words)


def _internet_rules(group: SecurityGroup, where: Path, direction: str) -> Iterator[tuple[SecurityRule, Path, str]]:
    """Rules with ports that name the whole internet, with the place of its first network."""
    for index, rule in enumerate(group.rules):
        if rule.direction == direction and rule.protocol != "icmp":
            wide = next((position for position, cidr in enumerate(rule.cidrs) if is_internet(cidr)), None)
            if wide is not None:
                yield rule, (*where, "rules", index, "cidrs", wide), rule.cidrs[wide]


def _range(rule: SecurityRule) -> tuple[int, int]:
    if rule.protocol == "all" or rule.from_port is None:
        return 0, ALL_PORTS - 1
    return rule.from_port, rule.to_port if rule.to_port is not None else rule.from_port


def _covered(ranges: Sequence[tuple[int, int]]) -> int:
    """How many ports lie in at least one of the ranges."""
    count, beyond = 0, 0
    for first, last in sorted(ranges):
        count += max(0, last + 1 - max(first, beyond))
        beyond = max(beyond, last + 1)
    return count


def no_public_address(subject: Subject, world: World) -> Evidence:
    """Whether a server has no public address, by itself or by its subnet."""
    networking = subject.record.networking
    path = (*subject.path, "networking", "public_ip")
    if networking.public_ip:
        return failing(path, "true", "it has a public address")
    subnets = world.subnets_named(networking.subnet, networking.vpc or world.main_network)
    path_of_subnet = (*subject.path, "networking", "subnet")
    giving = [subnet for subnet in subnets if subnet.map_public_ip]
    if giving and len(giving) == len(subnets):
        return failing(path_of_subnet, giving[0].name, f"its subnet {giving[0].name} gives public addresses")
    if giving:
        return unknown(path_of_subnet, giving[0].name, _which(giving[0].name))
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
    doubt: Evidence | None = None
    for index, name in enumerate(subject.record.subnets):
        path = (*subject.path, "subnets", index)
        subnets = world.subnets_named(name)
        public = [subnet for subnet in subnets if subnet.tier == "public"]
        if public and len(public) == len(subnets):
            return failing(path, name, f"the subnet {name} is public")
        if public:
            doubt = doubt or unknown(path, name, _which(name))
    return doubt or holding((*subject.path, "subnets"), "not public", "none of its subnets is public")


def _which(name: str) -> str:
    return f"several networks have a subnet {name}, and only some of these are public"
