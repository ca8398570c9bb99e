"""The configuration's networks: VPCs, subnets, gateways, routes, flow logs."""

from collections.abc import Sequence
from typing import Any

from prov_gen.export.terraform.aws.roles import account, own_role
from prov_gen.export.terraform.document import Body, Expression, label_of, name_of, reference, referred
from prov_gen.export.terraform.item import SUBNET_SEPARATOR, Item, subnet_label
from prov_gen.export.terraform.rows import Attribute, Special, Tags, find, unescape_text
from prov_gen.export.terraform.table import Found, Main, linked

_ANYWHERE = "0.0.0.0/0"
_PEER_ROUTE = "peer"


def _addresses(name: str, attribute: str, second: str) -> Special:
    """A field of addresses, which has one attribute for version 4 and another for version 6."""

    def write(item: Item, body: Body) -> None:
        cidr = item.get(name)
        body[second if ":" in cidr else attribute] = cidr

    def read(body: Body, record: dict[str, Any]) -> None:
        cidr = body.get(attribute) or body.get(second)
        if cidr:
            record[name] = cidr

    return Special(write, read)


_SUBNET = _addresses("cidr", "cidr_block", "ipv6_cidr_block")
_PEER = _addresses("peer_cidr", "destination_cidr_block", "destination_ipv6_cidr_block")


def _add_vpc(item: Item, cidr: str) -> None:
    """A network without its parts."""
    label, name = item.label, item.get("name")
    body: Body = {"enable_dns_support": True, "enable_dns_hostnames": True}
    _addresses(cidr, "cidr_block", "ipv6_cidr_block").write(item, body)
    tags: Body = {"tags": {"Name": name}}
    if hasattr(item.raw, "tags"):
        Tags(shown="Name").write(item, tags)
        if environment := item.get("environment"):
            tags["tags"]["prov-environment"] = environment
    item.put("aws_vpc", label, body | tags)
    if item.get("default_security_group_closed"):
        item.put("aws_default_security_group", label, {"vpc_id": reference("aws_vpc", label)})
    if item.get("flow_logs"):
        group = {"name": f"/vpc/{name}/flow-logs", "retention_in_days": 365}
        item.put("aws_cloudwatch_log_group", f"{label}_flow", group)
        log = {
            "vpc_id": reference("aws_vpc", label),
            "traffic_type": "ALL",
            "log_destination": reference("aws_cloudwatch_log_group", f"{label}_flow", "arn"),
            "iam_role_arn": _logger(item, reference("aws_cloudwatch_log_group", f"{label}_flow", "arn")),
        }
        item.put("aws_flow_log", label, log)


def _logger(item: Item, group: Expression) -> Expression:
    """The role that writes a network's traffic into its log group. Source: Amazon VPC User Guide, "IAM role for publishing"."""
    write = {"Effect": "Allow", "Action": ["logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams"]}
    # Groups are listed for a whole account; AWS knows no such permission for a single one.
    look = {"Effect": "Allow", "Action": "logs:DescribeLogGroups", "Resource": f"arn:aws:logs:*:{account(item)}:log-group:*"}
    return own_role(item, "flow_logs", "vpc-flow-logs", [write | {"Resource": [group, f"{group}:*"]}, look])


def _add_subnets(item: Item, nat: str) -> None:
    vpc, seen = item.raw.name, set[str]()
    public: list[tuple[str, str | None]] = []
    rest: list[tuple[str, str | None]] = []
    for index, record in enumerate(item.get("subnets")):
        subnet = item.inside(record, "")
        raw, label = subnet.raw, subnet_label(vpc, subnet.raw.name)
        if raw.name in seen:
            item.leave(f"subnets.{index}", "another subnet of the network has that name")
            continue
        seen.add(raw.name)
        body: Body = {"vpc_id": reference("aws_vpc", item.label)}
        _SUBNET.write(subnet, body)
        Attribute("zone", "availability_zone").write(subnet, body)
        Attribute("map_public_ip", "map_public_ip_on_launch").write(subnet, body)
        body["tags"] = {"Name": subnet.get("name"), "prov-tier": subnet.get("tier")}
        subnet.put("aws_subnet", label, body)
        if raw.tier == "public":
            public.append((label, raw.zone))
        elif raw.tier == "private":
            rest.append((label, raw.zone))
    _add_routes(item, public, rest, nat)


def _add_routes(
    item: Item, public: Sequence[tuple[str, str | None]], private: Sequence[tuple[str, str | None]], nat: str
) -> None:
    own = reference("aws_vpc", item.label)
    if not public:
        if nat != "none":
            item.leave("nat", "a NAT gateway stands in a public subnet, and there is none")
        return
    tags = {"Name": item.raw.name}
    item.put("aws_internet_gateway", item.label, {"vpc_id": own, "tags": tags})
    _add_table(
        item, f"{item.label}_public", "gateway_id", reference("aws_internet_gateway", item.label), [name for name, _ in public]
    )
    if nat == "none":
        return
    gateways = public if nat == "per_zone" else public[:1]
    zones: dict[str | None, str] = {}
    for subnet, zone in gateways:
        label = subnet if nat == "per_zone" else item.label
        if zone in zones:
            continue
        zones[zone] = label
        item.put("aws_eip", label, {"domain": "vpc", "tags": tags})
        body = {"allocation_id": reference("aws_eip", label), "subnet_id": reference("aws_subnet", subnet), "tags": tags}
        item.put("aws_nat_gateway", label, body)
    first = next(iter(zones.values()))
    for label in dict.fromkeys(zones.values()):
        served = [name for name, zone in private if zones.get(zone, first) == label]
        _add_table(item, f"{label}_private", "nat_gateway_id", reference("aws_nat_gateway", label), served)


