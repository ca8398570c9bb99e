"""Load balancers with their listeners and targets, certificates, and DNS zones."""

from typing import Any

from prov_gen.understand.machines import INNER_ROLES
from prov_gen.understand.mentions import Mention
from prov_gen.understand.naming import Names, slug
from prov_gen.understand.records import Made
from prov_gen.understand.site import Site

PLACEHOLDER_DOMAIN = "example.com"
ANYWHERE = "0.0.0.0/0"


def build_balancers(site: Site) -> None:
    """Balancers, wired to what stands behind them."""
    draft = site.draft
    if not draft.allows("load_balancers"):
        return
    domains = [mention for made in site.of("dns_zone", "certificate", "load_balancer") for mention in made.domains]
    for made in site.of("load_balancer"):
        made.take("zones")
        secure = made.secure or bool(site.of("certificate")) or bool(domains)
        secure = secure or any(server.secure for server in site.of("server"))
        targets = _targets(site, made)
        if targets:
            made.values["targets"] = [name for target in targets for name in target.placed]
        rules = [port for rule in made.rules for port in rule.value.ports]
        made.values["listeners"] = _listeners(site, made, domains, rules, secure=secure)
        site.add("load_balancers", made, "lb")
        for rule in made.rules:
            draft.understood(rule, f"{made.prefix}.listeners", list(rule.value.ports))
        if draft.allows("security_groups"):
            _guard(site, made, targets)


def _listeners(
    site: Site, made: Made, domains: list[Mention], ports: list[tuple[int, int]], *, secure: bool
) -> list[dict[str, Any]]:
    if made.values.get("kind") == "network":
        numbers = [first for first, _ in ports] or [443 if secure else 80]
        return [{"port": port, "protocol": "tcp", "target_port": port} for port in numbers]
    if not secure and 443 not in [first for first, _ in ports]:
        if not ports:
            made.assume("listeners", 80, "plain HTTP, as neither HTTPS nor a domain was named; say both for TLS")
        return [
            {"port": port, "protocol": "http", "target_port": 80 if port == 80 else port}
            for port in ([first for first, _ in ports] or [80])
        ]
    certificate = _certificate(site, domains)
    made.assume("listeners", [443, 80], "HTTPS on 443 with plain HTTP redirected to it; the servers answer on 80")
    listeners: list[dict[str, Any]] = [
        {"port": 443, "protocol": "https", "target_port": 80, "certificate": certificate},
        {"port": 80, "protocol": "http", "target_port": 80, "redirect_to_https": True},
    ]
    for first, _ in ports:
        if first not in {80, 443}:
            listeners.append({"port": first, "protocol": "https", "target_port": first, "certificate": certificate})
    return listeners


def _certificate(site: Site, domains: list[Mention]) -> str:
    """The name of the certificate for the domains, added when there is none yet."""
    known = site.draft.config.setdefault("certificates", [])
    if not known:
        _add_certificate(site, None, domains)
    return str(known[0]["name"])


def _add_certificate(site: Site, made: Made | None, domains: list[Mention]) -> None:
    draft = site.draft
    values = dict(made.values) if made else {}
    names = list(dict.fromkeys(mention.value.lower() for mention in domains)) or [PLACEHOLDER_DOMAIN]
    record = {"name": slug(names[0].replace("*", "any")) or "main", "domain": names[0], **values}
    if made and made.names and slug(made.names[0]):
        record["name"] = slug(made.names[0])
    record["name"] = site.names.setdefault("certificates", Names()).take_exactly(record["name"])
    if names[1:]:
        record["alternative_names"] = names[1:]
    certificates = draft.config.setdefault("certificates", [])
    certificates.append(record)
    prefix = f"certificates[{len(certificates) - 1}]"
    for mention in domains:
        draft.understood(mention, f"{prefix}.domain", mention.value.lower())
    if not domains:
        draft.assume(f"{prefix}.domain", PLACEHOLDER_DOMAIN, "no domain was named: put yours here")
    if made:
        made.tell(draft, prefix)


def build_certificates(site: Site) -> None:
    """Certificates that were named themselves."""
    if not site.draft.allows("certificates"):
        return
    every = [mention for other in site.of("dns_zone", "load_balancer") for mention in other.domains]
    for made in site.of("certificate"):
        _add_certificate(site, made, made.domains or every)


