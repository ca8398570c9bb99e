"""Servers and the volumes on them."""

from typing import Any

from prov_gen.understand.records import Made
from prov_gen.understand.site import Site

SIZES = ("small", "medium", "large", "xlarge")
# Servers that take no requests from outside.
INNER_ROLES = frozenset({"bastion", "database", "worker", "cache", "vpn", "build", "mail"})


def spread_over_zones(site: Site) -> None:
    """ "One per zone": as many as there are zones in use, unless they were counted."""
    for made in site.of("server"):
        if not made.take("per_zone"):
            continue
        count = made.head.count or 1
        zones = site.zone_count or (count if count > 1 else 3)
        if site.zone_count is None and count == 1:
            made.assume("zone", zones, "one for each zone; no number of zones was named")
        made.values["zones"] = zones
        if count == 1:
            made.head.count = len(site.zones(zones)) or zones


def build_servers(site: Site) -> None:
    """Every server head becomes its servers, spread over zones when that was said."""
    for made in site.of("server"):
        zones = made.take("zones")
        if not site.draft.allows("servers"):
            continue
        base = str(made.values.get("role") or "server")
        if made.values.get("plan") is None and not {"cpu", "memory_gb"} & set(made.values.get("spec", {})):
            made.assume("spec", {"cpu": 2, "memory_gb": 4}, "no size was named; these are the defaults")
        if "os" not in made.values.get("spec", {}):
            made.assume("spec.os.family", "ubuntu", "no operating system was named")
        _prefer_numbers(made)
        _check_sku(site, made, str(made.values.get("plan") or ""))
        records = site.add("servers", made, base)
        spread = site.zones(max(zones or 0, site.zone_count or 0))
        if {"zone", "region", "provider"} & set(made.values):
            continue
        if len(records) > 1 and spread:
            for index, record in enumerate(records):
                record["zone"] = spread[index % len(spread)]
            why = "they are spread over the zones that were named" if site.zone_count else "high availability needs several zones"
            site.draft.assume(f"{made.prefix}.zone", spread, why)
        elif zones and zones > 1 and len(records) == 1:
            site.draft.find(
                "one_server_is_not_redundant",
                "one server cannot be highly available",
                "describe two servers and a load balancer",
                made.prefix,
            )


def _prefer_numbers(made: Made) -> None:
    """ "A large server with 16 cores": the numbers say what large means."""
    stated = {"cpu", "memory_gb"} & set(made.values.get("spec", {}))
    if stated and made.values.get("plan") in SIZES:
        size = made.values.pop("plan")
        made.facts = [(mention, "spec" if path == "plan" else path, value) for mention, path, value in made.facts]
        made.assume("spec", sorted(stated), f"the cores and memory that were named say more than {size!r}")


def _check_sku(site: Site, made: Made, plan: str) -> None:
    """Write a SKU as its provider does, and say when it is another provider's or not in the price list."""
    from prov_corpus.prices import find_sku, nearest_skus  # noqa: PLC0415 - reads a price list; only for a named SKU

    if plan in {"", *SIZES}:
        return
    provider = str(made.values.get("provider", site.provider))
    known = find_sku(provider, plan)
    if known is not None:
        made.values["plan"] = known.name
        return
    hint = ", ".join(nearest_skus(provider, plan)) or "small, medium, large or xlarge"
    site.draft.find("plan_unknown", f"{provider} has no plan {plan!r} in its price list", f"use {hint}", "servers.plan")


def build_volumes(site: Site) -> None:
    """Volumes, attached to the server that they are said of; one each when several servers share a single description."""
    draft = site.draft
    if not draft.allows("volumes"):
        return
    servers: list[dict[str, Any]] = draft.config.get("servers", [])
    for made in site.of("volume"):
        owner = _owner(site, made)
        placed = owner.placed if owner else []
        if owner and len(placed) > 1 and (made.head.count or 1) == 1:
            made.head.count = len(placed)
            made.assume("", len(placed), f"one volume for each of the {len(placed)} servers")
        base = f"{owner.placed[0]}-data" if owner and len(placed) == 1 else "data"
        if not any(path == "size_gb" for _, path, _ in made.facts):
            made.assume("size_gb", 50, "no size was named")
        records = site.add("volumes", made, base)
        for index, record in enumerate(records):
            if placed:
                record["attached_to"] = placed[index % len(placed)]
                server = next((server for server in servers if server["name"] == record["attached_to"]), {})
                for key in ("provider", "region", "zone"):
                    record.pop(key, None)
                    if key in server:
                        record[key] = server[key]


def _owner(site: Site, made: Made) -> Made | None:
    """The server that a volume is attached to: the one after "attached to", else the one before it in the sentence."""
    phrases, at = site.phrases, made.head.phrase
    by_head = {id(server.head): server for server in site.of("server")}
    for phrase in phrases[at + 1 : at + 4]:
        if phrase.lead and phrase.lead[-1] == "attached" and phrase.heads:
            return by_head.get(id(phrase.heads[0])) or (by_head.get(id(phrase.reference)) if phrase.reference else None)
        if phrase.lead and phrase.lead[-1] == "attached" and phrase.reference:
            return by_head.get(id(phrase.reference))
    lead = phrases[at].lead
    before = [server for server in site.of("server") if server.head.phrase <= at and server.head.sentence == made.head.sentence]
    others = [other for other in site.made if before and before[-1].head.phrase < other.head.phrase < at]
    if before and (not others or (lead and lead[-1] in {"with", "attached"})):
        return before[-1]
    return None
