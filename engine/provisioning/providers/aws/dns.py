"""Zones of Route 53."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from provisioning.errors import ProviderError
from provisioning.providers.aws.client import Aws, chunks, token_of
from provisioning.providers.aws.errors import GoneError
from provisioning.providers.aws.kind import Query, not_yet
from provisioning.providers.aws.observed import observed
from provisioning.providers.aws.tags import carries, filters_of, identity, pairs, tags_of, unpaired
from provisioning.providers.base import Calls
from provisioning.resource import TAG_ADDRESS, TAG_LINEAGE, Found, Recorded, Wanted

LIMIT = 300.0  # seconds
_START = "stratumops"
_TAGGED = 10  # zones whose tags one request tells


def bare(zone: str) -> str:
    """A zone's id without the path that Route 53 writes before it."""
    return zone.rpartition("/")[2]


def zone_tags(aws: Aws, zones: Sequence[str]) -> dict[str, dict[str, str]]:
    """The tags of zones by their bare ids."""
    found: dict[str, dict[str, str]] = {zone: {} for zone in zones}
    for chunk in chunks(zones, _TAGGED):
        answer = aws.look("route53", "list_tags_for_resources", ResourceType="hostedzone", ResourceIds=chunk)
        found |= {one["ResourceId"]: unpaired(one["Tags"]) for one in answer.get("ResourceTagSets", ())}
    return found


def wait_in_sync(aws: Aws, change: Mapping[str, Any], calls: Calls) -> None:
    """Wait until all of Route 53's servers answer so."""
    id_ = bare(str(change.get("Id", "")))

    def is_in_sync() -> bool:
        return bool(aws.call("route53", "get_change", Id=id_)["ChangeInfo"]["Status"] == "INSYNC")

    if id_ and change.get("Status") != "INSYNC":
        aws.wait(calls, "the name servers agree", is_in_sync, LIMIT)


