"""Layer 5: nothing is open, weak or secret that should not be. Rules about single fields are data (`security_rules.toml`)."""

import dataclasses
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from typing import Any

from prov_gen.codes import RULES, Severity
from prov_gen.findings import Finding, Path, finding
from prov_gen.layers.plaintext import check_plaintext
from prov_gen.model.infrastructure import InfrastructureConfig
from prov_gen.model.kinds import Item, resources
from prov_gen.model.network import LoadBalancer, SecurityGroup, SecurityRule

# A network with this many addresses or more is "the internet" for our purpose.
WIDE_OPEN_PREFIX = 4
ALL_PORTS = 65_536

# Ports that the whole internet must never reach, and what listens there.
GUARDED_PORTS = {
    22: "SSH",
    3389: "remote desktop",
    3306: "MySQL",
    5432: "PostgreSQL",
    1433: "SQL Server",
    27017: "MongoDB",
    6379: "Redis",
    11211: "Memcached",
    9200: "Elasticsearch",
    2379: "etcd",
    6443: "the Kubernetes API",
    10250: "the kubelet",
}


@dataclasses.dataclass(frozen=True, slots=True)
class FieldRule:
    """One rule of the data file."""

    kind: str
    field: str
    code: str
    severity: Severity
    message: str
    fix: str
    bad: tuple[Any, ...] = ()
    below: float | None = None
    not_set: bool = False
    when: dict[str, Any] = dataclasses.field(default_factory=dict)
    when_element: dict[str, Any] = dataclasses.field(default_factory=dict)

    def is_broken_by(self, value: Any) -> bool:
        """Whether this value of the field is what the rule speaks against."""
        if self.not_set:
            return value is None
        if self.below is not None:
            return value is not None and value < self.below
        return value in self.bad


@cache
def field_rules() -> dict[str, list[FieldRule]]:
    """The rules of the data file by kind."""
    table = tomllib.loads(RULES.read_text(encoding="utf-8"))
    rules: dict[str, list[FieldRule]] = {}
    for row in table["rule"]:
        bad = row.pop("is", None)
        rule = FieldRule(**row, bad=tuple(bad) if isinstance(bad, list) else (bad,))
        rules.setdefault(rule.kind, []).append(rule)
    return rules


def check_security(config: InfrastructureConfig) -> Iterator[Finding]:
    """Findings about protection."""
    rules = field_rules()
    for item in resources(config):
        for rule in rules.get(item.kind.name, ()):
            yield from _field_rule(rule, item)
        if isinstance(item.record, SecurityGroup):
            yield from _open_ports(item.record, item.path)
        elif isinstance(item.record, LoadBalancer):
            yield from _plain_listeners(item.record, item.path)
        elif item.kind.name == "kubernetes":
            yield from _open_api(item)
        elif item.kind.name == "security":
            yield from _all_powerful(item)
    yield from check_plaintext(config)


def _field_rule(rule: FieldRule, item: Item) -> Iterator[Finding]:
    if any(getattr(item.record, key) != wanted for key, wanted in rule.when.items()):
        return
    for where, value in _values(item.record, rule.field.split("."), item.path, rule.when_element):
        if rule.is_broken_by(value):
            yield finding(rule.code, where, rule.message, rule.fix, severity=rule.severity)


def _values(record: Any, steps: list[str], where: Path, when: dict[str, Any]) -> Iterator[tuple[Path, Any]]:
    step = steps[0].removesuffix("[]")
    value, here = getattr(record, step), (*where, step)
    if steps[0].endswith("[]"):
        for index, element in enumerate(value):
            if all(getattr(element, key) == wanted for key, wanted in when.items()):
                yield from _values(element, steps[1:], (*here, index), when)
    elif len(steps) == 1:
        yield here, value
    elif value is not None:
        yield from _values(value, steps[1:], here, when)


def is_internet(cidr: str) -> bool:
    """Whether a network is the whole internet, or so much of it that it makes no difference."""
    return int(cidr.rpartition("/")[2]) <= WIDE_OPEN_PREFIX


def _open_ports(group: SecurityGroup, where: Path) -> Iterator[Finding]:
    for index, rule in enumerate(group.rules):
        if rule.direction != "ingress" or rule.protocol == "icmp":
            continue
        ports = _ports(rule)
        is_all = rule.protocol == "all" or rule.from_port is None or len(ports) == ALL_PORTS
        guarded = [] if is_all else [port for port in GUARDED_PORTS if port in ports]
        if not is_all and not guarded:
            continue
        for position, cidr in enumerate(rule.cidrs):
            if not is_internet(cidr):
                continue
            at = (*where, "rules", index, "cidrs", position)
            if is_all:
                message, fix = f"{group.name} opens every port to the internet", "name the ports, or the networks"
                yield finding("open_all_ports", at, message, fix)
            for port in guarded:
                message = f"{group.name} opens {GUARDED_PORTS[port]} (port {port}) to the internet"
                fix = "name the networks that need it, such as your office's or a bastion's"
                yield finding("open_guarded_port", at, message, fix)


def _ports(rule: SecurityRule) -> range:
    first = rule.from_port or 0
    return range(first, (rule.to_port if rule.to_port is not None else first) + 1)


def _plain_listeners(balancer: LoadBalancer, where: Path) -> Iterator[Finding]:
    if balancer.scheme != "public":
        return
    for index, listener in enumerate(balancer.listeners):
        if listener.protocol == "http" and not listener.redirect_to_https:
            # Worth knowing only: without a domain there is no certificate, and a first draft has none.
            fix = "set redirect_to_https = true and add an https listener"
            yield finding("listener_plain", (*where, "listeners", index), "the internet is answered over plain HTTP", fix)


def _open_api(item: Item) -> Iterator[Finding]:
    endpoint = item.record.endpoint
    if endpoint.public and (not endpoint.allowed_cidrs or any(is_internet(cidr) for cidr in endpoint.allowed_cidrs)):
        fix = "set endpoint.allowed_cidrs to your networks, or leave endpoint.public out"
        yield finding("api_open", (*item.path, "endpoint"), "the whole internet reaches the cluster's API", fix)


def _is_all(texts: list[str]) -> bool:
    """Whether these actions or resources are all there are: nothing named, or wildcards alone, `arn:aws:` before them or not."""
    return not texts or any(re.fullmatch(r"(arn:[a-z-]*:)?[*:]*\*[*:]*", text) for text in texts)


def _all_powerful(item: Item) -> Iterator[Finding]:
    for index, policy in enumerate(item.record.iam_policies):
        for position, statement in enumerate(policy.statements):
            if statement.effect == "allow" and _is_all(statement.actions) and _is_all(statement.resources):
                where = (*item.path, "iam_policies", index, "statements", position)
                message = f"the policy {policy.name} allows everything to everything"
                yield finding("policy_all_powerful", where, message, "name the actions and the resources")
