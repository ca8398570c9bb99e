"""Parts of a load balancer: a group of targets for each port of theirs, and the listeners that lead to them."""

from collections.abc import Mapping, Sequence
from typing import Any

from provisioning.errors import ProviderError
from provisioning.providers.aws.client import Aws, token_of
from provisioning.providers.aws.errors import GoneError
from provisioning.providers.aws.kind import Query
from provisioning.providers.aws.servers import instances
from provisioning.providers.aws.tags import pairs, tags_of, unpaired
from provisioning.providers.base import Calls
from provisioning.resource import TAG_ADDRESS, TAG_LINEAGE, TAG_PART, Wanted

_LONGEST = 32
GROUP = "targets-"
"""The start of a group's part; the port follows."""

POLICIES: Mapping[str, str] = {
    "1.0": "ELBSecurityPolicy-2016-08",
    "1.1": "ELBSecurityPolicy-TLS-1-1-2017-01",
    "1.2": "ELBSecurityPolicy-TLS13-1-2-2021-06",
    "1.3": "ELBSecurityPolicy-TLS13-1-3-2021-06",
}
"""AWS's policies by the least version of TLS. Source: Elastic Load Balancing, security policies."""

_SECURE = ("https", "tls")
_GROUP_PROTOCOL = {"http": "HTTP", "https": "HTTP", "tcp": "TCP", "tls": "TCP", "udp": "UDP"}
_LEAST_THRESHOLD, _MOST_THRESHOLD = 2, 10
_LEAST_INTERVAL, _MOST_INTERVAL = 5, 300

Groups = Mapping[str, Mapping[str, Any]]


def short_name(name: str, part: str = "") -> str:
    """A name in the 32 letters that ELB takes; a longer one ends in its digest."""
    whole = f"{name}-{part}" if part else name
    return whole if len(whole) <= _LONGEST else f"{whole[: _LONGEST - 9].rstrip('-')}-{token_of(whole)[:8]}"


def _key(listener: Mapping[str, Any]) -> str:
    """Listeners share the targets of one port and protocol."""
    protocol = _GROUP_PROTOCOL[listener["protocol"]]
    return f"{listener['target_port']}" if protocol in ("HTTP", "TCP") else f"{listener['target_port']}-{protocol.lower()}"


def groups_of(aws: Aws, balancer: str, own: Mapping[str, str], parts: Mapping[str, str] | None = None) -> dict[str, Any]:
    """A balancer's groups of targets by port: those it leads to, those that carry `own`, those that are recorded as its parts."""
    listed: list[Any] = []
    if balancer:
        listed += aws.pages("elbv2", "describe_target_groups", "TargetGroups", LoadBalancerArn=balancer)
    recorded = [arn for part, arn in (parts or {}).items() if part.startswith(GROUP)]
    if own or recorded:
        known = {group["TargetGroupArn"] for group in listed}
        listed += [
            one for one in aws.pages("elbv2", "describe_target_groups", "TargetGroups") if one["TargetGroupArn"] not in known
        ]
    found = {}
    tags = _tags(aws, [group["TargetGroupArn"] for group in listed])
    for group in listed:
        arn = group["TargetGroupArn"]
        is_led_to = bool(balancer) and balancer in group.get("LoadBalancerArns", ())
        is_own = len(own) == 2 and all(tags[arn].get(key) == value for key, value in own.items())
        if is_led_to or is_own or arn in recorded:
            found[tags[arn].get(TAG_PART, f"{GROUP}{group['Port']}").removeprefix(GROUP)] = group
    return found


def _tags(aws: Aws, arns: Sequence[str]) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {arn: {} for arn in arns}
    for start in range(0, len(arns), 20):
        for one in aws.look("elbv2", "describe_tags", ResourceArns=list(arns[start : start + 20])).get("TagDescriptions", ()):
            found[one["ResourceArn"]] = unpaired(one["Tags"])
    return found


def _health(wanted: Wanted, protocol: str) -> dict[str, Any]:
    check = wanted.values["health_check"]
    made: dict[str, Any] = {
        "HealthCheckProtocol": "HTTP" if protocol == "HTTP" else "TCP",
        "HealthCheckPort": str(check["port"]) if check.get("port") else "traffic-port",
        "HealthCheckIntervalSeconds": min(max(check["interval_seconds"], _LEAST_INTERVAL), _MOST_INTERVAL),
        "HealthyThresholdCount": min(max(check["healthy_threshold"], _LEAST_THRESHOLD), _MOST_THRESHOLD),
        "UnhealthyThresholdCount": min(max(check["unhealthy_threshold"], _LEAST_THRESHOLD), _MOST_THRESHOLD),
    }
    return made | ({"HealthCheckPath": check["path"]} if protocol == "HTTP" else {})


