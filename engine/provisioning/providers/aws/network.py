"""Networks (VPC) and subnets."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from provisioning.providers.aws.client import Aws
from provisioning.providers.aws.flow_logs import drop_flow_logs, ensure_flow_logs, flow_logs_of
from provisioning.providers.aws.kind import Query, concerns, only, retag
from provisioning.providers.aws.observed import observed
from provisioning.providers.aws.routes import drop_public_routes, public_parts, settle_tier, tables_of
from provisioning.providers.aws.tags import (
    TAG_TIER,
    filters_of,
    identity,
    identity_of,
    name_told,
    specification,
    tags_of,
    tags_told,
    unpaired,
)
from provisioning.providers.base import Calls
from provisioning.resource import TAG_ADDRESS, Found, Recorded, Wanted

AVAILABLE_LIMIT = 120  # seconds


def found_in_ec2(aws: Aws, operation: str, key: str, name: str, query: Query, *, filters: str = "Filters") -> list[Any]:
    """What EC2 tells about a query, whose ids are the values of the filter `name`."""
    if query.ids is not None:
        return aws.described(operation, key, name, query.ids, filters=filters)
    asked = {filters: filters_of(query.tags)} if query.tags else {}
    return aws.pages("ec2", operation, key, **asked)


class VpcKind:
    """A VPC, with DNS names, its default security group closed, flow logs. Its gateway comes with its first public subnet."""

    name: ClassVar[str] = "vpc"

    def create(self, aws: Aws, wanted: Wanted, calls: Calls) -> str:
        """Made first, settled afterwards."""
        listed = aws.pages("ec2", "describe_vpcs", "Vpcs", Filters=filters_of(identity(wanted)))
        if listed:
            vpc = listed[0]
        else:
            tags = specification("vpc", tags_of(wanted))
            vpc = aws.change(calls, "ec2", "create_vpc", CidrBlock=wanted.values["cidr"], **tags)["Vpc"]
        id_: str = vpc["VpcId"]
        aws.wait(calls, f"network {wanted.name} is there", lambda: self._is_available(aws, id_), AVAILABLE_LIMIT)
        aws.change(calls, "ec2", "modify_vpc_attribute", VpcId=id_, EnableDnsHostnames={"Value": True})
        self._settle(aws, id_, wanted, calls)
        return id_

    def _is_available(self, aws: Aws, id_: str) -> bool:
        listed = aws.described("describe_vpcs", "Vpcs", "vpc-id", [id_])
        return bool(listed) and listed[0].get("State", "available") == "available"

    def _settle(self, aws: Aws, id_: str, wanted: Wanted, calls: Calls) -> None:
        if wanted.values.get("default_security_group_closed"):
            _close_default_group(aws, id_, calls)
        if wanted.values.get("flow_logs"):
            ensure_flow_logs(aws, id_, wanted, calls)
        else:
            drop_flow_logs(aws, id_, calls)

    def update(self, aws: Aws, one: Recorded, wanted: Wanted, paths: frozenset[str], calls: Calls) -> None:
        """Everything but its addresses changes in place. A default group that was closed stays so until somebody opens it."""
        if concerns(paths, "flow_logs", "default_security_group_closed"):
            self._settle(aws, one.id, wanted, calls)
        retag(aws, calls, one.id, wanted, paths)

    def delete(self, aws: Aws, one: Recorded, calls: Calls) -> None:
        """Its own parts go first."""
        drop_flow_logs(aws, one.id, calls)
        drop_public_routes(aws, one.id, calls, owner=identity_of(one))
        aws.remove(calls, "ec2", "delete_vpc", VpcId=one.id)

    def look(self, aws: Aws, query: Query) -> Sequence[Found]:
        """Networks with their gateways, default groups and flow logs."""
        vpcs = found_in_ec2(aws, "describe_vpcs", "Vpcs", "vpc-id", query)
        ids = [vpc["VpcId"] for vpc in vpcs]
        if not ids:
            return []
        closed = _closed_groups(aws, ids)
        logged, parts = flow_logs_of(aws, ids), public_parts(aws, ids)
        return [self._found(vpc, query, closed, logged, parts) for vpc in vpcs]

    def _found(
        self,
        vpc: Mapping[str, Any],
        query: Query,
        closed: Mapping[str, bool],
        logged: Mapping[str, str],
        parts: Mapping[str, Mapping[str, str]],
    ) -> Found:
        id_, tags = vpc["VpcId"], unpaired(vpc.get("Tags"))
        values = query.values_of(id_)
        told = {
            **name_told(tags, values),
            "cidr": vpc["CidrBlock"],
            "flow_logs": id_ in logged,
            "default_security_group_closed": closed.get(id_, False),
            **tags_told(tags, values),
        }
        if values is not None and values.get("default_security_group_closed") is False:
            # "Need not be closed": closing it is no drift.
            del told["default_security_group_closed"]
        logs = {"flow_log": logged[id_]} if id_ in logged else {}
        return Found(
            self.name,
            id_,
            "available" if vpc.get("State", "available") == "available" else "pending",
            tags.get(TAG_ADDRESS, ""),
            observed(told, values),
            {"id": id_},
            {**parts.get(id_, {}), **logs},
            tags,
        )


def _default_group(aws: Aws, ids: Sequence[str]) -> list[Any]:
    groups = aws.described("describe_security_groups", "SecurityGroups", "vpc-id", ids)
    return [group for group in groups if group["GroupName"] == "default"]


def _close_default_group(aws: Aws, id_: str, calls: Calls) -> None:
    for group in _default_group(aws, [id_]):
        for direction, key in (("ingress", "IpPermissions"), ("egress", "IpPermissionsEgress")):
            if group.get(key):
                operation = f"revoke_security_group_{direction}"
                aws.remove(calls, "ec2", operation, GroupId=group["GroupId"], IpPermissions=group[key], part="default-group")


def _closed_groups(aws: Aws, ids: Sequence[str]) -> dict[str, bool]:
    groups = _default_group(aws, ids)
    return {group["VpcId"]: not group.get("IpPermissions") and not group.get("IpPermissionsEgress") for group in groups}


class SubnetKind:
    """A subnet; its tier is which route table it has."""

    name: ClassVar[str] = "subnet"

    def create(self, aws: Aws, wanted: Wanted, calls: Calls) -> str:
        """Made in the zone that is named, else in the one that has the fewest subnets of its tier."""
        vpc = only(wanted.named("vpc"), "network", wanted)
        tier = wanted.values["tier"]
        with aws.clients.lock(vpc.id):
            listed = aws.pages("ec2", "describe_subnets", "Subnets", Filters=filters_of(identity(wanted)))
            if listed:
                subnet = listed[0]
            else:
                subnet = aws.change(
                    calls,
                    "ec2",
                    "create_subnet",
                    VpcId=vpc.id,
                    CidrBlock=wanted.values["cidr"],
                    AvailabilityZone=wanted.values.get("zone") or _least_used_zone(aws, vpc.id, tier),
                    **specification("subnet", tags_of(wanted, **{TAG_TIER: tier})),
                )["Subnet"]
        id_: str = subnet["SubnetId"]
        aws.wait(calls, f"subnet {wanted.name} is there", lambda: self._is_available(aws, id_), AVAILABLE_LIMIT)
        if bool(wanted.values.get("map_public_ip")) != bool(subnet.get("MapPublicIpOnLaunch")):
            self._map_public_ip(aws, id_, wanted, calls)
        settle_tier(aws, id_, wanted, calls)
        return id_

    def _is_available(self, aws: Aws, id_: str) -> bool:
        listed = aws.described("describe_subnets", "Subnets", "subnet-id", [id_])
        return bool(listed) and listed[0].get("State", "available") == "available"

    def _map_public_ip(self, aws: Aws, id_: str, wanted: Wanted, calls: Calls) -> None:
        value = {"Value": bool(wanted.values.get("map_public_ip"))}
        aws.change(calls, "ec2", "modify_subnet_attribute", SubnetId=id_, MapPublicIpOnLaunch=value)

    def update(self, aws: Aws, one: Recorded, wanted: Wanted, paths: frozenset[str], calls: Calls) -> None:
        """Another tier is another route table."""
        if concerns(paths, "map_public_ip"):
            self._map_public_ip(aws, one.id, wanted, calls)
        # The tag first: it says which subnets a NAT gateway serves.
        retag(aws, calls, one.id, wanted, paths, **{TAG_TIER: wanted.values["tier"]})
        if concerns(paths, "tier"):
            settle_tier(aws, one.id, wanted, calls)
            drop_public_routes(aws, only(wanted.named("vpc"), "network", wanted).id, calls)

    def delete(self, aws: Aws, one: Recorded, calls: Calls) -> None:
        """The last public subnet takes the network's gateway with it."""
        aws.remove(calls, "ec2", "delete_subnet", SubnetId=one.id)
        if vpc := one.outputs.get("vpc_id"):
            drop_public_routes(aws, vpc, calls)

    def look(self, aws: Aws, query: Query) -> Sequence[Found]:
        """Subnets with their tier by what they are routed to."""
        subnets = found_in_ec2(aws, "describe_subnets", "Subnets", "subnet-id", query)
        tables = tables_of(aws, [subnet["SubnetId"] for subnet in subnets])
        return [self._found(subnet, query, tables.get(subnet["SubnetId"])) for subnet in subnets]

    def _found(self, subnet: Mapping[str, Any], query: Query, table: Mapping[str, Any] | None) -> Found:
        id_, tags = subnet["SubnetId"], unpaired(subnet.get("Tags"))
        values = query.values_of(id_)
        is_public = any(str(route.get("GatewayId", "")).startswith("igw-") for route in (table or {}).get("Routes", ()))
        meant = tags.get(TAG_TIER, "private")
        told = {
            **name_told(tags, values),
            "cidr": subnet["CidrBlock"],
            "zone": subnet["AvailabilityZone"],
            "map_public_ip": bool(subnet.get("MapPublicIpOnLaunch")),
            "tier": "public" if is_public else ("private" if meant == "public" else meant),
        }
        return Found(
            self.name,
            id_,
            "available" if subnet.get("State", "available") == "available" else "pending",
            tags.get(TAG_ADDRESS, ""),
            observed(told, values),
            {"id": id_, "vpc_id": subnet["VpcId"], "zone": subnet["AvailabilityZone"]},
            {},
            tags,
        )


def _least_used_zone(aws: Aws, vpc: str, tier: str) -> str:
    state = [{"Name": "state", "Values": ["available"]}, {"Name": "zone-type", "Values": ["availability-zone"]}]
    zones = sorted(
        zone["ZoneName"] for zone in aws.call("ec2", "describe_availability_zones", Filters=state)["AvailabilityZones"]
    )
    used = [
        subnet["AvailabilityZone"]
        for subnet in aws.described("describe_subnets", "Subnets", "vpc-id", [vpc])
        if unpaired(subnet.get("Tags")).get(TAG_TIER) == tier
    ]
    return str(min(zones, key=lambda zone: (used.count(zone), zone)))
