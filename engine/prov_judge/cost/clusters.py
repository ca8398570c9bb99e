"""Kubernetes clusters: control plane, nodes and their disks."""

from collections.abc import Iterator
from decimal import Decimal

from prov_corpus import catalogue
from prov_gen.effective import is_managed
from prov_gen.model.kubernetes import KubernetesCluster, Workers
from prov_judge.cost.amount import Amount
from prov_judge.cost.assumptions import billing
from prov_judge.cost.machines import node, root_disk
from prov_judge.cost.model import Part
from prov_judge.cost.place import Place

_CONTROL_PLANE_DISK_GB = Workers.model_fields["disk_gb"].default


def cluster(record: KubernetesCluster, place: Place) -> Iterator[Part]:
    """Everything that a cluster runs on. Balancers of its ingress controllers are resources of their own."""
    if is_managed(record, place.provider):
        yield _control_plane(record, place)
    else:
        machines = Amount.of(record.control_plane.count)
        yield from node(place, record.control_plane.plan, machines, "Control plane machines")
        yield from root_disk(place, _CONTROL_PLANE_DISK_GB, None, count=machines, name="Control plane disks")
    yield from _group(record.workers, place, "Workers")
    for group in record.node_groups:
        yield from _group(group, place, f"Nodes of {group.name}")
    if record.audit_logs and place.sells("logs"):
        yield place.used("Audit log", "logs", "ingest", "GB", "cluster_logs")
    if record.backup and record.backup.enabled:
        yield place.used("Backups", "snapshot", "standard", "GB", "cluster_backup")


def _control_plane(record: KubernetesCluster, place: Place) -> Part:
    rules = billing(place.provider)
    if record.control_plane.high_availability and "high_availability" in rules:
        return place.lasting("Control plane, highly available", "kubernetes", rules["high_availability"])
    release = catalogue.kubernetes_versions().get(".".join((record.version or "").split(".")[:2]))
    today = place.pricing.today
    if rules.get("extended_support") and release and today and catalogue.is_end_of_life(release, today):
        note = (f"Kubernetes {release.version} has reached its end of life: a newer one costs less",)
        return place.lasting("Control plane, extended support", "kubernetes", "extended_support", notes=note)
    return place.lasting("Control plane", "kubernetes", "control_plane")


def nodes_of(group: Workers) -> Amount:
    """How many nodes a group has; with autoscaling from the fewest (small use) to the most (large use)."""
    scaling = group.auto_scaling
    if scaling is None or not scaling.enabled:
        return Amount.of(group.count)
    usual = min(max(group.count, scaling.min), scaling.max)
    return Amount.ranging({"small": Decimal(scaling.min), "medium": Decimal(usual), "large": Decimal(scaling.max)})


def _group(group: Workers, place: Place, name: str) -> Iterator[Part]:
    count = nodes_of(group)
    if count.fixed == 0:
        return
    if group.auto_scaling and group.auto_scaling.enabled:
        name = f"{name}, {group.auto_scaling.min} to {group.auto_scaling.max}"
    yield from node(place, group.plan, count, name)
    yield from root_disk(place, group.disk_gb, None, count=count, name=f"{name}, disks")
