"""The network: its addresses, subnets over zones, NAT, and what lies in which subnet."""

from ipaddress import ip_network
from typing import Any

from prov_gen.understand.draft import Draft
from prov_gen.understand.records import Made
from prov_gen.understand.site import Site

_TIERS = ("public", "private", "isolated")
# These sell balancers and databases only over two zones.
_TWO_ZONES = frozenset({"aws"})
# These have NAT gateways.
_WITH_NAT = frozenset({"aws", "gcp", "azure"})


def build_network(site: Site) -> None:
    """The configuration's network, when one was named or something needs it."""
    draft = site.draft
    if not draft.allows("networking"):
        return
    described = site.of("network", "subnet", "nat")
    needing = site.of("database", "cache", "load_balancer", "file_system") if draft.resource_type is None else []
    stated: dict[str, Any] = draft.config.get("networking", {})
    if not (described or needing or stated):
        return
    network = draft.config["networking"] = stated
    for made in site.of("network"):
        network.update(made.values)
        made.placed = site.names_for("networking", made, "main", 1)
        if made.names:
            network["name"] = made.placed[0]
        made.tell(draft, "networking")
    wanted = _wanted_tiers(site, described)
    _add_subnets(site, network, wanted)
    _add_nat(site, network)
    if not described and not stated:
        draft.assume("networking", network.get("vpc_cidr", "10.0.0.0/16"), "a balancer, database or cache lives in a network")


def _wanted_tiers(site: Site, described: list[Made]) -> dict[str, int]:
    """How many subnets of each tier: those that were counted, else one for each zone in use."""
    zones = max(site.zone_count or 0, *(made.values.get("zones") or 0 for made in site.made), 1)
    if any(made.values.get("multi_az") for made in site.of("database")):
        zones = max(zones, 2)
    if site.provider in _TWO_ZONES and site.of("load_balancer", "database", "cache"):
        zones = max(zones, 2)
    zones = min(zones, max(1, len(site.zones(zones))))
    wanted: dict[str, int] = {}
    for made in described:
        if made.head.kind == "subnet":
            tier = str(made.values.get("tier", "private"))
            number = max(1, made.head.count or zones)
            if made.take("per_zone"):
                number = (made.head.count or 1) * len(site.zones(site.zone_count or 3) or [site.region])
                made.assume("", number, "subnets in each of the zones")
            wanted[tier] = wanted.get(tier, 0) + number
            made.facts = [(mention, "" if path == "count" else path, value) for mention, path, value in made.facts]
            made.tell(site.draft, "networking.subnets")
    if site.draft.resource_type is None:
        if any(made.values.get("scheme") != "internal" for made in site.of("load_balancer")) or any(
            _is_public(made) for made in site.of("server")
        ):
            wanted.setdefault("public", zones)
        if site.of("database", "cache", "file_system") or site.of("load_balancer"):
            wanted.setdefault("private", zones)
    if any(made.head.kind == "network" for made in described) and not wanted:
        wanted["private"] = zones
    if site.of("nat"):
        wanted.setdefault("public", 1)
        wanted.setdefault("private", zones)
    return wanted


def _is_public(made: Made) -> bool:
    return bool(made.values.get("networking", {}).get("public_ip"))


def _add_subnets(site: Site, network: dict[str, Any], wanted: dict[str, int]) -> None:
    """Subnets of equal size, tier by tier, round the zones; addresses in sixteenths of the network or smaller."""
    total = sum(wanted.values())
    if not total:
        return
    block = ip_network(network.get("vpc_cidr", "10.0.0.0/16"), strict=False)
    longest = 28 if block.version == 4 else 64
    needed = block.prefixlen + max(1, (total - 1).bit_length())
    prefix = max(needed, min(24 if block.version == 4 else 64, longest))
    if prefix > longest:
        site.draft.find(
            "network_too_small",
            f"{block} has no room for {total} subnets",
            "name a larger network",
            "networking.vpc_cidr",
            layer=3,
        )
        return
    parts = block.subnets(new_prefix=prefix)
    zones = site.zones(max(wanted.values()))
    subnets = network.setdefault("subnets", [])
    for tier in _TIERS:
        for index in range(wanted.get(tier, 0)):
            subnet: dict[str, Any] = {"name": f"{tier}-{index + 1}", "cidr": str(next(parts)), "tier": tier}
            if zones and (len(zones) > 1 or site.zone_count):
                subnet["zone"] = zones[index % len(zones)]
            subnets.append(subnet)
    site.draft.assume("networking.subnets", [subnet["name"] for subnet in subnets], "equal parts of the network")


def _add_nat(site: Site, network: dict[str, Any]) -> None:
    for made in site.of("nat"):
        network["nat"] = made.values.get("nat", "single")
        made.facts = [(mention, path, value) for mention, path, value in made.facts if path != "nat"]
        made.tell(site.draft, "networking.nat")
    if "nat" in network or site.provider not in _WITH_NAT or site.draft.resource_type is not None:
        return
    inner = [made for made in site.of("server") if not _is_public(made)]
    if inner and subnets_of(site.draft, "private"):
        network["nat"] = "single"
        site.draft.assume("networking.nat", "single", "servers in private subnets fetch updates through it")


def subnets_of(draft: Draft, tier: str) -> list[str]:
    """Names of the network's subnets of a tier."""
    network = draft.config.get("networking") or {}
    return [subnet["name"] for subnet in network.get("subnets", ()) if subnet["tier"] == tier]


def place_in_subnets(site: Site) -> None:
    """Give every thing that lives in a network its subnets, in the zone that it was put into."""
    config = site.draft.config
    network = config.get("networking") or {}
    zone_of = {subnet["name"]: subnet.get("zone") for subnet in network.get("subnets", ())}
    private, public = subnets_of(site.draft, "private"), subnets_of(site.draft, "public")
    stores = (*config.get("databases", ()), *config.get("caches", ()), *config.get("file_systems", ()))
    for record in stores:
        if "provider" in record or "region" in record:
            continue
        wanted = public if record.get("publicly_accessible") else private
        if wanted:
            record["subnets"] = wanted
    for balancer in config.get("load_balancers", ()):
        wanted = private if balancer.get("scheme") == "internal" else public
        if wanted:
            balancer["subnets"] = wanted
    for index, server in enumerate(config.get("servers", ())):
        reach = server.get("networking", {})
        wanted = public if reach.get("public_ip") else private
        if not wanted or "provider" in server or "region" in server:
            continue
        near = [name for name in wanted if server.get("zone") in (None, zone_of[name])] or wanted
        server["networking"] = {**reach, "subnet": near[index % len(near)]}
