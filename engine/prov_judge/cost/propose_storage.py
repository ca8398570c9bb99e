"""Cheaper disks and databases: gp3 for gp2 and io1, no standby where nobody needs it, no volume that nobody uses."""

from collections.abc import Iterator, Mapping

from prov_gen.environments import is_production
from prov_gen.model.data import Database, Volume
from prov_gen.model.server import Server
from prov_judge.cost.assumptions import read
from prov_judge.cost.place import Pricing
from prov_judge.cost.proposal import Proposal, rule

_KIB_AN_IO, _KIB_A_MIB = 256, 1024


def root_disk(record: Server, pricing: Pricing) -> Iterator[Proposal]:
    """gp3 for a server's root disk, which has no throughput to choose."""
    spec = record.spec
    included = _included(record, pricing)
    found = _gp3(spec.disk_type, spec.disk_gb, spec.disk_iops, included)
    if included and found:
        name, iops, throughput = found
        fields = {"spec.disk_type": "gp3", "spec.disk_iops": iops}
        yield Proposal(name, fields, _said(spec.disk_type, iops, None), throughput > included["throughput"])


def volume_storage(record: Volume, pricing: Pricing) -> Iterator[Proposal]:
    """gp3 for a volume, with at least its throughput."""
    included = _included(record, pricing)
    found = _gp3(record.type, record.size_gb, record.iops, included)
    if included and found:
        name, iops, throughput = found
        wanted = max(throughput, record.throughput or 0)
        more = wanted if wanted > included["throughput"] else None
        yield Proposal(name, {"type": "gp3", "iops": iops, "throughput": more}, _said(record.type, iops, more))


def database_storage(record: Database, pricing: Pricing) -> Iterator[Proposal]:
    """gp3 for a database's storage."""
    found = _gp3(record.storage_type, record.storage_gb, record.iops, _included(record, pricing))
    if found:
        name, iops, _ = found
        yield Proposal(name, {"storage_type": "gp3", "iops": iops}, _said(record.storage_type, iops, None), needs_testing=True)


def _included(record: Server | Volume | Database, pricing: Pricing) -> Mapping[str, int] | None:
    """What gp3 includes where the record is; None where the provider has no gp3."""
    included: Mapping[str, int] | None = read("storage").get(pricing.place_of(record).provider, {}).get("included", {}).get("gp3")
    return included


def _gp3(
    kind: str | None, size_gb: int, asked_iops: int | None, included: Mapping[str, int] | None
) -> tuple[str, int | None, int] | None:
    """The rule, and the IOPS (None: those that gp3 includes) and MiB/s that make gp3 no worse; None where it cannot be."""
    if included is None:
        return None
    if kind == "gp2":
        name, figures = "gp2_to_gp3", rule("gp2_to_gp3")
        baseline = figures["gp2_iops_a_gb"] * size_gb
        iops = max(figures["gp2_least_iops"], min(figures["gp2_most_iops"], baseline))
        is_slow = size_gb <= figures["gp2_slow_to_gb"]
        throughput = 0 if is_slow else figures["gp2_throughput"]
    elif kind in {"io1", "io2"}:
        name, figures = "io_to_gp3", rule("io_to_gp3")
        iops = asked_iops or 0
        if iops > figures["gp3_most_iops"]:
            return None
        throughput = min(figures["io_throughput"], -(-iops * _KIB_AN_IO // _KIB_A_MIB))
    else:
        return None
    return name, iops if iops > included["iops"] else None, throughput


def _said(before: str | None, iops: int | None, throughput: int | None) -> dict[str, object]:
    extras = [f"{iops:,} IOPS"] if iops else []
    extras += [f"{throughput} MiB/s"] if throughput else []
    return {"before": before, "extras": f" with {' and '.join(extras)}" if extras else ""}


def standby(record: Database, pricing: Pricing) -> Iterator[Proposal]:
    """No standby outside production."""
    environment = pricing.config.environment
    if record.multi_az and not is_production(environment):
        yield Proposal("standby", {"multi_az": False}, {"environment": environment})


def unattached(record: Volume, pricing: Pricing) -> Iterator[Proposal]:
    """A volume that no server uses."""
    if record.attached_to not in pricing.index.servers:
        yield Proposal("unattached_volume", None)