def _add_table(item: Item, label: str, target: str, gateway: Expression, subnets: list[str]) -> None:
    route = {"cidr_block": _ANYWHERE, target: gateway}
    item.put("aws_route_table", label, {"vpc_id": reference("aws_vpc", item.label), "route": [route], "tags": {"Name": label}})
    for subnet in subnets:
        body = {"subnet_id": reference("aws_subnet", subnet), "route_table_id": reference("aws_route_table", label)}
        item.put("aws_route_table_association", subnet, body)


def _more(item: Item) -> None:
    for name in ("pod_cidr", "service_cidr"):
        item.leave(name, "a network of AWS knows nothing of pods and services")
    _add_vpc(item, "vpc_cidr")
    _add_subnets(item, item.get("nat"))
    seen = {item.raw.name}
    for index, record in enumerate(item.get("vpcs")):
        further = item.inside(record, label_of(record.name))
        if record.name in seen:
            item.leave(f"vpcs.{index}", "another network has that name")
            continue
        seen.add(record.name)
        _add_vpc(further, "cidr")
        _add_subnets(further, "none")
    for index, record in enumerate(item.get("peerings")):
        peering = item.inside(record, label_of(record.name))
        if f"aws_vpc_peering_connection.{peering.label}" in item.document.origin:
            item.leave(f"peerings.{index}", "another peering has that name")
            continue
        _add_peering(item, peering)


def _add_peering(item: Item, peering: Item) -> None:
    own = reference("aws_vpc", item.label)
    body: Body = {"vpc_id": own, "peer_vpc_id": item.refer("vpc", peering.raw.peer) or peering.get("peer"), "auto_accept": True}
    peering.get("peer")
    item.put("aws_vpc_peering_connection", peering.label, body | {"tags": {"Name": peering.get("name")}})
    route: Body = {"route_table_id": reference("aws_vpc", item.label, "main_route_table_id")}
    _PEER.write(peering, route)
    route["vpc_peering_connection_id"] = reference("aws_vpc_peering_connection", peering.label)
    item.put("aws_route", f"{_PEER_ROUTE}_{peering.raw.name}", route)


def _subnets(label: str, found: Found) -> list[dict[str, Any]]:
    subnets = []
    for name, body in found("aws_subnet").items():
        target = referred(body.get("vpc_id"))
        if not target or target[1] != label:
            continue
        subnet: dict[str, Any] = {"name": name.lstrip("_").partition(SUBNET_SEPARATOR)[2] or name_of(name)}
        tier = find(body, "tags.prov-tier")
        if tier:
            subnet["tier"] = tier
        for row in (_SUBNET, Attribute("zone", "availability_zone"), Attribute("map_public_ip", "map_public_ip_on_launch")):
            row.read(body, subnet)
        subnets.append(subnet)
    return subnets


def read_vpc(label: str, body: Body, found: Found, cidr: str) -> dict[str, Any]:
    """A network from its resources. `cidr` is the name of the field that holds its addresses."""
    record: dict[str, Any] = {"name": name_of(label), "subnets": _subnets(label, found)}
    _addresses(cidr, "cidr_block", "ipv6_cidr_block").read(body, record)
    record["flow_logs"] = linked(found("aws_flow_log"), "aws_vpc", label, "vpc_id") is not None
    record["default_security_group_closed"] = linked(found("aws_default_security_group"), "aws_vpc", label, "vpc_id") is not None
    return record


def _nat(found: Found) -> str:
    gateways = found("aws_nat_gateway")
    if not gateways:
        return "none"
    return "single" if len(gateways) == 1 and not any(label in found("aws_subnet") for label in gateways) else "per_zone"


def read_networking(found: Found) -> dict[str, Any] | None:
    """The whole of `networking`: the first network is the configuration's own, the others are further ones."""
    vpcs = list(found("aws_vpc").items())
    if not vpcs:
        return None
    own = read_vpc(*vpcs[0], found, "vpc_cidr") | {"nat": _nat(found)}
    further = []
    for label, body in vpcs[1:]:
        record = read_vpc(label, body, found, "cidr")
        Tags(shown="Name").read(body, record)
        environment = record.get("tags", {}).pop("prov-environment", None)
        further.append(record | ({"environment": environment} if environment else {}))
    peerings = []
    for label, body in found("aws_vpc_peering_connection").items():
        peer, route = (
            referred(body.get("peer_vpc_id")),
            linked(found("aws_route"), "aws_vpc_peering_connection", label, "vpc_peering_connection_id"),
        )
        if route:
            peering = {"name": name_of(label), "peer": name_of(peer[1]) if peer else unescape_text(body.get("peer_vpc_id"))}
            _PEER.read(route[1], peering)
            peerings.append(peering)
    return own | {"vpcs": further, "peerings": peerings}


NETWORKING = Main("networking", "", (), more=_more)
