"""Load balancers with their listeners and target groups, and the firewall before them."""

from typing import Any

from prov_gen.export.cloudformation.network import subnets_of, vpc_of
from prov_gen.export.cloudformation.scope import Scope
from prov_gen.export.cloudformation.template import Value, get_att, ref
from prov_gen.export.tracking import path_of

_PROTOCOLS = {"application": ("http", "https"), "network": ("tcp", "tls", "udp")}
_TLS = {
    "1.0": "ELBSecurityPolicy-2016-08",
    "1.1": "ELBSecurityPolicy-TLS-1-1-2017-01",
    "1.2": "ELBSecurityPolicy-TLS13-1-2-2021-06",
    "1.3": "ELBSecurityPolicy-TLS13-1-3-2021-06",
}
"""Least version -> policy. Source: Elastic Load Balancing, "Security policies"."""
_INTERVAL, _THRESHOLD = (5, 300), (2, 10)


def build_balancers(scope: Scope, balancers: list[Any]) -> None:
    """Load balancers before servers of this template."""
    for balancer in balancers:
        where = path_of(balancer)
        logical_id = scope.id_of("load_balancers", balancer.name) or ""
        is_public = balancer.scheme == "public"
        groups = scope.refs("security_groups", balancer.security_groups, (*where, "security_groups"))
        attributes = {"deletion_protection.enabled": str(balancer.deletion_protection).lower()} | _logs(scope, balancer)
        properties = {
            "Type": balancer.kind,
            "Scheme": "internet-facing" if is_public else "internal",
            "Subnets": subnets_of(scope, balancer.subnets, (*where, "subnets"), "public" if is_public else "private"),
            "SecurityGroups": [{"Fn::GetAtt": [one["Ref"], "GroupId"]} for one in groups] or None,
            "LoadBalancerAttributes": [{"Key": key, "Value": value} for key, value in attributes.items()],
            "Tags": scope.tags(balancer),
        }
        scope.template.add("ElasticLoadBalancingV2::LoadBalancer", properties, logical_id=logical_id)
        scope.template.output(logical_id, "address", get_att(logical_id, "DNSName"), f"Address of {balancer.name}")
        _listeners(scope, balancer, logical_id)
        if balancer.waf:
            _firewall(scope, balancer, logical_id)


def _logs(scope: Scope, balancer: Any) -> dict[str, Value]:
    where = path_of(balancer)
    bucket = scope.id_of("buckets", balancer.log_bucket)
    if balancer.log_bucket and bucket is None:
        scope.ledger.leave((*where, "log_bucket"), f"no bucket in this template is called {balancer.log_bucket}")
    if not balancer.access_logs:
        scope.ledger.leave((*where, "log_bucket"), "requests are not logged")
        return {}
    if bucket is None:
        scope.ledger.leave((*where, "access_logs"), "AWS writes them into a bucket, and it names none of this template")
        return {}
    return {"access_logs.s3.enabled": "true", "access_logs.s3.bucket": ref(bucket)}


def _listeners(scope: Scope, balancer: Any, logical_id: str) -> None:
    targets = _targets(scope, balancer)
    taken: set[int] = set()
    for listener in balancer.listeners:
        where = path_of(listener)
        if listener.protocol not in _PROTOCOLS[balancer.kind] or listener.port in taken:
            reason = (
                f"port {listener.port} is taken"
                if listener.port in taken
                else f"{listener.protocol} is for the other kind of balancer"
            )
            scope.ledger.leave(where, reason)
            continue
        taken.add(listener.port)
        redirects = listener.redirect_to_https and listener.protocol == "http"
        if listener.redirect_to_https and not redirects:
            scope.ledger.leave((*where, "redirect_to_https"), "only plain http is redirected")
        if redirects:
            scope.ledger.leave((*where, "target_port"), "every request is redirected")
            config = {"Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_301"}
            action: Value = {"Type": "redirect", "RedirectConfig": config}
        else:
            group = _target_group(scope, balancer, listener, targets, logical_id)
            action = {"Type": "forward", "TargetGroupArn": ref(group)}
        properties: dict[str, Value] = {
            "LoadBalancerArn": ref(logical_id),
            "Port": listener.port,
            "Protocol": listener.protocol.upper(),
            "DefaultActions": [action],
        }
        if listener.protocol in ("https", "tls"):
            properties |= {
                "Certificates": [{"CertificateArn": _certificate(scope, listener)}],
                "SslPolicy": _TLS[balancer.tls_policy],
            }
        elif listener.certificate:
            scope.ledger.leave((*where, "certificate"), f"{listener.protocol} has no certificate")
        scope.template.add("ElasticLoadBalancingV2::Listener", properties, logical_id, "Listener", str(listener.port))
    if not any(one.protocol in ("https", "tls") for one in balancer.listeners):
        scope.ledger.leave((*path_of(balancer), "tls_policy"), "no listener speaks TLS")