class ZoneKind:
    """A public zone, or a private one that this configuration's networks see."""

    name: ClassVar[str] = "dns"

    def create(self, aws: Aws, wanted: Wanted, calls: Calls) -> str:
        """Found again by its tags, or by the token that it was made with."""
        if wanted.values["dnssec"]:
            raise ProviderError(
                f"AWS: {wanted.address} asks for DNSSEC, which this provider does not set up: it needs a key of its own in KMS",
                hint="Set dnssec = false, and enable signing in Route 53.",
            )
        networks = self._networks(aws, wanted) if wanted.values["private"] else []
        zone = self._known(aws, wanted)
        if zone is None:
            private: dict[str, Any] = {"VPC": {"VPCRegion": aws.region, "VPCId": networks[0]}} if networks else {}
            config = {"PrivateZone": bool(networks), "Comment": _comment(identity(wanted))}
            token = token_of(wanted.token)
            made = aws.change(
                calls,
                "route53",
                "create_hosted_zone",
                Name=wanted.values["domain"],
                CallerReference=token,
                HostedZoneConfig=config,
                **private,
            )
            zone = made["HostedZone"]
            wait_in_sync(aws, made.get("ChangeInfo", {}), calls)
        id_ = bare(zone["Id"])
        self._tag(aws, id_, wanted, calls)
        self._join(aws, id_, networks, calls)
        return id_

    def _known(self, aws: Aws, wanted: Wanted) -> Mapping[str, Any] | None:
        domain, token = f"{wanted.values['domain']}.", token_of(wanted.token)
        alike = [zone for zone in aws.pages("route53", "list_hosted_zones", "HostedZones") if zone["Name"] == domain]
        tags = zone_tags(aws, [bare(zone["Id"]) for zone in alike])
        for zone in alike:
            mine: Mapping[str, Any] = zone
            own = tags[bare(zone["Id"])]
            if carries(own, identity(wanted)) or (zone.get("CallerReference") == token and TAG_ADDRESS not in own):
                return mine
        return None

    def _networks(self, aws: Aws, wanted: Wanted) -> list[str]:
        lineage = {TAG_LINEAGE: wanted.tags.get(TAG_LINEAGE, "")}
        found = sorted(vpc["VpcId"] for vpc in aws.pages("ec2", "describe_vpcs", "Vpcs", Filters=filters_of(lineage)))
        if not found:
            raise not_yet(
                wanted.address, f"a private zone belongs to a network, and this configuration has none in {aws.region} yet"
            )
        return found

    def _join(self, aws: Aws, id_: str, networks: Sequence[str], calls: Calls) -> None:
        if not networks:
            return
        has = {vpc["VPCId"] for vpc in aws.call("route53", "get_hosted_zone", Id=id_).get("VPCs", ())}
        for network in networks:
            if network not in has:
                vpc = {"VPCRegion": aws.region, "VPCId": network}
                aws.change(calls, "route53", "associate_vpc_with_hosted_zone", HostedZoneId=id_, VPC=vpc)

    def _tag(self, aws: Aws, id_: str, wanted: Wanted, calls: Calls) -> None:
        shall = tags_of(wanted)
        if not carries(zone_tags(aws, [id_])[id_], shall):
            aws.change(
                calls, "route53", "change_tags_for_resource", ResourceType="hostedzone", ResourceId=id_, AddTags=pairs(shall)
            )

    def update(self, aws: Aws, one: Recorded, wanted: Wanted, paths: frozenset[str], calls: Calls) -> None:
        """Nothing of a zone but its tags changes here."""
        if "dnssec" in paths:
            raise ProviderError("AWS: this provider does not switch DNSSEC", hint="Do it in Route 53, then refresh the state.")
        self._tag(aws, one.id, wanted, calls)

    def delete(self, aws: Aws, one: Recorded, calls: Calls) -> None:
        """Its records go as resources of their own; those that nobody described keep it."""
        try:
            aws.remove(calls, "route53", "delete_hosted_zone", Id=one.id)
        except ProviderError as error:
            if error.details.get("aws_code") == "HostedZoneNotEmpty":
                raise ProviderError(
                    f"AWS: the zone {one.values.get('domain', one.id)} has records that are not this configuration's",
                    hint="Remove them in Route 53, or describe them.",
                ) from None
            raise

    def look(self, aws: Aws, query: Query) -> Sequence[Found]:
        """Zones with their name servers."""
        if query.ids is not None:
            zones = [zone for id_ in query.ids if (zone := _zone(aws, id_))]
        else:
            zones = aws.pages("route53", "list_hosted_zones", "HostedZones")
        tags = zone_tags(aws, [bare(zone["Id"]) for zone in zones])
        found = []
        for zone in zones:
            id_ = bare(zone["Id"])
            own = _of_comment(zone) | tags[id_]
            if not carries(own, query.tags):
                continue
            values = query.values_of(id_)
            told = {"domain": zone["Name"].rstrip("."), "private": bool(zone.get("Config", {}).get("PrivateZone"))}
            outputs = {"id": id_, "name_servers": zone.get("NameServers", [])}
            address = own.get(TAG_ADDRESS, "")
            found.append(Found(self.name, id_, "available", address, observed(told, values), outputs, {}, own))
        return found


def _comment(own: Mapping[str, str]) -> str:
    """Route 53 tags a zone in a second call: the comment says whose it is before."""
    return f"{_START} {own.get(TAG_ADDRESS, '')} {own.get(TAG_LINEAGE, '')}"


def _of_comment(zone: Mapping[str, Any]) -> dict[str, str]:
    words = str(zone.get("Config", {}).get("Comment", "")).split(" ")
    return {TAG_ADDRESS: words[1], TAG_LINEAGE: words[2]} if len(words) == 3 and words[0] == _START else {}


def _zone(aws: Aws, id_: str) -> dict[str, Any] | None:
    try:
        answer = aws.call("route53", "get_hosted_zone", Id=id_)
    except GoneError:
        return None
    return {**answer["HostedZone"], "NameServers": answer.get("DelegationSet", {}).get("NameServers", [])}