def settle_groups(aws: Aws, balancer: str, vpc: str, wanted: Wanted, calls: Calls) -> dict[str, str]:
    """The ARNs of the groups that the listeners need, by port, made or brought to the health check that is wanted."""
    own = {key: wanted.tags.get(key, "") for key in (TAG_ADDRESS, TAG_LINEAGE)}
    known = groups_of(aws, balancer, own)
    found: dict[str, str] = {}
    for listener in wanted.values["listeners"]:
        key, protocol = _key(listener), _GROUP_PROTOCOL[listener["protocol"]]
        if listener["redirect_to_https"] or key in found:
            continue
        health, now = _health(wanted, protocol), known.get(key)
        if now is None:
            part = f"{GROUP}{key}"
            group = aws.change(
                calls,
                "elbv2",
                "create_target_group",
                part=part,
                Name=short_name(wanted.values["name"], key),
                Protocol=protocol,
                Port=listener["target_port"],
                VpcId=vpc,
                TargetType="instance",
                Tags=pairs(tags_of(wanted, part)),
                **health,
            )["TargetGroups"][0]
        else:
            group = now
            if any(str(now.get(name)) != str(value) for name, value in health.items()):
                aws.change(calls, "elbv2", "modify_target_group", TargetGroupArn=now["TargetGroupArn"], **health)
        found[key] = group["TargetGroupArn"]
    return found


def _registered(aws: Aws, arn: str) -> set[str]:
    listed = aws.look("elbv2", "describe_target_health", TargetGroupArn=arn).get("TargetHealthDescriptions", ())
    return {one["Target"]["Id"] for one in listed if one.get("TargetHealth", {}).get("State") != "draining"}


def bring_targets(aws: Aws, groups: Mapping[str, str], wanted: Wanted, calls: Calls) -> None:
    """Register the servers that are named and no others. What a cluster runs registers itself."""
    shall = {ref.id for ref in wanted.named("targets[]") if ref.kind == "server"}
    for arn in groups.values():
        has = _registered(aws, arn)
        if coming := sorted(shall - has):
            aws.change(calls, "elbv2", "register_targets", TargetGroupArn=arn, Targets=[{"Id": one} for one in coming])
        if going := sorted(has - shall):
            aws.change(calls, "elbv2", "deregister_targets", TargetGroupArn=arn, Targets=[{"Id": one} for one in going])


def _certificate(aws: Aws, listener: Mapping[str, Any], wanted: Wanted) -> str:
    name = listener.get("certificate")
    for ref in wanted.named("listeners[].certificate"):
        if name and ref.address == f"certificate.{name}":
            return str(ref.outputs.get("arn") or ref.id)
    if name:
        for one in aws.pages("acm", "list_certificates", "CertificateSummaryList"):
            tags = unpaired(aws.look("acm", "list_tags_for_certificate", CertificateArn=one["CertificateArn"]).get("Tags"))
            if tags.get("Name") == name:
                return str(one["CertificateArn"])
    raise ProviderError(
        f"AWS: port {listener['port']} of {wanted.address} speaks {listener['protocol']} and "
        + (f"ACM has no certificate with the tag Name = {name}" if name else "names no certificate"),
        hint="Import a certificate into ACM with the tag Name, and name it; or set protocol = http.",
    )


def _request(aws: Aws, listener: Mapping[str, Any], groups: Mapping[str, str], wanted: Wanted) -> dict[str, Any]:
    if listener["redirect_to_https"]:
        redirect = {"Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_301"}
        actions = [{"Type": "redirect", "RedirectConfig": redirect}]
    else:
        actions = [{"Type": "forward", "TargetGroupArn": groups[_key(listener)]}]
    made: dict[str, Any] = {"Port": listener["port"], "Protocol": listener["protocol"].upper(), "DefaultActions": actions}
    if listener["protocol"] in _SECURE:
        made["SslPolicy"] = POLICIES[wanted.values["tls_policy"]]
        made["Certificates"] = [{"CertificateArn": _certificate(aws, listener, wanted)}]
    return made


def _is_alike(now: Mapping[str, Any], request: Mapping[str, Any]) -> bool:
    def action(actions: Sequence[Mapping[str, Any]]) -> tuple[str, str]:
        return actions[0]["Type"], actions[0].get("TargetGroupArn", "")

    has = [one["CertificateArn"] for one in now.get("Certificates", ())]
    shall = [one["CertificateArn"] for one in request.get("Certificates", ())]
    return (
        now["Protocol"] == request["Protocol"]
        and now.get("SslPolicy") == request.get("SslPolicy", now.get("SslPolicy"))
        and has[:1] == shall[:1]
        and action(now["DefaultActions"]) == action(request["DefaultActions"])
    )


