"""Load balancers."""

from typing import Any

from prov_gen.export.terraform.document import Body, label_of, name_of, reference, referred
from prov_gen.export.terraform.item import Item, subnet_label
from prov_gen.export.terraform.rows import Attribute, Fixed, Refers, Special, Tags, find
from prov_gen.export.terraform.table import Found, Main, linked

_TLS = {
    "1.0": "ELBSecurityPolicy-TLS-1-0-2015-04",
    "1.1": "ELBSecurityPolicy-TLS-1-1-2017-01",
    "1.2": "ELBSecurityPolicy-TLS13-1-2-2021-06",
    "1.3": "ELBSecurityPolicy-TLS13-1-3-2021-06",
}
_PROTOCOLS = {"http": "HTTP", "https": "HTTPS", "tcp": "TCP", "tls": "TLS", "udp": "UDP"}
_ENCRYPTED = {"https", "tls"}
_ATTRIBUTE = "default_action.redirect.protocol"
_LOG_REASON = "access logs need a bucket of this configuration and provider"


def _write_name(item: Item, body: Body) -> None:
    # Longer names are Terraform's to make up; the tag Name has the whole one.
    if len(item.get("name")) <= 32:
        body["name"] = item.raw.name


def _write_subnets(item: Item, body: Body) -> None:
    Refers("subnets", "subnets", "subnet").write(item, body)
    networking = item.config.networking
    if not item.raw.subnets and networking and item.config.provider == item.provider:
        tier = "public" if item.raw.scheme == "public" else "private"
        found = {subnet_label(networking.name, subnet.name) for subnet in networking.subnets if subnet.tier == tier}
        if found:
            body["subnets"] = [reference("aws_subnet", label) for label in sorted(found)]


def _write_logs(item: Item, body: Body) -> None:
    name = item.get("log_bucket")
    bucket = item.refer("bucket", name) if name else None
    if bucket:
        body["access_logs"] = {"bucket": bucket, "enabled": item.get("access_logs")}
    else:
        item.leave("log_bucket", _LOG_REASON)
        item.leave("access_logs", _LOG_REASON)


def _read_logs(body: Body, record: dict[str, Any]) -> None:
    record["access_logs"] = find(body, "access_logs.enabled") is True
    found = referred(find(body, "access_logs.bucket"))
    if found:
        record["log_bucket"] = name_of(found[1])


def _listener(item: Item, index: int, listener: Item) -> None:
    raw, label = listener.raw, f"{item.label}_{index}"
    protocol = listener.get("protocol")
    body: Body = {
        "load_balancer_arn": reference("aws_lb", item.label, "arn"),
        "port": listener.get("port"),
        "protocol": _PROTOCOLS[protocol],
    }
    if protocol in _ENCRYPTED:
        body["ssl_policy"] = _TLS[item.get("tls_policy")]
        Refers("certificate", "certificate_arn", "certificate", "arn").write(listener, body)
    else:
        listener.leave("certificate", f"{protocol} has no certificate")
    if raw.redirect_to_https and protocol == "http":
        listener.get("redirect_to_https")
        body["default_action"] = {"type": "redirect", "redirect": {"port": "443", "protocol": "HTTPS", "status_code": "HTTP_301"}}
        listener.leave("target_port", "a redirect has no target")
    else:
        listener.leave("redirect_to_https", "only plain http can be redirected")
        body["default_action"] = {"type": "forward", "target_group_arn": reference("aws_lb_target_group", label, "arn")}
        _target_group(item, listener, label, protocol)
    item.put("aws_lb_listener", label, body)


def _target_group(item: Item, listener: Item, label: str, protocol: str) -> None:
    http = protocol in {"http", "https"}
    check: Body = {"protocol": "HTTP" if http else "TCP"}
    health = item.inside(item.record.health_check, item.label)
    health.get("path")
    if http:
        Attribute("path", "path").write(health, check)
    elif item.raw.health_check.path != "/" and not any(found.protocol in {"http", "https"} for found in item.raw.listeners):
        health.leave("path", "only HTTP checks have a path")
    for name, attribute, low, high in (
        ("interval_seconds", "interval", 5, 300),
        ("healthy_threshold", "healthy_threshold", 2, 10),
        ("unhealthy_threshold", "unhealthy_threshold", 2, 10),
    ):
        value = health.get(name)
        if low <= value <= high:
            check[attribute] = value
        else:
            health.leave(name, f"AWS takes {low} to {high}")
    Attribute("port", "port").write(health, check)
    group: Body = {
        "port": listener.get("target_port"),
        "protocol": "HTTP" if http else "UDP" if protocol == "udp" else "TCP",
        "health_check": check,
    }
    networking = item.config.networking
    if networking and item.config.provider == item.provider:
        group["vpc_id"] = reference("aws_vpc", label_of(networking.name))
    item.put("aws_lb_target_group", label, group)
    for index, name in enumerate(item.get("targets")):
        server = item.refer("server", name)
        if server is None:
            item.leave(f"targets.{index}", "clusters and workloads register their own targets; only servers are attached")
        elif name not in item.raw.targets[:index]:
            attachment = {
                "target_group_arn": reference("aws_lb_target_group", label, "arn"),
                "target_id": server,
                "port": listener.raw.target_port,
            }
            item.put("aws_lb_target_group_attachment", f"{label}_{name}", attachment)


