"""Security groups. Rules stand inside of their group, as they do in a configuration, where groups do not name each other.

Of two groups that name each other each would have to be there before the other: their rules are resources of their own.
"""

import re
from typing import Any

from prov_gen.effective import provider_of
from prov_gen.export.terraform.document import Body, label_of, name_of, reference, referred
from prov_gen.export.terraform.item import Item
from prov_gen.export.terraform.rows import Attribute, Special, Tags, unescape_text
from prov_gen.export.terraform.table import Found, Main

_DESCRIPTION = r"[0-9A-Za-z_ .:/()#,@\[\]+=&;{}!$*-]{1,255}"
_PROTOCOLS = {"tcp": "tcp", "udp": "udp", "icmp": "icmp", "all": "-1"}
_ALL_PORTS = {"tcp": (0, 65535), "udp": (0, 65535), "icmp": (-1, -1), "all": (0, 0)}
_TYPE = "aws_security_group"
_OWN_RULE = {"ingress": "aws_vpc_security_group_ingress_rule", "egress": "aws_vpc_security_group_egress_rule"}


def _names_itself(item: Item) -> bool:
    """Whether a group names itself by way of another one."""
    groups: dict[str, set[str]] = {}
    for group in item.config.security_groups:
        if provider_of(group, item.config) == item.provider:
            # The first of two with one name is the one that is written.
            groups.setdefault(group.name, {name for rule in group.rules for name in rule.groups} - {group.name})
    own, seen = item.raw.name, set[str]()
    ahead = list(groups[own])
    while ahead:
        name = ahead.pop()
        if name == own:
            return True
        if name not in seen:
            seen.add(name)
            ahead += groups.get(name, ())
    return False


def _sides(item: Item, rule: Item) -> dict[tuple[str, str], str]:
    """What stands on a rule's other side, as attributes of a rule that is a resource, and the field of each."""
    found: dict[tuple[str, str], str] = {}
    for index, cidr in enumerate(rule.get("cidrs")):
        found.setdefault(("cidr_ipv6" if ":" in cidr else "cidr_ipv4", cidr), f"cidrs.{index}")
    for index, name in enumerate(rule.get("groups")):
        expression = item.refer("security_group", name)
        if expression is None:
            rule.leave(f"groups.{index}", "no security group of this configuration and provider has that name")
        else:
            found.setdefault(("referenced_security_group_id", expression), f"groups.{index}")
    if not found:
        item.ledger.leave(rule.path, "it names nobody on the other side")
    return found


def _ports(rule: Item) -> tuple[int, int]:
    protocol, start, end = rule.get("protocol"), rule.get("from_port"), rule.get("to_port")
    if protocol == "all":
        for name in ("from_port", "to_port"):
            rule.leave(name, "a rule for all protocols has no ports")
    elif start is not None:
        return start, start if end is None else end
    else:
        rule.leave("to_port", "a rule without a first port is for all ports")
    return _ALL_PORTS[protocol]


def _write_rules(item: Item, body: Body) -> None:
    """Every attribute of a rule is written: Terraform takes these blocks as values, which have no defaults in JSON."""
    own = reference(_TYPE, item.label)
    for record in () if _names_itself(item) else item.get("rules"):
        rule = item.inside(record, item.label)
        if not (sides := _sides(item, rule)):
            continue
        block: Body = {"description": ""}
        Attribute("description", "description", pattern=_DESCRIPTION).write(rule, block)
        first, last = _ports(rule)
        groups = [text for attribute, text in sides if attribute == "referenced_security_group_id"]
        block |= {"protocol": _PROTOCOLS[rule.raw.protocol], "from_port": first, "to_port": last}
        block |= {
            "cidr_blocks": [text for attribute, text in sides if attribute == "cidr_ipv4"],
            "ipv6_cidr_blocks": [text for attribute, text in sides if attribute == "cidr_ipv6"],
            "prefix_list_ids": [],
            "security_groups": [text for text in groups if text != own],
            "self": own in groups,
        }
        body.setdefault(rule.get("direction"), []).append(block)


def _write_beside(item: Item) -> None:
    """The rules as resources, which are called by the number of the rule and of its other side."""
    if not _names_itself(item):
        return
    number, seen = 0, set[tuple[Any, ...]]()
    for record in item.get("rules"):
        rule = item.inside(record, item.label)
        kind, protocol = _OWN_RULE[rule.get("direction")], _PROTOCOLS[rule.get("protocol")]
        ports = _ports(rule)
        body: Body = {"security_group_id": reference(_TYPE, item.label), "ip_protocol": protocol}
        if rule.raw.protocol != "all":
            body |= {"from_port": ports[0], "to_port": ports[1]}
        Attribute("description", "description", pattern=_DESCRIPTION).write(rule, body)
        written = 0
        for side, field in _sides(item, rule).items():
            if (mark := (kind, protocol, ports, side)) in seen:
                rule.leave(field, "another rule lets the same through, and AWS takes it once")
                continue
            seen.add(mark)
            item.put(kind, f"{item.label}_{number}_{written}", body | dict([side]))
            written += 1
        number += bool(written)


def _recover(label: str, _body: Body, found: Found, record: dict[str, Any]) -> None:
    """The rules that are resources of ours; others' have names of their own and stay listed."""
    blocks: dict[int, tuple[str, Body]] = {}
    for direction, kind in _OWN_RULE.items():
        for name, body in found(kind).items():
            own = re.fullmatch(rf"{re.escape(label)}_(\d+)_\d+", name)
            if not own or (referred(body.get("security_group_id")) or ("", ""))[1] != label:
                continue
            block = blocks.setdefault(int(own[1]), (direction, _as_inside(body)))[1]
            block["cidr_blocks"] += [body[name] for name in ("cidr_ipv4", "cidr_ipv6") if name in body]
            block["security_groups"] += _list(body.get("referenced_security_group_id"))
    rules = [_read_rule(direction, block, label) for _, (direction, block) in sorted(blocks.items())]
    if rules:
        record["rules"] = [*record.get("rules", []), *rules]


def _as_inside(body: Body) -> Body:
    """A rule that is a resource, without its other side, as it would stand inside of a group."""
    ports = {name: body[name] for name in ("from_port", "to_port") if name in body}
    said = {"protocol": body.get("ip_protocol"), "description": body.get("description")}
    return ports | said | {"cidr_blocks": [], "security_groups": []}


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
    _TYPE,
    (
        Attribute("name", "name"),
        Attribute("description", "description", pattern=_DESCRIPTION),
        Special(_write_vpc, _read_vpc),
        Special(_write_rules, _read_rules),
        Tags(),
    ),
    more=_write_beside,
    recover=_recover,
)
