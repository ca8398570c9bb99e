"""Kubernetes clusters: the control plane, the workers, the network of pods."""

from ipaddress import ip_network

from prov_gen.understand.draft import get_path, set_path
from prov_gen.understand.node_groups import join_workers, merge, scale, size_nodes
from prov_gen.understand.records import Made
from prov_gen.understand.site import Site

_CNIS = ("cilium", "calico", "flannel")
_SERVICE_CIDRS = ("10.96.0.0/12", "172.20.0.0/16", "192.168.0.0/16")
_POD_CIDRS = ("10.244.0.0/16", "172.16.0.0/16", "100.64.0.0/16")


def build_clusters(site: Site) -> None:
    """Every cluster head with its parts becomes a cluster; what was not said is listed as assumed."""
    draft = site.draft
    if not draft.allows("clusters"):
        return
    for made in site.of("cluster"):
        for part in site.of("control_plane"):
            if part.head.owner is made.head:
                _join_control_plane(made, part)
        join_workers(site, made)
        for own in ("workers", "control_plane"):
            if own in made.values:
                size_nodes(site, made, made.values[own], own)
        scale(made, made.values.get("workers", {}), "workers")
        _zones(site, made)
        _addresses(site, made)
        if made.denied and get_path(made.values, "networking.cni") is None:
            other = next((cni for cni in _CNIS if cni not in made.denied), _CNIS[0])
            set_path(made.values, "networking.cni", other)
            made.assume("networking.cni", other, f"{' and '.join(made.denied)} was ruled out")
        _assume_rest(made)
        site.add("clusters", made, "main")


def _join_control_plane(made: Made, part: Made) -> None:
    made.facts.extend((mention, path or "control_plane.count", value) for mention, path, value in part.facts)
    made.absorb(part)
    merge(made.values, part.values)
    if part.head.count is not None:
        set_path(made.values, "control_plane.count", part.head.count)
        if part.head.count % 2 == 0:
            set_path(made.values, "control_plane.count", part.head.count + 1)
            why = f"etcd needs an odd number of members; {part.head.count} were described"
            made.assume("control_plane.count", part.head.count + 1, why)
        set_path(made.values, "control_plane.high_availability", part.head.count > 1)


def _zones(site: Site, made: Made) -> None:
    said = site.zone_count or (3 if get_path(made.values, "control_plane.high_availability") else 0)
    zones = [] if {"provider", "region"} & set(made.values) else site.zones(said)
    if zones:
        set_path(made.values, "workers.zones", zones)
        made.assume("workers.zones", zones, "the first zones of the region")


def _addresses(site: Site, made: Made) -> None:
    """One network for the nodes; pods and services where they overlap neither it nor each other."""
    network = site.draft.config.get("networking")
    own = made.values.setdefault("networking", {})
    if network:
        own["vpc_cidr"] = network.get("vpc_cidr", "10.0.0.0/16")
        own["subnets"] = [subnet["name"] for subnet in network.get("subnets", ()) if subnet.get("tier") == "private"]
        if not own["subnets"]:
            del own["subnets"]
    taken = [own.get("vpc_cidr", "10.0.0.0/16"), *(own[key] for key in ("pod_cidr", "service_cidr") if key in own)]
    for key, candidates in (("pod_cidr", _POD_CIDRS), ("service_cidr", _SERVICE_CIDRS)):
        if key in own:
            continue
        free = next((cidr for cidr in candidates if not any(_overlap(cidr, other) for other in taken)), candidates[0])
        taken.append(free)
        if free != candidates[0]:
            own[key] = free
            made.assume(f"networking.{key}", free, f"{candidates[0]} overlaps addresses that were named")
    if not own:
        del made.values["networking"]


def _overlap(one: str, other: str) -> bool:
    try:
        first, second = ip_network(one, strict=False), ip_network(other, strict=False)
    except ValueError:
        return False
    return first.version == second.version and first.overlaps(second)


def _assume_rest(made: Made) -> None:
    for path, value, why in (
        ("workers.count", 3, "no number of workers was named"),
        ("control_plane.count", 3, "a node count means workers; three control plane nodes survive the loss of one"),
        ("workers.plan", "medium", "no size was named"),
        ("networking.cni", "cilium", "no network plugin was named"),
    ):
        if get_path(made.values, path) is None:
            made.assume(path, value, why)
    version = made.values.get("version")
    if version is None:
        from prov_corpus.catalogue import default_kubernetes  # noqa: PLC0415 - the catalogue is read when it is needed

        # Written out: what is generated today must not become another version when the catalogue is renewed.
        made.values["version"] = default_kubernetes().version
        made.assume("version", made.values["version"], "no version was named; the catalogue's default")