def _firewall(item: Item) -> None:
    visible = {"cloudwatch_metrics_enabled": True, "sampled_requests_enabled": True, "metric_name": item.raw.name}
    rules = [
        {
            "name": name,
            "priority": priority,
            "override_action": {"none": {}},
            "statement": {"managed_rule_group_statement": {"name": name, "vendor_name": "AWS"}},
            "visibility_config": visible,
        }
        for priority, name in enumerate(("AWSManagedRulesCommonRuleSet", "AWSManagedRulesKnownBadInputsRuleSet"))
    ]
    acl = {
        "name": item.raw.name,
        "scope": "REGIONAL",
        "default_action": {"allow": {}},
        "rule": rules,
        "visibility_config": visible,
    }
    item.put("aws_wafv2_web_acl", item.label, acl)
    both = {
        "resource_arn": reference("aws_lb", item.label, "arn"),
        "web_acl_arn": reference("aws_wafv2_web_acl", item.label, "arn"),
    }
    item.put("aws_wafv2_web_acl_association", item.label, both)


def _more(item: Item) -> None:
    item.leave("plan", "AWS sells load balancers in one size")
    if not any(listener.protocol in _ENCRYPTED for listener in item.raw.listeners):
        item.leave("tls_policy", "no listener encrypts")
    if not item.raw.listeners:
        for name in ("targets", "health_check"):
            item.leave(name, "there is no listener")
    for index, record in enumerate(item.get("listeners")):
        _listener(item, index, item.inside(record, item.label))
    if item.get("waf"):
        if item.raw.kind == "application":
            _firewall(item)
        else:
            item.leave("waf", "a network load balancer has no web application firewall")


def _recover(label: str, _body: Body, found: Found, record: dict[str, Any]) -> None:
    record["waf"] = linked(found("aws_wafv2_web_acl_association"), "aws_lb", label, "resource_arn") is not None
    listeners = []
    for body in found("aws_lb_listener").values():
        target = referred(body.get("load_balancer_arn"))
        if target and target[1] == label:
            listeners.append(_read_listener(body, found, record))
    record["listeners"] = listeners


def _read_listener(body: Body, found: Found, record: dict[str, Any]) -> dict[str, Any]:
    listener: dict[str, Any] = {"port": body.get("port", 443)}
    Attribute("protocol", "protocol", _PROTOCOLS).read(body, listener)
    Attribute("tls_policy", "ssl_policy", _TLS).read(body, record)
    Refers("certificate", "certificate_arn", "certificate", "arn").read(body, listener)
    if find(body, _ATTRIBUTE) == "HTTPS":
        return listener | {"redirect_to_https": True}
    group = referred(find(body, "default_action.target_group_arn"))
    target = found("aws_lb_target_group").get(group[1], {}) if group else {}
    if isinstance(target.get("port"), int):
        listener["target_port"] = target["port"]
    health: dict[str, Any] = record.setdefault("health_check", {})
    for name, attribute in (
        ("path", "path"),
        ("port", "port"),
        ("interval_seconds", "interval"),
        ("healthy_threshold", "healthy_threshold"),
        ("unhealthy_threshold", "unhealthy_threshold"),
    ):
        Attribute(name, f"health_check.{attribute}").read(target, health)
    attached = [
        extra
        for extra in found("aws_lb_target_group_attachment").values()
        if group and referred(extra.get("target_group_arn")) == group
    ]
    names = [Refers("", "", "server").named(extra.get("target_id")) for extra in attached]
    if names:
        record["targets"] = [name for name in names if name]
    return listener


LOAD_BALANCER = Main(
    "load_balancer",
    "aws_lb",
    (
        Special(_write_name),
        Attribute("kind", "load_balancer_type"),
        Attribute("scheme", "internal", {"public": False, "internal": True}),
        Special(_write_subnets, Refers("subnets", "subnets", "subnet").read),
        Refers("security_groups", "security_groups", "security_group"),
        Attribute("deletion_protection", "enable_deletion_protection", absent=False),
        Fixed("drop_invalid_header_fields", value=True),
        Special(_write_logs, _read_logs),
        Tags(shown="Name"),
    ),
    more=_more,
    recover=_recover,
    refuses=lambda body: (
        ""
        if body.get("load_balancer_type", "application") in {"application", "network"}
        else "a configuration has application and network load balancers only"
    ),
    name_attribute="name",
)
