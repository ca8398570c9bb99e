"""Kubernetes clusters: the control plane, the workers, the network of pods."""

from ipaddress import ip_network
from typing import Any

from prov_gen.understand.draft import get_path, set_path
from prov_gen.understand.machines import SIZES
from prov_gen.understand.records import Made
from prov_gen.understand.site import Site
from stratumops.errors import InvalidInputError

_SERVICE_CIDRS = ("10.96.0.0/12", "172.20.0.0/16", "192.168.0.0/16")
_POD_CIDRS = ("10.244.0.0/16", "172.16.0.0/16", "100.64.0.0/16")


def build_clusters(site: Site) -> None:
    """Every cluster head with its parts becomes a cluster; what was not said is listed as assumed."""
    draft = site.draft
    if not draft.allows("clusters"):
        return
    for made in site.of("cluster"):
        for part in site.of("worker", "control_plane"):
            if part.head.owner is made.head:
                _join_part(site, made, part)
        _size_nodes(site, made, "workers")
        _size_nodes(site, made, "control_plane")
        _scale(site, made)
        _zones(site, made)
        _addresses(site, made)
        _assume_rest(site, made)
        site.add("clusters", made, "main")


def _join_part(site: Site, made: Made, part: Made) -> None:
    own = "workers" if part.head.kind == "worker" else "control_plane"
    made.facts.extend((mention, f"{own}.count" if path in {"", "count"} else path, value) for mention, path, value in part.facts)
    _merge(made.values, part.values)
    if part.head.count is not None:
        if get_path(made.values, f"{own}.count") is not None and own == "workers":
            site.draft.find("contradiction", "the number of workers was said twice", "say it once", "clusters.workers.count")
        set_path(made.values, f"{own}.count", part.head.count)
        if own == "control_plane":
            if part.head.count % 2 == 0:
                set_path(made.values, "control_plane.count", part.head.count + 1)
                why = f"etcd needs an odd number of members; {part.head.count} were described"
                site.draft.assume("clusters.control_plane.count", part.head.count + 1, why)
            set_path(made.values, "control_plane.high_availability", part.head.count > 1)


def _merge(values: dict[str, Any], others: dict[str, Any]) -> None:
    """Add what is not there yet; named bounds win over "autoscaling" alone."""
    for key, value in others.items():
        if isinstance(value, dict) and isinstance(values.get(key), dict):
            _merge(values[key], value)
        elif key not in values or isinstance(value, list):
            values[key] = value


def _size_nodes(site: Site, made: Made, own: str) -> None:
    """Nodes are sized by plan: cores and memory become the cheapest SKU that has them."""
    from prov_corpus.prices import cheapest_sku, find_sku  # noqa: PLC0415 - reads a price list

    cpu, memory = made.take(f"{own}.cpu"), made.take(f"{own}.memory_gb")
    plan = get_path(made.values, f"{own}.plan")
    if plan and plan not in SIZES:
        known = find_sku(site.provider, plan)
        if known is not None:
            set_path(made.values, f"{own}.plan", known.name)
        else:
            site.draft.find(
                "unknown_plan", f"{site.provider} has no plan {plan!r} in its price list", "use small, medium or large"
            )
    if (cpu is None and memory is None) or (plan and plan not in SIZES):
        return
    sku = cheapest_sku(site.provider, cpu=cpu or 1, memory_gb=memory or 1, region=site.region)
    name = sku.name if sku else "xlarge"
    set_path(made.values, f"{own}.plan", name)
    wanted = ", ".join(text for text, value in ((f"{cpu} vCPU", cpu), (f"{memory} GB", memory)) if value is not None)
    site.draft.assume(f"clusters.{own}.plan", name, f"the cheapest plan of {site.provider} with {wanted}")


def _scale(site: Site, made: Made) -> None:
    workers = made.values.get("workers", {})
    scaling: Any = workers.get("auto_scaling")
    if isinstance(scaling, list):
        low, high = scaling
        low = min(workers.get("count", 3), high) if low is None else low
        workers["auto_scaling"] = {"enabled": True, "min": low, "max": max(1, high)}
        if "count" not in workers:
            workers["count"] = low
            site.draft.assume("clusters.workers.count", low, "the fewest workers to scale from")
    elif isinstance(scaling, dict) and scaling.get("enabled"):
        count = workers.get("count", 3)
        scaling |= {"min": count, "max": max(10, count)}
        site.draft.assume("clusters.workers.auto_scaling", dict(scaling), "no bounds were named")
    for name in ("min", "max"):
        if isinstance(workers.get("auto_scaling"), dict) and workers["auto_scaling"].get(name, 1) > 1000:
            raise InvalidInputError("a group of workers has at most 1,000 nodes", hint="scale between smaller numbers")
    if workers.get("count", 0) > 1000:
        raise InvalidInputError("a group of workers has at most 1,000 nodes", hint="describe fewer nodes")


def _zones(site: Site, made: Made) -> None:
    said = site.zone_count or (3 if get_path(made.values, "control_plane.high_availability") else 0)
    zones = [] if {"provider", "region"} & set(made.values) else site.zones(said)
    if zones:
        set_path(made.values, "workers.zones", zones)
        site.draft.assume("clusters.workers.zones", zones, "the first zones of the region")


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
            site.draft.assume(f"clusters.networking.{key}", free, f"{candidates[0]} overlaps addresses that were named")
    if not own:
        del made.values["networking"]


def _overlap(one: str, other: str) -> bool:
    try:
        first, second = ip_network(one, strict=False), ip_network(other, strict=False)
    except ValueError:
        return False
    return first.version == second.version and first.overlaps(second)


def _assume_rest(site: Site, made: Made) -> None:
    draft = site.draft
    for path, value, why in (
        ("workers.count", 3, "no number of workers was named"),
        ("control_plane.count", 3, "a node count means workers; three control plane nodes survive the loss of one"),
        ("workers.plan", "medium", "no size was named"),
        ("networking.cni", "cilium", "no network plugin was named"),
    ):
        if get_path(made.values, path) is None:
            draft.assume(f"clusters.{path}", value, why)
    version = made.values.get("version")
    if version is None:
        from prov_corpus.catalogue import default_kubernetes  # noqa: PLC0415 - lazy

        draft.assume("clusters.version", default_kubernetes().version, "no version was named; the catalogue's default")
