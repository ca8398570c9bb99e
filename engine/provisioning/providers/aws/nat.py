"""NAT gateways of a network: one, or one for each zone that has a public subnet, with an address and a route table each."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

from provisioning.errors import ProviderError
from provisioning.providers.aws.client import Aws, token_of
from provisioning.providers.aws.kind import Query, not_yet, only, retag
from provisioning.providers.aws.network import found_in_ec2
from provisioning.providers.aws.observed import observed
from provisioning.providers.aws.routes import (
    PRIVATE_ROUTES,
    ensure_route,
    join_table,
    private_subnets,
    public_subnet_of_each_zone,
)
from provisioning.providers.aws.tags import filters_of, identity, identity_of, specification, tags_of, unpaired
from provisioning.providers.base import Calls
from provisioning.resource import TAG_ADDRESS, TAG_LINEAGE, TAG_PART, Found, Recorded, Wanted

ADDRESS, GATEWAY = "address-", "gateway-"
"""Starts of the parts' names; the zone follows."""

LIMIT = 600  # seconds
_LIVE = ("pending", "available")


class NatKind:
    """The NAT gateways of one network. The first one by zone is the main object, all are parts."""

    name: ClassVar[str] = "nat"

    def create(self, aws: Aws, wanted: Wanted, calls: Calls) -> str:
        """Gateways first, then the tables that lead to them, then the private subnets."""
        vpc = only(wanted.named("vpc"), "network", wanted)
        publics = public_subnet_of_each_zone(aws, vpc.id)
        if not publics:
            raise not_yet(wanted.address, "a NAT gateway stands in a public subnet, and the network has none yet")
        own = identity(wanted)
        made = {part.removeprefix(GATEWAY): gateway for part, gateway in _gateways(aws, own).items()}
        if wanted.values["nat"] == "per_zone":
            zones = sorted(publics)
        else:
            zones = [zone for zone in sorted(made) if zone in publics][:1] or [min(publics)]
        gateways = {zone: self._ensure_gateway(aws, zone, publics[zone], made, wanted, calls) for zone in zones}
        for zone, id_ in gateways.items():
            self._wait(aws, id_, calls)
            self._ensure_table(aws, vpc.id, zone, id_, wanted, calls)
        self._join(aws, vpc.id, own, zones, calls)
        _drop(aws, own, set(zones), calls)
        return gateways[zones[0]]

    def _ensure_gateway(
        self, aws: Aws, zone: str, subnet: str, made: Mapping[str, Mapping[str, Any]], wanted: Wanted, calls: Calls
    ) -> str:
        if zone in made:
            return str(made[zone]["NatGatewayId"])
        part = f"{ADDRESS}{zone}"
        tags = tags_of(wanted, part)
        kept = aws.pages("ec2", "describe_addresses", "Addresses", Filters=filters_of({**identity(wanted), TAG_PART: part}))
        address = kept[0] if kept else aws.change(
            calls, "ec2", "allocate_address", part=part, Domain="vpc", **specification("elastic-ip", tags)
        )  # fmt: skip
        part = f"{GATEWAY}{zone}"
        gateway = aws.change(
            calls,
            "ec2",
            "create_nat_gateway",
            part=part,
            SubnetId=subnet,
            AllocationId=address["AllocationId"],
            ClientToken=token_of(wanted.token, part),
            **specification("natgateway", tags_of(wanted, part)),
        )["NatGateway"]
        return str(gateway["NatGatewayId"])

    def _wait(self, aws: Aws, id_: str, calls: Calls) -> None:
        def is_available() -> bool:
            listed = aws.described("describe_nat_gateways", "NatGateways", "nat-gateway-id", [id_], filters="Filter")
            if listed and listed[0]["State"] == "failed":
                raise ProviderError(f"AWS: NAT gateway {id_} failed: {listed[0].get('FailureMessage', '')}")
            return bool(listed) and listed[0]["State"] == "available"

        aws.wait(calls, f"NAT gateway {id_} is available", is_available, LIMIT)

    def _ensure_table(self, aws: Aws, vpc: str, zone: str, gateway: str, wanted: Wanted, calls: Calls) -> None:
        part = f"{PRIVATE_ROUTES}{zone}"
        with aws.clients.lock(vpc):
            table = _tables(aws, identity(wanted)).get(part)
            if table is None:
                tags = specification("route-table", tags_of(wanted, part))
                token = token_of(wanted.token, part)
                table = aws.change(calls, "ec2", "create_route_table", part=part, VpcId=vpc, ClientToken=token, **tags)[
                    "RouteTable"
                ]
            ensure_route(aws, table, calls, NatGatewayId=gateway)

    def _join(self, aws: Aws, vpc: str, own: Mapping[str, str], zones: Sequence[str], calls: Calls) -> None:
        with aws.clients.lock(vpc):
            tables = {part.removeprefix(PRIVATE_ROUTES): table["RouteTableId"] for part, table in _tables(aws, own).items()}
            for subnet, zone in private_subnets(aws, vpc).items():
                join_table(aws, subnet, tables[zone if zone in zones else zones[0]], calls)

    def update(self, aws: Aws, one: Recorded, wanted: Wanted, paths: frozenset[str], calls: Calls) -> None:
        """From one gateway to one for each zone, or back."""
        self.create(aws, wanted, calls)
        retag(aws, calls, one.id, wanted, paths)

    def delete(self, aws: Aws, one: Recorded, calls: Calls) -> None:
        """Tables, gateways, and their addresses when the gateways are gone."""
        if own := identity_of(one):
            _drop(aws, own, set(), calls)

    def look(self, aws: Aws, query: Query) -> Sequence[Found]:
        """The gateways of each network, together. An id that is asked for is the main one of its network."""
        listed = found_in_ec2(aws, "describe_nat_gateways", "NatGateways", "nat-gateway-id", query, filters="Filter")
        found: list[Found] = []
        for own in _owners(gateway for gateway in listed if gateway["State"] in _LIVE):
            gateways, tables = _gateways(aws, own), _tables(aws, own)
            addresses = {
                f"{ADDRESS}{part.removeprefix(GATEWAY)}": _address_of(gateway).get("AllocationId", "")
                for part, gateway in gateways.items()
            }
            ids = [gateway["NatGatewayId"] for _, gateway in sorted(gateways.items())]
            id_ = next((one for one in ids if one in (query.ids or ())), ids[0])
            main = next(gateway for gateway in gateways.values() if gateway["NatGatewayId"] == id_)
            values = query.values_of(id_)
            told: dict[str, Any] = {"nat": "per_zone" if len(ids) > 1 else "single"}
            if len(ids) == 1 and (values or {}).get("nat") == "per_zone":
                # One zone has public subnets, or one gateway is gone: these look alike.
                told = {}
            parts = {
                **addresses,
                **{part: gateway["NatGatewayId"] for part, gateway in gateways.items()},
                **{part: table["RouteTableId"] for part, table in tables.items()},
            }
            public = [_address_of(gateway).get("PublicIp", "") for _, gateway in sorted(gateways.items())]
            status = "available" if all(one["State"] == "available" for one in gateways.values()) else "pending"
            tags = unpaired(main.get("Tags"))
            outputs = {"id": id_, "vpc_id": main["VpcId"], "public_ips": public}
            found.append(
                Found(self.name, id_, status, own[TAG_ADDRESS], observed(told, values), outputs, parts, tags)  # type: ignore[arg-type] # a Status
            )
        if not found and query.ids is None and query.tags.get(TAG_ADDRESS, "").startswith("nat."):
            found += _begun(aws, query.tags)
        return found


