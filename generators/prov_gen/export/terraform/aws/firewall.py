"""Security groups. Rules stand inside of their group, as they do in a configuration."""

from typing import Any

from prov_gen.export.terraform.document import Body, label_of, name_of, reference, referred
from prov_gen.export.terraform.item import Item
from prov_gen.export.terraform.rows import Attribute, Special, Tags, unescape_text
from prov_gen.export.terraform.table import Main

_DESCRIPTION = r"[0-9A-Za-z_ .:/()#,@\[\]+=&;{}!$*-]{1,255}"
_PROTOCOLS = {"tcp": "tcp", "udp": "udp", "icmp": "icmp", "all": "-1"}
_ALL_PORTS = {"tcp": (0, 65535), "udp": (0, 65535), "icmp": (-1, -1), "all": (0, 0)}


def _reaches(item: Item, start: str, target: str) -> bool:
    """Whether a group names another one, at first or at last hand."""
    groups = {
        group.name: {name for rule in group.rules for name in rule.groups} - {group.name} for group in item.config.security_groups
    }
    seen, ahead = set[str](), [start]
    while ahead:
        name = ahead.pop()
        if name == target:
            return True
        if name not in seen:
            seen.add(name)
            ahead += groups.get(name, ())
    return False


def _rule(item: Item, rule: Item) -> Body:
    raw = rule.raw
    protocol = rule.get("protocol")
    first, last = _ALL_PORTS[protocol]
    if protocol == "all":
        for name in ("from_port", "to_port"):
            rule.leave(name, "a rule for all protocols has no ports")
    elif (start := rule.get("from_port")) is not None:
        end = rule.get("to_port")
        first, last = start, start if end is None else end
    else:
        rule.leave("to_port", "a rule without a first port is for all ports")
    cidrs = rule.get("cidrs")
    own, groups = False, []
    order = [group.name for group in item.config.security_groups]
    for index, name in enumerate(rule.get("groups")):
        expression = item.refer("security_group", name)
        if name == item.raw.name:
            own = True
        elif expression is None:
            rule.leave(f"groups.{index}", "no security group of this configuration and provider has that name")
        elif order.index(name) > order.index(item.raw.name) and _reaches(item, name, item.raw.name):
            rule.leave(f"groups.{index}", "the two groups name each other, and rules inside of groups cannot")
        else:
            groups.append(expression)
    body: Body = {"description": ""}
    Attribute("description", "description", pattern=_DESCRIPTION).write(rule, body)
    return body | {
        "protocol": _PROTOCOLS[raw.protocol],
        "from_port": first,
        "to_port": last,
        "cidr_blocks": [cidr for cidr in cidrs if ":" not in cidr],
        "ipv6_cidr_blocks": [cidr for cidr in cidrs if ":" in cidr],
        "prefix_list_ids": [],
        "security_groups": groups,
        "self": own,
    }


def _write_rules(item: Item, body: Body) -> None:
    """Every attribute of a rule is written: Terraform takes these blocks as values, which have no defaults in JSON."""
    for record in item.get("rules"):
        rule = item.inside(record, item.label)
        body.setdefault(rule.get("direction"), []).append(_rule(item, rule))


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _read_rule(direction: str, block: Body, own: str) -> dict[str, Any]:
    protocol = {theirs: ours for ours, theirs in _PROTOCOLS.items()}.get(str(block.get("protocol")))
    rule: dict[str, Any] = {"direction": direction} | ({"protocol": protocol} if protocol else {})
    ports = (block.get("from_port"), block.get("to_port"))
    if protocol and ports != _ALL_PORTS[protocol] and protocol != "all":
        rule |= {"from_port": ports[0]} | ({"to_port": ports[1]} if ports[0] != ports[1] else {})
    rule["cidrs"] = [*_list(block.get("cidr_blocks")), *_list(block.get("ipv6_cidr_blocks"))]
    groups = [name_of(found[1]) for value in _list(block.get("security_groups")) if (found := referred(value))]
    rule["groups"] = [*groups, *([own] if block.get("self") is True else [])]
    if block.get("description"):
        rule["description"] = unescape_text(block["description"])
    return rule


def _read_rules(body: Body, record: dict[str, Any]) -> None:
    rules = [
        _read_rule(direction, block, record["name"])
        for direction in ("ingress", "egress")
        for block in _list(body.get(direction))
        if isinstance(block, dict)
    ]
    if rules:
        record["rules"] = rules


def _write_vpc(item: Item, body: Body) -> None:
    name, networking = item.get("vpc"), item.config.networking
    expression = item.refer("vpc", name) if name else None
    if name and expression is None:
        item.leave("vpc", "no network of this configuration and provider has that name")
    elif expression:
        body["vpc_id"] = expression
    elif networking and item.config.provider == item.provider:
        body["vpc_id"] = reference("aws_vpc", label_of(networking.name))


def _read_vpc(body: Body, record: dict[str, Any]) -> None:
    found = referred(body.get("vpc_id"))
    if found:
        record["vpc"] = name_of(found[1])


SECURITY_GROUP = Main(
    "security_group",
    "aws_security_group",
    (
        Attribute("name", "name"),
        Attribute("description", "description", pattern=_DESCRIPTION),
        Special(_write_vpc, _read_vpc),
        Special(_write_rules, _read_rules),
        Tags(),
    ),
)
