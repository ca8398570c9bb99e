"""The provider `aws`: what is the same for all kinds. Each kind is in a module of its own."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import ClassVar

from prov_corpus import prices
from provisioning.errors import ProviderAccountError, ProviderError
from provisioning.providers.aws.backups import back_up
from provisioning.providers.aws.balancers import LoadBalancerKind
from provisioning.providers.aws.buckets import BucketKind
from provisioning.providers.aws.client import DEFAULT_REGION, Aws, Clients
from provisioning.providers.aws.databases import DatabaseKind
from provisioning.providers.aws.dns import ZoneKind
from provisioning.providers.aws.dns_records import RecordKind
from provisioning.providers.aws.images import families
from provisioning.providers.aws.kind import Kind, Query
from provisioning.providers.aws.kubernetes import KubernetesKind
from provisioning.providers.aws.nat import NatKind
from provisioning.providers.aws.network import SubnetKind, VpcKind
from provisioning.providers.aws.security_groups import SecurityGroupKind
from provisioning.providers.aws.servers import ServerKind
from provisioning.providers.aws.tags import carries
from provisioning.providers.aws.volumes import VolumeKind
from provisioning.providers.base import Account, Calls, Catalogue, Check
from provisioning.resource import Found, Recorded, Wanted

VERSION = "1"
_KINDS: tuple[Callable[[], Kind], ...] = (
    VpcKind, SubnetKind, NatKind, SecurityGroupKind, ServerKind, VolumeKind, BucketKind, DatabaseKind, KubernetesKind,
    LoadBalancerKind, ZoneKind, RecordKind,
)  # fmt: skip
_KIND: Mapping[str, Kind] = {kind.name: kind for kind in (make() for make in _KINDS)}
_READERS = 8
"""Threads that read kinds and regions at the same time."""


class AwsProvider:
    """One account at AWS, or at an endpoint that speaks its APIs. Threads may share it."""

    name: ClassVar[str] = "aws"
    version: ClassVar[str] = VERSION
    kinds: ClassVar[frozenset[str]] = frozenset(_KIND)

    def __init__(self, account: Account, clients: Clients | None = None) -> None:
        self.account = account
        self._clients = clients or Clients(account)

    def close(self) -> None:
        """Close the connections."""
        self._clients.close()

    def _at(self, region: str = "") -> Aws:
        return Aws(self._clients, region or self.account.region or DEFAULT_REGION)

    def test(self) -> Sequence[Check]:
        """Who the account is, and whether the services that are used most let it in."""
        aws = self._at()
        try:
            who = aws.call("sts", "get_caller_identity")
        except ProviderError as error:
            return [
                Check("credentials", "failed", error.message, error.hint or "Check the network, the region and the endpoint.")
            ]
        checks = [Check("credentials", "ok", f"{who['Arn']} of account {who['Account']}")]
        for name, service, operation in _LOOKS:
            try:
                aws.call(service, operation)
            except ProviderAccountError as error:
                checks.append(Check(name, "failed", error.message, f"Allow the user or role what {service} needs."))
            except ProviderError as error:
                checks.append(Check(name, "warning", error.message, error.hint))
            else:
                checks.append(Check(name, "ok", f"{service} answers in {aws.region}"))
        return checks

    def catalogue(self, region: str = "") -> Catalogue:
        """Regions, zones and instance types that the account can use; images by distribution and release."""
        aws = self._at(region)
        regions = [one["RegionName"] for one in aws.call("ec2", "describe_regions")["Regions"]]
        zones = [one["ZoneName"] for one in aws.call("ec2", "describe_availability_zones")["AvailabilityZones"]]
        offered = {one["InstanceType"] for one in aws.pages("ec2", "describe_instance_type_offerings", "InstanceTypeOfferings")}
        plans = [sku for sku in sorted(offered) if prices.find_sku("aws", sku)]
        return Catalogue(tuple(sorted(regions)), tuple(sorted(zones)), tuple(plans), tuple(sorted(families())))

    def read(self, one: Recorded) -> Found | None:
        """A recorded resource as it is now."""
        return self.read_all([one])[one.address]

    def read_all(self, ones: Sequence[Recorded]) -> Mapping[str, Found | None]:
        """All resources of a kind and a region with a few requests, kinds and regions at the same time."""
        groups: dict[tuple[str, str], list[Recorded]] = {}
        for one in ones:
            groups.setdefault((one.kind, one.region), []).append(one)
        found: dict[str, Found | None] = {}
        with ThreadPoolExecutor(min(_READERS, len(groups) or 1)) as pool:
            for part in pool.map(lambda group: self._read_kind(group[0][0], group[0][1], group[1]), groups.items()):
                found.update(part)
        return found

    def _read_kind(self, kind: str, region: str, ones: Sequence[Recorded]) -> dict[str, Found | None]:
        query = Query(tuple(one.id for one in ones), values={one.id: one.values for one in ones})
        seen = {found.id: found for found in self._kind(kind).look(self._at(region), query)}
        return {one.address: seen.get(one.id) for one in ones}

    def _kind(self, name: str) -> Kind:
        if name not in _KIND:
            raise ProviderError(f"AWS: this provider makes no {name}", hint=f"It makes: {', '.join(sorted(_KIND))}.")
        return _KIND[name]

    def find_by_tag(self, tags: Mapping[str, str], region: str = "", kinds: frozenset[str] | None = None) -> Sequence[Found]:
        """Resources that carry all of these tags, in one region (the account's where none is named)."""
        chosen = [kind for name, kind in _KIND.items() if kinds is None or name in kinds]
        aws = self._at(region)
        found: list[Found] = []
        with ThreadPoolExecutor(_READERS) as pool:
            for part in pool.map(lambda kind: kind.look(aws, Query(tags=tags)), chosen):
                found += [one for one in part if carries(one.tags, tags)]
        return found

    def create(self, wanted: Wanted, calls: Calls) -> Found:
        """Make it, or complete what an earlier attempt began."""
        kind, aws = self._kind(wanted.kind), self._at(wanted.region)
        return self._seen(aws, kind, kind.create(aws, wanted, calls), wanted)

    def _seen(self, aws: Aws, kind: Kind, id_: str, wanted: Wanted) -> Found:
        found = kind.look(aws, Query((id_,), values={id_: wanted.values}))
        if not found:
            raise ProviderError(
                f"AWS: {wanted.address} ({id_}) went away while it was made", hint="Refresh the state and plan again."
            )
        return found[0]

    def update(self, one: Recorded, wanted: Wanted, paths: frozenset[str], calls: Calls) -> Found:
        """Bring the differing leaves to the wanted values."""
        kind, aws = self._kind(wanted.kind), self._at(wanted.region or one.region)
        renamed = kind.update(aws, one, wanted, paths, calls)
        return self._seen(aws, kind, renamed or one.id, wanted)

    def delete(self, one: Recorded, calls: Calls) -> None:
        """Remove it with its parts."""
        self._kind(one.kind).delete(self._at(one.region), one, calls)

    def back_up(self, one: Recorded, label: str, calls: Calls) -> str:
        """Save a server's, a volume's or a database's data as a snapshot."""
        return back_up(self._at(one.region), one, label, calls)


_LOOKS = (
    ("servers and networks", "ec2", "describe_vpcs"),
    ("buckets", "s3", "list_buckets"),
    ("databases", "rds", "describe_db_instances"),
    ("clusters", "eks", "list_clusters"),
    ("load balancers", "elbv2", "describe_load_balancers"),
    ("names", "route53", "list_hosted_zones"),
)