def _certificate(scope: Scope, listener: Any) -> Value:
    found = scope.id_of("certificates", listener.certificate)
    if found and found in scope.template.resources:
        return ref(found)
    key = listener.certificate or "a balancer"
    return scope.template.parameter(("certificate of", key), "String", f"ARN of the certificate of {key}")


def _targets(scope: Scope, balancer: Any) -> list[Value]:
    found = []
    for index, name in enumerate(balancer.targets):
        if server := scope.id_of("servers", name):
            found.append({"Id": ref(server)})
        else:
            reason = "no server of this template: what runs on a cluster is reached from inside of it"
            scope.ledger.leave((*path_of(balancer), "targets", index), reason)
    return [one for index, one in enumerate(found) if one not in found[:index]]


def _target_group(scope: Scope, balancer: Any, listener: Any, targets: list[Value], logical_id: str) -> str:
    check, where = balancer.health_check, (*path_of(balancer), "health_check")
    is_web = balancer.kind == "application"
    protocol = "HTTP" if is_web else {"tls": "TCP"}.get(listener.protocol, listener.protocol.upper())
    properties: dict[str, Value] = {
        "VpcId": vpc_of(scope, None, where),
        "Port": listener.target_port,
        "Protocol": protocol,
        "TargetType": "instance",
        "Targets": targets or None,
        "HealthCheckProtocol": "HTTP" if is_web else "TCP",
        "HealthCheckPath": check.path if is_web else None,
        "HealthCheckPort": str(check.port) if check.port else "traffic-port",
        "Tags": scope.tags(balancer),
    }
    if not is_web:
        scope.ledger.leave((*where, "path"), "a network balancer looks whether the port is open")
    bounded = (
        ("interval_seconds", "HealthCheckIntervalSeconds", _INTERVAL),
        ("healthy_threshold", "HealthyThresholdCount", _THRESHOLD),
        ("unhealthy_threshold", "UnhealthyThresholdCount", _THRESHOLD),
    )
    for field, name, (least, most) in bounded:
        value = getattr(check, field)
        properties[name] = min(max(value, least), most)
        if not least <= value <= most:
            scope.ledger.leave((*where, field), f"AWS takes {least} to {most}; {properties[name]} is written")
    # A check has to end before the next one begins.
    properties["HealthCheckTimeoutSeconds"] = min(5, properties["HealthCheckIntervalSeconds"] - 1)
    return scope.template.add("ElasticLoadBalancingV2::TargetGroup", properties, logical_id, "Targets", str(listener.port))


def _firewall(scope: Scope, balancer: Any, logical_id: str) -> None:
    if balancer.kind != "application":
        scope.ledger.leave((*path_of(balancer), "waf"), "AWS WAF stands before application balancers only")
        return
    visible = {"SampledRequestsEnabled": True, "CloudWatchMetricsEnabled": True, "MetricName": "common"}
    rules = {"VendorName": "AWS", "Name": "AWSManagedRulesCommonRuleSet"}
    rule = {
        "Name": "common",
        "Priority": 0,
        "OverrideAction": {"None": {}},
        "Statement": {"ManagedRuleGroupStatement": rules},
        "VisibilityConfig": visible,
    }
    properties = {
        "Scope": "REGIONAL",
        "DefaultAction": {"Allow": {}},
        "Rules": [rule],
        "VisibilityConfig": visible | {"MetricName": "all"},
        "Tags": scope.tags(balancer),
    }
    firewall = scope.template.add("WAFv2::WebACL", properties, logical_id, "Firewall")
    association = {"ResourceArn": ref(logical_id), "WebACLArn": get_att(firewall, "Arn")}
    scope.template.add("WAFv2::WebACLAssociation", association, logical_id, "FirewallAssociation")
