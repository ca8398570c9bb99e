"""Which way out a subnet has: the route table of its tier, the internet gateway, the NAT gateways' tables.

A network's gateway and public table are made for its first public subnet and go with the last; they carry the network's address.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from provisioning.providers.aws.client import Aws, token_of
from provisioning.providers.aws.kind import only
from provisioning.providers.aws.tags import NAME, TAG_TIER, filters_of, specification, unpaired
from provisioning.providers.base import Calls
from provisioning.resource import TAG_ADDRESS, TAG_LINEAGE, TAG_PART, Ref, Wanted

ANYWHERE = "0.0.0.0/0"
GATEWAY, PUBLIC_ROUTES = "internet-gateway", "public-routes"
PRIVATE_ROUTES = "routes-"
"""The start of the part of a NAT gateway's table; the zone follows."""


def settle_tier(aws: Aws, subnet: str, wanted: Wanted, calls: Calls) -> None:
    """Give a subnet the route table of its tier."""
    vpc: Ref = only(wanted.named("vpc"), "network", wanted)
    with aws.clients.lock(vpc.id):
        tier = wanted.values["tier"]
        if tier == "public":
            table = _ensure_public_routes(aws, vpc, wanted, calls)
        else:
            table = _private_table(aws, vpc.id, subnet) if tier == "private" else ""
        join_table(aws, subnet, table, calls)


def join_table(aws: Aws, subnet: str, table: str, calls: Calls) -> None:
    """Make a route table the subnet's; "" for the network's main one, which leads nowhere."""
    now = tables_of(aws, [subnet]).get(subnet)
    if (now["RouteTableId"] if now else "") == table:
        return
    association = next((one for one in (now or {}).get("Associations", ()) if one.get("SubnetId") == subnet), None)
    if association is None:
        aws.change(calls, "ec2", "associate_route_table", RouteTableId=table, SubnetId=subnet)
    elif table:
        joined = association["RouteTableAssociationId"]
        aws.change(calls, "ec2", "replace_route_table_association", AssociationId=joined, RouteTableId=table)
    else:
        aws.remove(calls, "ec2", "disassociate_route_table", AssociationId=association["RouteTableAssociationId"])


def tables_of(aws: Aws, subnets: Sequence[str]) -> dict[str, Any]:
    """The route table of each subnet that has one of its own."""
    wanted = set(subnets)
    found: dict[str, Any] = {}
    for table in aws.described("describe_route_tables", "RouteTables", "association.subnet-id", subnets):
        for one in table.get("Associations", ()):
            if one.get("SubnetId") in wanted:
                found[one["SubnetId"]] = table
    return found


def tables_in(aws: Aws, vpcs: Sequence[str], part: str) -> list[Any]:
    """The route tables of networks whose part begins so."""
    tables = aws.described("describe_route_tables", "RouteTables", "vpc-id", vpcs)
    return [table for table in tables if unpaired(table.get("Tags")).get(TAG_PART, "").startswith(part)]


def public_parts(aws: Aws, vpcs: Sequence[str]) -> dict[str, dict[str, str]]:
    """The gateway and the public table of each network that has them."""
    found: dict[str, dict[str, str]] = {vpc: {} for vpc in vpcs}
    for gateway in aws.described("describe_internet_gateways", "InternetGateways", "attachment.vpc-id", vpcs):
        for attachment in gateway["Attachments"]:
            found.setdefault(attachment["VpcId"], {})[GATEWAY] = gateway["InternetGatewayId"]
    for table in tables_in(aws, vpcs, PUBLIC_ROUTES):
        found[table["VpcId"]][PUBLIC_ROUTES] = table["RouteTableId"]
    return found


def _private_table(aws: Aws, vpc: str, subnet: str) -> str:
    tables = {unpaired(table["Tags"])[TAG_PART]: table["RouteTableId"] for table in tables_in(aws, [vpc], PRIVATE_ROUTES)}
    if not tables:
        return ""
    zone = aws.described("describe_subnets", "Subnets", "subnet-id", [subnet])[0]["AvailabilityZone"]
    return str(tables.get(f"{PRIVATE_ROUTES}{zone}") or tables[min(tables)])


def _tags_of_part(vpc: Ref, wanted: Wanted, part: str) -> dict[str, str]:
    name = vpc.address.partition(".")[2]
    own = {TAG_ADDRESS: vpc.address, TAG_LINEAGE: wanted.tags.get(TAG_LINEAGE, ""), TAG_PART: part}
    return {NAME: f"{name}-{part}", **(vpc.values.get("tags") or {}), **own}