def bring_listeners(aws: Aws, balancer: str, groups: Mapping[str, str], wanted: Wanted, calls: Calls) -> None:
    """One listener for each port that is wanted."""
    listed = aws.pages("elbv2", "describe_listeners", "Listeners", LoadBalancerArn=balancer)
    known = {one["Port"]: one for one in listed}
    shall = {listener["port"]: listener for listener in wanted.values["listeners"]}
    for port in sorted(set(known) - set(shall)):
        aws.remove(calls, "elbv2", "delete_listener", ListenerArn=known[port]["ListenerArn"])
    for port, listener in sorted(shall.items()):
        request = _request(aws, listener, groups, wanted)
        if port not in known:
            tags = pairs(tags_of(wanted, f"listener-{port}"))
            aws.change(calls, "elbv2", "create_listener", part=f"listener-{port}", LoadBalancerArn=balancer, Tags=tags, **request)
        elif not _is_alike(known[port], request):
            aws.change(calls, "elbv2", "modify_listener", ListenerArn=known[port]["ListenerArn"], **request)


def drop_groups(aws: Aws, groups: Groups, kept: set[str], calls: Calls) -> None:
    """Remove the groups of ports that are not in `kept`."""
    for key, group in groups.items():
        if key not in kept:
            arn = group["TargetGroupArn"]
            try:
                aws.remove(calls, "elbv2", "delete_target_group", part=f"{GROUP}{key}", TargetGroupArn=arn)
            except GoneError:
                continue


def listeners_told(aws: Aws, balancer: str, groups: Groups, values: Mapping[str, Any] | None) -> dict[str, Any]:
    """Listeners in the words of the configuration. What ELB does not tell of a recorded one stays as recorded."""
    recorded = {one["port"]: one for one in (values or {}).get("listeners", ())}
    ports = {group["TargetGroupArn"]: group["Port"] for group in groups.values()}
    told, policies = [], set()
    for one in aws.pages("elbv2", "describe_listeners", "Listeners", LoadBalancerArn=balancer):
        action = one["DefaultActions"][0]
        port = ports.get(action.get("TargetGroupArn", ""))
        seen: dict[str, Any] = {"port": one["Port"], "protocol": one["Protocol"].lower()}
        seen["redirect_to_https"] = action["Type"] == "redirect"
        told.append({**recorded.get(one["Port"], {}), **seen, **({"target_port": port} if port else {})})
        policies |= {one["SslPolicy"]} if one.get("SslPolicy") and seen["protocol"] in _SECURE else set()
    words = {policy: version for version, policy in POLICIES.items()}
    known = {words[policy] for policy in policies if policy in words}
    return {"listeners": told, **({"tls_policy": min(known)} if known else {})}


def targets_told(aws: Aws, groups: Groups, values: Mapping[str, Any] | None) -> dict[str, Any]:
    """Targets by their names, and the health check. Targets that are no servers stay as recorded."""
    told: dict[str, Any] = {}
    if not groups:
        return told
    ids = set[str]().union(*(_registered(aws, group["TargetGroupArn"]) for group in groups.values()))
    listed = instances(aws, Query(ids=tuple(ids))) if ids else []
    addresses = {one["InstanceId"]: unpaired(one.get("Tags")).get(TAG_ADDRESS, "") for one in listed}
    names = [addresses.get(one, "").removeprefix("server.") or one for one in ids]
    told["targets"] = sorted(names)
    if values is not None and not ids and values.get("targets"):
        # None is registered: either all are gone, or they are no servers.
        told["targets"] = []
    group = next(iter(groups.values()))
    if values is not None:
        told["health_check"] = _health_told(group, values["health_check"])
    return told


def _health_told(group: Mapping[str, Any], recorded: Mapping[str, Any]) -> dict[str, Any]:
    limits = {
        "interval_seconds": ("HealthCheckIntervalSeconds", _LEAST_INTERVAL, _MOST_INTERVAL),
        "healthy_threshold": ("HealthyThresholdCount", _LEAST_THRESHOLD, _MOST_THRESHOLD),
        "unhealthy_threshold": ("UnhealthyThresholdCount", _LEAST_THRESHOLD, _MOST_THRESHOLD),
    }
    told: dict[str, Any] = {}
    for field, (key, least, most) in limits.items():
        # What ELB cannot be set to was brought to what it can.
        is_meant = min(max(recorded[field], least), most) == group.get(key)
        told[field] = recorded[field] if is_meant else group.get(key)
    if group.get("HealthCheckPath"):
        told["path"] = group["HealthCheckPath"]
    return told
