"""Where a resource stands that names a subnet, only a network, or neither."""

from typing import Any

from provisioning.errors import ProviderError
from provisioning.providers.aws.client import Aws
from provisioning.providers.aws.kind import not_yet
from provisioning.providers.aws.tags import TAG_TIER, unpaired
from provisioning.resource import Wanted

_TIERS = ("private", "isolated", "public")
"""Which subnets of a network are taken first for what names none."""


def _rank(subnet: dict[str, Any]) -> tuple[int, str, str]:
    tier = unpaired(subnet.get("Tags")).get(TAG_TIER, "public")
    return (_TIERS.index(tier) if tier in _TIERS else len(_TIERS), subnet["AvailabilityZone"], subnet["SubnetId"])


def subnet_of(aws: Aws, wanted: Wanted) -> str:
    """A server's subnet: the one that it names, one of its network, one of the default network. Raises ProviderErrors."""
    refs = wanted.named("networking.subnet")
    if refs:
        return refs[0].id
    zone, networks = wanted.values.get("zone"), wanted.named("networking.vpc")
    if networks:
        subnets = aws.described("describe_subnets", "Subnets", "vpc-id", [networks[0].id])
    else:
        filters = [{"Name": "default-for-az", "Values": ["true"]}]
        subnets = aws.pages("ec2", "describe_subnets", "Subnets", Filters=filters)
    fitting = sorted((one for one in subnets if zone in (None, one["AvailabilityZone"])), key=_rank)
    if fitting:
        return str(fitting[0]["SubnetId"])
    if networks:
        raise not_yet(wanted.address, f"its network has no subnet{f' in {zone}' if zone else ''} yet")
    raise ProviderError(
        f"AWS: {aws.region} has no default network{f' with a subnet in {zone}' if zone else ''} for {wanted.address}",
        hint="Describe a network under `networking`, with a subnet, and name it.",
    )


def subnets_of(
    aws: Aws, wanted: Wanted, field: str, *, least_zones: int, tiers: tuple[str, ...] = (), vpc: str = ""
) -> list[str]:
    """The subnets that a field names, else those of `tiers` in its network (`vpc`, or the one it names), else the default one's.

    Raises ProviderError where they are in fewer zones than the service demands.
    """
    refs = wanted.named(field)
    if refs:
        subnets = aws.described("describe_subnets", "Subnets", "subnet-id", [ref.id for ref in refs])
    else:
        networks = [vpc] if vpc else [ref.id for ref in wanted.named("networking.vpc")]
        if networks:
            subnets = aws.described("describe_subnets", "Subnets", "vpc-id", networks[:1])
            subnets = [one for one in subnets if not tiers or unpaired(one.get("Tags")).get(TAG_TIER) in tiers]
        else:
            subnets = aws.pages("ec2", "describe_subnets", "Subnets", Filters=[{"Name": "default-for-az", "Values": ["true"]}])
    zones = {one["AvailabilityZone"] for one in subnets}
    if len(zones) < least_zones:
        raise ProviderError(
            f"AWS: {wanted.address} needs subnets in at least {least_zones} zones, and has them in {len(zones)}",
            hint="Name subnets of different zones.",
            zones=sorted(zones),
        )
    return sorted(str(one["SubnetId"]) for one in subnets)