def _begun(aws: Aws, own: Mapping[str, str]) -> list[Found]:
    """What an attempt made that was cut off before it had a gateway."""
    parts = {part: table["RouteTableId"] for part, table in _tables(aws, own).items()}
    tags: dict[str, str] = {}
    for address in aws.pages("ec2", "describe_addresses", "Addresses", Filters=filters_of(own)):
        tags = unpaired(address.get("Tags"))
        parts[tags.get(TAG_PART, ADDRESS)] = address["AllocationId"]
    return (
        [Found("nat", next(iter(parts.values())), "pending", own[TAG_ADDRESS], {}, {}, parts, {**tags, **own})] if parts else []
    )


def _address_of(gateway: Mapping[str, Any]) -> Mapping[str, str]:
    addresses: list[Mapping[str, str]] = gateway.get("NatGatewayAddresses") or [{}]
    return addresses[0]


def _owners(gateways: Iterable[Mapping[str, Any]]) -> list[dict[str, str]]:
    owners: list[dict[str, str]] = []
    for gateway in gateways:
        tags = unpaired(gateway.get("Tags"))
        own = {key: tags[key] for key in (TAG_ADDRESS, TAG_LINEAGE) if key in tags}
        if len(own) == 2 and own not in owners:
            owners.append(own)
    return owners