def _targets(site: Site, made: Made) -> list[Made]:
    """What stands behind a balancer: what was said to, else servers that answer requests, else clusters."""
    if site.draft.resource_type == "network":
        return []
    servers = [server for server in site.of("server") if server.placed]
    outer = [server for server in servers if server.values.get("role") not in INNER_ROLES]
    phrase = site.phrases[made.head.phrase]
    following = site.phrases[made.head.phrase + 1 : made.head.phrase + 2]
    if following and {"in_front", "kept"} & set(following[0].lead):
        named = [server for server in servers if server.head in following[0].heads or server.head is following[0].reference]
        if named:
            return named
    if "behind" in phrase.lead:
        before = [server for server in outer if server.head.phrase <= made.head.phrase]
        before = [server for server in before if server.head.sentence == made.head.sentence] or before
        web = [server for server in before if server.values.get("role") in {"web", "frontend", "proxy"}]
        if chosen := (web or before):
            return chosen
    else:
        web = [server for server in outer if server.values.get("role") in {"web", "frontend", "proxy"}]
        outer = web or outer
    chosen = outer or [cluster for cluster in site.of("cluster") if cluster.placed]
    if chosen and "behind" not in phrase.lead:
        names = [name for target in chosen for name in target.placed]
        made.assume("targets", names, "they answer requests; nothing else was said")
    return chosen


def _guard(site: Site, made: Made, targets: list[Made]) -> None:
    """A security group for the balancer, and a way from it to its targets."""
    name = made.placed[0]
    site.group(name, "What reaches the load balancer")
    source = site.inside() if made.values.get("scheme") == "internal" else ANYWHERE
    for listener in made.values["listeners"]:
        site.allow(name, (listener["port"], listener["port"]), "clients", cidrs=[source])
    for record in site.draft.config["load_balancers"]:
        if record["name"] in made.placed:
            record["security_groups"] = [name]
    for target in targets:
        if target.head.kind == "server":
            group = group_of(site, target)
            for port in sorted({listener["target_port"] for listener in made.values["listeners"]}):
                site.allow(group, (port, port), "from the load balancer", groups=[name])


def group_of(site: Site, made: Made) -> str:
    """The security group of a group of servers or of a database, and its members put into it."""
    kind = made.head.kind
    stem = str(made.values.get("role") or "servers") if kind == "server" else made.placed[0]
    same = [other for other in site.of("server") if other.values.get("role") == made.values.get("role")]
    name = stem if kind != "server" or len(same) < 2 or made is same[0] else made.placed[0]
    if name in site.groups and site.groups[name].get("_of") not in (None, kind):
        name = f"{name}-group"
    site.group(name, f"What reaches {', '.join(made.placed[:5])}"[:256])
    field_name = {"server": "servers", "database": "databases", "cache": "caches"}[kind]
    for record in site.draft.config.get(field_name, ()):
        if record["name"] in made.placed:
            groups = record.setdefault("networking", {}) if kind == "server" else record
            if name not in groups.get("security_groups", ()):
                groups["security_groups"] = [*groups.get("security_groups", ()), name]
    return name


def build_zones(site: Site) -> None:
    """DNS zones, with the zone itself pointing at the balancer or the only public server."""
    draft = site.draft
    if not draft.allows("dns_zones"):
        return
    for made in site.of("dns_zone"):
        names = [mention.value.lower().removeprefix("*.") for mention in made.domains]
        names += [name.lower() for name in made.names if "." in name.strip(".")]
        if not names:
            names = [PLACEHOLDER_DOMAIN]
            made.assume("domain", PLACEHOLDER_DOMAIN, "no domain was named: put yours here")
        target = _answer(site)
        zones = draft.config.setdefault("dns_zones", [])
        prefix = f"dns_zones[{len(zones)}]"
        for name in dict.fromkeys(names):
            if any(known["domain"] == name for known in zones):
                continue
            zone = {"domain": name, **made.values}
            if target:
                zone["records"] = [{"name": "@", "type": "A", "target": target}]
                made.assume("records", target, "the domain leads to what answers requests")
            zones.append(zone)
        for mention in made.domains:
            draft.understood(mention, f"{prefix}.domain", mention.value.lower())
        made.tell(draft, prefix)


def _answer(site: Site) -> str | None:
    balancers = site.draft.config.get("load_balancers", [])
    if balancers:
        return str(balancers[0]["name"])
    public = [server for server in site.draft.config.get("servers", ()) if server.get("networking", {}).get("public_ip")]
    return str(public[0]["name"]) if len(public) == 1 else None
