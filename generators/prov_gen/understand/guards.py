"""Security groups: the ports that were said to be open, and the way from servers to their databases."""

from ipaddress import ip_network

from prov_gen.understand.balancers import ANYWHERE, group_of
from prov_gen.understand.mentions import Mention
from prov_gen.understand.ports import PortRule
from prov_gen.understand.records import Made
from prov_gen.understand.site import Site

DATABASE_PORTS = {"postgresql": 5432, "mysql": 3306, "mariadb": 3306, "mongodb": 27017, "sqlserver": 1433, "clickhouse": 8443}
CACHE_PORTS = {"redis": 6379, "valkey": 6379, "memcached": 11211}
# Never open to the world unless that was said: remote shells and data.
_INNER_PORTS = frozenset({22, 3389, *DATABASE_PORTS.values(), *CACHE_PORTS.values()})


def build_guards(site: Site) -> None:
    """All rules, then the groups themselves into the configuration."""
    if not site.draft.allows("security_groups"):
        return
    for made in site.of("server", "database", "cache"):
        if not made.placed and site.draft.resource_type != "network":
            continue
        for rule in made.rules:
            _open(site, _owner_of(site, made, rule.value), rule)
    _serve_https(site)
    for made in site.of("database", "cache"):
        if made.placed:
            _reach(site, made)
    for made in site.of("security_group"):
        _named(site, made)
    groups = [{key: value for key, value in group.items() if key != "_of"} for group in site.groups.values()]
    if groups:
        site.draft.config["security_groups"] = groups


def _serve_https(site: Site) -> None:
    """A server that speaks HTTPS itself, with no balancer before it, is reached on 443 and 80."""
    for made in site.of("server"):
        if made.secure and made.placed and not site.of("load_balancer"):
            name = group_of(site, made)
            for port in (443, 80):
                site.allow(name, (port, port), "HTTPS, and plain HTTP to redirect", cidrs=[ANYWHERE])
            site.draft.assume(site.group_path(name), [443, 80], "it speaks HTTPS; open to the internet")


def _owner_of(site: Site, made: Made, rule: PortRule) -> Made:
    """A database's own port is the database's, wherever the rule stands."""
    first = {port for port, _ in rule.ports}
    for store in site.of("database", "cache"):
        if store.placed and first == {_port(store)}:
            return store
    return made


def _port(made: Made) -> int:
    return (DATABASE_PORTS | CACHE_PORTS)[str(made.values.get("engine"))]


def _open(site: Site, made: Made, mention: Mention, group: str | None = None) -> None:
    rule: PortRule = mention.value
    name = group or group_of(site, made)
    cidrs = [network for text in rule.cidrs if (network := _network(site, mention, text))]
    groups = [found for role in rule.roles if (found := _group_of_role(site, role))]
    if rule.world:
        cidrs.append(ANYWHERE)
    wanted = rule.ports or (((_port(made), _port(made)),) if made.head.kind != "server" else ())
    if not wanted:
        site.draft.leave(mention, "no port was named")
        return
    for role in rule.roles:
        if not groups:
            site.draft.find("no_such_server", f"rules name {role!r} servers, but none is described", f"describe a {role} server")
    for ports in wanted:
        sources = list(cidrs)
        if not sources and not groups:
            sources = [site.inside() if ports[0] in _INNER_PORTS else ANYWHERE]
            why = (
                "no source was named, and this port is never opened to the world unasked"
                if ports[0] in _INNER_PORTS
                else "no source was named; open to the internet"
            )
            site.draft.assume(site.group_path(name), {"port": ports[0], "from": sources[0]}, why)
        site.allow(name, ports, site.draft.phrase(mention.start, mention.end), cidrs=sources, groups=groups)
    site.draft.understood(mention, f"{site.group_path(name)}.rules", [list(ports) for ports in rule.ports])


def _network(site: Site, mention: Mention, text: str) -> str | None:
    try:
        return str(ip_network(text, strict=False))
    except ValueError:
        site.draft.find("not_a_network", f"{text} is not a network", "write it as 10.0.0.0/8")
        site.draft.leave(mention, f"{text} is not a network")
        return None


def _group_of_role(site: Site, role: str) -> str | None:
    if role == "load_balancer":
        return next((made.placed[0] for made in site.of("load_balancer") if made.placed), None)
    servers = [made for made in site.of("server") if made.placed]
    matching = [made for made in servers if made.values.get("role") == role] or (servers if role == "server" else [])
    return group_of(site, matching[0]) if matching else None


def _reach(site: Site, made: Made) -> None:
    """Servers reach the databases of their configuration; without servers the network does."""
    name = group_of(site, made)
    port = _port(made)
    if site.groups[name]["rules"]:
        return
    callers = [server for server in site.of("server") if server.placed and server.values.get("role") not in {"bastion", "vpn"}]
    here = [server for server in callers if "provider" not in server.values and "region" not in server.values]
    if here and not site.of("cluster"):
        groups = list(dict.fromkeys(group_of(site, server) for server in here))
        site.allow(name, (port, port), "from the servers", groups=groups)
        site.draft.assume(site.group_path(name), groups, f"only the servers reach port {port}")
    else:
        site.allow(name, (port, port), "from inside the network", cidrs=[site.inside()])
        site.draft.assume(site.group_path(name), site.inside(), f"only the network itself reaches port {port}")


def _named(site: Site, made: Made) -> None:
    """A security group that was named itself; servers before it are put into it."""
    servers = [server for server in site.of("server") if server.placed]
    if servers and not made.names:
        group = group_of(site, servers[-1])
    else:
        made.placed = site.names_for("security_groups", made, "main", 1)
        group = made.placed[0]
        site.group(group, "Named in the description")
        for server in site.draft.config.get("servers", ()):
            groups = server.setdefault("networking", {})
            groups["security_groups"] = [*groups.get("security_groups", ()), group]
    made.tell(site.draft, site.group_path(group))
    for rule in made.rules:
        _open(site, made, rule, group)