def _ensure_public_routes(aws: Aws, vpc: Ref, wanted: Wanted, calls: Calls) -> str:
    gateway = _ensure_gateway(aws, vpc, wanted, calls)
    tables = tables_in(aws, [vpc.id], PUBLIC_ROUTES)
    if tables:
        table = tables[0]
    else:
        tags = specification("route-table", _tags_of_part(vpc, wanted, PUBLIC_ROUTES))
        token = token_of(wanted.token, PUBLIC_ROUTES)
        table = aws.change(calls, "ec2", "create_route_table", part=PUBLIC_ROUTES, VpcId=vpc.id, ClientToken=token, **tags)[
            "RouteTable"
        ]
    ensure_route(aws, table, calls, GatewayId=gateway)
    return str(table["RouteTableId"])


def ensure_route(aws: Aws, table: Mapping[str, Any], calls: Calls, **target: str) -> None:
    """Lead everything that is not the network's own to a gateway."""
    key, gateway = next(iter(target.items()))
    now = next((route for route in table.get("Routes", ()) if route.get("DestinationCidrBlock") == ANYWHERE), None)
    if now is not None and now.get(key) == gateway:
        return
    operation = "create_route" if now is None else "replace_route"
    aws.change(calls, "ec2", operation, RouteTableId=table["RouteTableId"], DestinationCidrBlock=ANYWHERE, **target)


def _ensure_gateway(aws: Aws, vpc: Ref, wanted: Wanted, calls: Calls) -> str:
    attached = aws.described("describe_internet_gateways", "InternetGateways", "attachment.vpc-id", [vpc.id])
    if attached:
        return str(attached[0]["InternetGatewayId"])
    tags = _tags_of_part(vpc, wanted, GATEWAY)
    own = {key: tags[key] for key in (TAG_ADDRESS, TAG_LINEAGE, TAG_PART)}
    loose = aws.pages("ec2", "describe_internet_gateways", "InternetGateways", Filters=filters_of(own))
    if loose:
        gateway = loose[0]
    else:
        gateway = aws.change(calls, "ec2", "create_internet_gateway", part=GATEWAY, **specification("internet-gateway", tags))[
            "InternetGateway"
        ]
    id_ = str(gateway["InternetGatewayId"])
    aws.change(calls, "ec2", "attach_internet_gateway", part=GATEWAY, InternetGatewayId=id_, VpcId=vpc.id)
    return id_


def drop_public_routes(aws: Aws, vpc: str, calls: Calls, *, owner: Mapping[str, str] | None = None) -> None:
    """Remove a network's public table and gateway where no public subnet is left. `owner` is the network's identity."""
    with aws.clients.lock(vpc):
        listed = aws.described("describe_vpcs", "Vpcs", "vpc-id", [vpc])
        if _public_subnets(aws, vpc):
            return
        for table in tables_in(aws, [vpc], PUBLIC_ROUTES):
            for one in table.get("Associations", ()):
                aws.remove(calls, "ec2", "disassociate_route_table", AssociationId=one["RouteTableAssociationId"])
            aws.remove(calls, "ec2", "delete_route_table", part=PUBLIC_ROUTES, RouteTableId=table["RouteTableId"])
        tags = unpaired(listed[0].get("Tags")) if listed else {}
        known = {key: tags[key] for key in (TAG_ADDRESS, TAG_LINEAGE) if key in tags}
        for own in (owner, known):
            if own and len(own) == 2:
                _drop_gateways(aws, {**own, TAG_PART: GATEWAY}, calls)


def _public_subnets(aws: Aws, vpc: str) -> list[Any]:
    subnets = aws.described("describe_subnets", "Subnets", "vpc-id", [vpc])
    return [subnet for subnet in subnets if unpaired(subnet.get("Tags")).get(TAG_TIER) == "public"]


def _drop_gateways(aws: Aws, tags: Mapping[str, str], calls: Calls) -> None:
    for gateway in aws.pages("ec2", "describe_internet_gateways", "InternetGateways", Filters=filters_of(tags)):
        id_ = gateway["InternetGatewayId"]
        for attachment in gateway.get("Attachments", ()):
            aws.remove(calls, "ec2", "detach_internet_gateway", part=GATEWAY, InternetGatewayId=id_, VpcId=attachment["VpcId"])
        aws.remove(calls, "ec2", "delete_internet_gateway", part=GATEWAY, InternetGatewayId=id_)


def public_subnet_of_each_zone(aws: Aws, vpc: str) -> dict[str, str]:
    """The first public subnet of each zone of a network."""
    found: dict[str, str] = {}
    for subnet in sorted(_public_subnets(aws, vpc), key=lambda one: (one["AvailabilityZone"], one["SubnetId"])):
        found.setdefault(subnet["AvailabilityZone"], subnet["SubnetId"])
    return found


def private_subnets(aws: Aws, vpc: str) -> dict[str, str]:
    """The private subnets of a network with their zones."""
    subnets = aws.described("describe_subnets", "Subnets", "vpc-id", [vpc])
    return {
        subnet["SubnetId"]: subnet["AvailabilityZone"]
        for subnet in subnets
        if unpaired(subnet.get("Tags")).get(TAG_TIER) == "private"
    }
