"""Predicates about the zones of a region."""

from prov_corpus import catalogue
from prov_gen.effective import provider_of, region_of
from prov_gen.model.kubernetes import KubernetesCluster, Workers
from prov_judge.compliance.evidence import Evidence, counted, failing, holding, unknown
from prov_judge.compliance.model import Path
from prov_judge.compliance.scope import Subject, World


def region_has_zones(subject: Subject, world: World) -> Evidence:
    """Whether the resource's region has several zones, as far as the catalogue knows."""
    count = len(_zones_of_region(subject, world))
    return Evidence(
        count > 1, (*subject.path, "region"), str(count), f"the catalogue knows {counted(count, 'zone')} of the region"
    )


def spread_over_zones(subject: Subject, world: World, *, least: int) -> Evidence:
    """Whether the cluster's workers run in several zones of its region: those they name, else those of its subnets."""
    cluster = subject.record
    path = (*subject.path, "workers", "zones")
    groups = [group for group in (cluster.workers, *cluster.node_groups) if _fewest(group)]
    nodes = sum(_fewest(group) for group in groups)
    if nodes < least:
        shown = counted(nodes, "node")
        return failing(
            (*subject.path, "workers", "count"), shown, f"its workers are {shown} at least; {least} zones need {least}"
        )
    inherited = _zones_of_subnets(cluster, world)
    zones = {zone for group in groups for zone in group.zones or inherited}
    if not zones:
        return unknown(path, "not stated", "in which zones its workers run is said neither by them nor by the cluster's subnets")
    known = zones & _zones_of_region(subject, world)
    if strange := sorted(zones - known):
        words = f"{', '.join(strange)} is no zone of the region {region_of(cluster, world.config)}"
        if len(known) < least:
            return failing(_place(path, cluster), ", ".join(strange), words)
    shown = ", ".join(sorted(known))
    words = f"its workers run in {counted(len(known), 'zone')} of the region ({shown})"
    if len(known) >= least:
        return holding(_place(path, cluster), shown, words)
    if not all(group.zones or inherited for group in groups):
        return unknown(path, shown, f"{words}; where its other groups run is not stated")
    return failing(_place(path, cluster), shown, words)


def _place(path: Path, cluster: KubernetesCluster) -> Path:
    return path if cluster.workers.zones or cluster.node_groups else (*path[:-2], "networking", "subnets")


def _fewest(group: Workers) -> int:
    """How many nodes of a group there are at least."""
    scaling = group.auto_scaling
    return scaling.min if scaling is not None and scaling.enabled else group.count


def _zones_of_subnets(cluster: KubernetesCluster, world: World) -> frozenset[str]:
    network = world.network_of(cluster)
    subnets = [subnet for name in cluster.networking.subnets for subnet in world.subnets_named(name, network)]
    return frozenset(subnet.zone for subnet in subnets if subnet.zone)


def _zones_of_region(subject: Subject, world: World) -> frozenset[str]:
    region = catalogue.regions(provider_of(subject.record, world.config)).get(region_of(subject.record, world.config))
    return frozenset(region.zones) if region else frozenset()
