"""A load balancer as UpCloud is asked for it: a frontend for each listener, a backend for each port of the targets.

A frontend is named `listen-PORT`, a backend `port-PORT`, a member like its server, so that all can be read back.
"""

from collections.abc import Mapping
from typing import Any

from provisioning.errors import ProviderError
from provisioning.providers.upcloud.cloud import Cloud, Row, zone_of
from provisioning.providers.upcloud.labels import labels
from provisioning.providers.upcloud.networks import PART as NETWORK
from provisioning.resource import Ref, Wanted

PUBLIC, PRIVATE = "public", "private"
SMALLEST = "development"
_MODES = {"http": "http", "https": "http", "tcp": "tcp", "tls": "tcp"}


def balancer_body(cloud: Cloud, wanted: Wanted) -> dict[str, Any]:
    """What makes a balancer. Raises ProviderError for what UpCloud's cannot do."""
    return {
        "name": wanted.values["name"], "plan": wanted.values.get("plan") or SMALLEST, "zone": zone_of(wanted, cloud.account),
        "networks": networks(wanted), "configured_status": "started", "frontends": frontends(cloud, wanted),
        "backends": backends(wanted), "resolvers": [], "labels": labels(wanted.tags),
    }  # fmt: skip


def networks(wanted: Wanted) -> list[dict[str, str]]:
    """The networks that a balancer stands in. Raises ProviderError when it stands in none."""
    found = []
    if wanted.values.get("scheme", "public") == "public":
        found.append({"name": PUBLIC, "type": "public", "family": "IPv4"})
    uuid = _network(wanted)
    if uuid:
        found.append({"name": PRIVATE, "type": "private", "family": "IPv4", "uuid": uuid})
    if not found:
        raise ProviderError(f"{wanted.address} is internal and names no subnet", hint="name a subnet, or make its scheme public")
    return found


def frontends(cloud: Cloud, wanted: Wanted) -> list[dict[str, Any]]:
    """One for each listener."""
    first = {"name": networks(wanted)[0]["name"]}
    made = []
    for listener in wanted.values.get("listeners") or []:
        port, protocol = listener["port"], listener["protocol"]
        if protocol not in _MODES:
            raise ProviderError(
                f"{wanted.address}: UpCloud's balancers do not speak {protocol} (listener {port})",
                hint=f"use one of {', '.join(_MODES)}",
            )
        frontend: dict[str, Any] = {
            "name": f"listen-{port}", "mode": _MODES[protocol], "port": port,
            "default_backend": f"port-{listener['target_port']}", "networks": [first],
        }  # fmt: skip
        if listener.get("redirect_to_https"):
            redirect = {"type": "http_redirect", "action_http_redirect": {"scheme": "https"}}
            frontend["rules"] = [{"name": "to-https", "priority": 100, "matchers": [], "actions": [redirect]}]
        if protocol in {"https", "tls"}:
            bundle = _certificate(cloud, wanted, listener)
            frontend["tls_configs"] = [{"name": listener["certificate"], "certificate_bundle_uuid": bundle}]
        made.append(frontend)
    return made


def backends(wanted: Wanted) -> list[dict[str, Any]]:
    """One for each port of the targets."""
    ports = sorted({listener["target_port"] for listener in wanted.values.get("listeners") or []})
    return [{"name": f"port-{port}", "members": members(wanted, port), "properties": health(wanted, port)} for port in ports]


def members(wanted: Wanted, port: int) -> list[dict[str, Any]]:
    """The targets at a port. Raises ProviderError for one without an address that the balancer reaches."""
    has_network = bool(_network(wanted))
    return [
        {
            "name": ref.address.partition(".")[2], "ip": _address(ref, has_network), "port": port, "type": "static",
            "weight": 100, "max_sessions": 1000, "enabled": True,
        }
        for ref in sorted(wanted.named("targets[]"), key=lambda one: one.address)
    ]  # fmt: skip


def health(wanted: Wanted, port: int) -> dict[str, Any]:
    """How a backend finds out whether its members live."""
    check: Mapping[str, Any] = wanted.values.get("health_check") or {}
    speaks_http = any(
        _MODES.get(listener["protocol"]) == "http" for listener in wanted.values["listeners"] if listener["target_port"] == port
    )
    return {
        "health_check_type": "http" if speaks_http else "tcp", "health_check_url": check.get("path", "/"),
        "health_check_expected_status": 200, "health_check_interval": check.get("interval_seconds", 10),
        "health_check_rise": check.get("healthy_threshold", 3), "health_check_fall": check.get("unhealthy_threshold", 3),
    }  # fmt: skip


def observed(row: Row, known: Mapping[str, Any]) -> dict[str, Any]:
    """What a balancer shows, as values."""
    values: dict[str, Any] = {
        "name": row["name"], "plan": row["plan"], "region": row["zone"],
        "scheme": "public" if any(one["type"] == "public" for one in row["networks"]) else "internal",
        "targets": sorted({member["name"] for one in row["backends"] for member in one["members"]}) or None,
    }  # fmt: skip
    for listener in known.get("listeners") or []:
        values[f"listeners[{listener['port']}].port"] = None
    told = {listener["port"]: listener for listener in known.get("listeners") or []}
    for one in row["frontends"]:
        port, wanted = one["port"], told.get(one["port"], {})
        protocol = {("http", False): "http", ("http", True): "https", ("tcp", False): "tcp", ("tcp", True): "tls"}[
            one["mode"], bool(one["tls_configs"])
        ]
        path = f"listeners[{port}]"
        redirects = any("action_http_redirect" in action for rule in one["rules"] for action in rule["actions"])
        values |= {f"{path}.port": port, f"{path}.protocol": protocol, f"{path}.redirect_to_https": redirects}
        target = str(one["default_backend"]).removeprefix("port-")
        values[f"{path}.target_port"] = int(target) if target.isdigit() else target
        if one["tls_configs"] or wanted.get("certificate"):
            values[f"{path}.certificate"] = one["tls_configs"][0]["name"] if one["tls_configs"] else None
    if row["backends"]:
        check = row["backends"][0]["properties"]
        values |= {
            "health_check.path": check["health_check_url"], "health_check.interval_seconds": check["health_check_interval"],
            "health_check.healthy_threshold": check["health_check_rise"],
            "health_check.unhealthy_threshold": check["health_check_fall"],
        }  # fmt: skip
    return values


def _network(wanted: Wanted) -> str:
    subnets, vpcs = wanted.named("subnets[]"), wanted.named("vpc")
    if subnets:
        return subnets[0].id
    return vpcs[0].parts.get(NETWORK, "") if vpcs else ""


def _address(ref: Ref, has_network: bool) -> str:
    # Without a network of its own the balancer reaches public addresses only.
    found = (ref.outputs.get("private_ip") if has_network else None) or ref.outputs.get("public_ip")
    if ref.kind != "server" or not found:
        raise ProviderError(
            f"{ref.address} cannot be a target of UpCloud's load balancer: it has no address that is known",
            hint="name servers with a public address or a subnet",
        )
    return str(found)


def _certificate(cloud: Cloud, wanted: Wanted, listener: Mapping[str, Any]) -> str:
    name = listener.get("certificate")
    bundles = cloud.api.get("/load-balancer/certificate-bundles") if name else []
    uuid = next((one["uuid"] for one in bundles if one.get("name") == name), None)
    if uuid is None:
        raise ProviderError(
            f"{wanted.address}: listener {listener['port']} needs a certificate bundle at UpCloud named '{name or '?'}'",
            hint="make one at hub.upcloud.com (Load balancers) and name it in the listener, or listen with http or tcp",
        )
    return str(uuid)