def _gateways(aws: Aws, own: Mapping[str, str]) -> dict[str, Any]:
    listed = aws.pages("ec2", "describe_nat_gateways", "NatGateways", Filter=filters_of(own))
    return {unpaired(one["Tags"]).get(TAG_PART, GATEWAY): one for one in listed if one["State"] in _LIVE}


def _tables(aws: Aws, own: Mapping[str, str]) -> dict[str, Any]:
    listed = aws.pages("ec2", "describe_route_tables", "RouteTables", Filters=filters_of(own))
    return {unpaired(one["Tags"]).get(TAG_PART, ""): one for one in listed}


def _drop(aws: Aws, own: Mapping[str, str], kept: set[str], calls: Calls) -> None:
    """Remove what is in no zone of `kept`."""
    for part, table in _tables(aws, own).items():
        if part.removeprefix(PRIVATE_ROUTES) not in kept:
            for association in table.get("Associations", ()):
                joined = association["RouteTableAssociationId"]
                aws.remove(calls, "ec2", "disassociate_route_table", part=part, AssociationId=joined)
            aws.remove(calls, "ec2", "delete_route_table", part=part, RouteTableId=table["RouteTableId"])
    going = [one for one in _all_gateways(aws, own) if unpaired(one["Tags"]).get(TAG_PART, "").removeprefix(GATEWAY) not in kept]
    for gateway in going:
        if gateway["State"] in _LIVE:
            part = unpaired(gateway["Tags"]).get(TAG_PART, "")
            aws.remove(calls, "ec2", "delete_nat_gateway", part=part, NatGatewayId=gateway["NatGatewayId"])
    ids = [gateway["NatGatewayId"] for gateway in going]
    aws.wait(calls, "the NAT gateways are deleted", lambda: _are_gone(aws, ids), LIMIT)
    for address in aws.pages("ec2", "describe_addresses", "Addresses", Filters=filters_of(own)):
        part = unpaired(address.get("Tags")).get(TAG_PART, "")
        if part.removeprefix(ADDRESS) not in kept:
            aws.remove(calls, "ec2", "release_address", part=part, AllocationId=address["AllocationId"])


def _all_gateways(aws: Aws, own: Mapping[str, str]) -> list[Any]:
    listed = aws.pages("ec2", "describe_nat_gateways", "NatGateways", Filter=filters_of(own))
    return [one for one in listed if one["State"] != "deleted"]


def _are_gone(aws: Aws, ids: Sequence[str]) -> bool:
    listed = aws.described("describe_nat_gateways", "NatGateways", "nat-gateway-id", ids, filters="Filter") if ids else []
    return all(one["State"] in ("deleted", "failed") for one in listed)
