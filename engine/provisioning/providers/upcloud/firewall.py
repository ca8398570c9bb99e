"""The rules of security groups as the firewall of a server.

Every rule that is ours says in its comment whose it is (`prov:` and the group's key). What no rule lets in is dropped; what goes
out is free until a group has a rule for it. UpCloud's firewall knows addresses only and does not filter private networks: a rule
whose other side are groups lets nothing more through on public addresses, and members reach each other on their private network.
"""

import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from prov_judge.changes.leaves import canonical, sentence
from provisioning.errors import ProviderError
from provisioning.providers.base import Calls
from provisioning.providers.upcloud.api import ForbiddenError
from provisioning.providers.upcloud.cloud import Cloud
from provisioning.providers.upcloud.labels import digest

Rule = dict[str, Any]

_RESOLVERS = ("94.237.127.9", "94.237.40.9")
"""UpCloud's name servers: replies over UDP are not known to belong to a question."""
_BASE, _END = "prov:base", "prov:end"
_LONGEST_COMMENT = 250
_MOST_RULES = 1000


@dataclass(frozen=True, slots=True)
class Group:
    """A security group as servers carry it."""

    key: str
    rules: Sequence[Mapping[str, Any]]


def group_key(address: str) -> str:
    """What stands for a group in labels and comments."""
    return digest(address)


def rules_digest(rules: Sequence[Mapping[str, Any]]) -> str:
    """What tells one set of rules from another."""
    return digest(canonical({"rules": [dict(rule) for rule in rules]}))


def compiled(key: str, rule: Mapping[str, Any]) -> list[Rule]:
    """A rule of a group: one rule of the firewall for each network on the other side."""
    return [_compiled(key, rule, ipaddress.ip_network(cidr, strict=False)) for cidr in rule.get("cidrs") or ()]


def whole(groups: Iterable[Group]) -> list[Rule]:
    """All rules of a server that belongs to these groups."""
    return _framed([one for group in groups for rule in group.rules for one in compiled(group.key, rule)])


def current(cloud: Cloud, server: str) -> list[Rule] | None:
    """The rules of a server as they can be compared, None when the server is gone (its firewall then answers 403, not 404)."""
    try:
        answer = cloud.got(f"/server/{server}/firewall_rule", "firewall_rules")
    except ForbiddenError:
        if cloud.got(f"/server/{server}", "server") is None:
            return None
        raise
    return None if answer is None else [_bare(rule) for rule in answer["firewall_rule"]]


def write(cloud: Cloud, server: str, rules: list[Rule], calls: Calls, *, now: list[Rule] | None = None) -> None:
    """Give a server exactly these rules; nothing is called when it has them. Raises ProviderError when there are too many."""
    if len(rules) > _MOST_RULES:
        raise ProviderError(
            f"the security groups of a server have {len(rules)} rules, UpCloud takes {_MOST_RULES}",
            hint="name fewer networks, or larger ones",
        )
    there = current(cloud, server) if now is None else now
    if there is None or there == rules:
        return
    body = {"firewall_rules": {"firewall_rule": rules}}
    calls.run("CreateFirewallRules", lambda: cloud.api.put(f"/server/{server}/firewall_rule", body), part="firewall")


def exchanged(now: Sequence[Rule], key: str, rules: Sequence[Mapping[str, Any]]) -> list[Rule]:
    """A server's rules with those of one group exchanged, and without rules that are of no group."""
    others = [rule for rule in now if _owner(rule) not in {key, "", "base", "end"}]
    return _framed([*others, *(one for rule in rules for one in compiled(key, rule))])


def foreign(now: Sequence[Rule], key: str, rules: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What a server lets through that its groups do not say, as observed values (`rules[ingress tcp 22 22 0.0.0.0/0]`)."""
    mine = [one for rule in rules for one in compiled(key, rule)]
    found = {}
    for rule in now:
        is_strange = rule.get("action") == "accept" and (not _owner(rule) or (_owner(rule) == key and rule not in mine))
        if is_strange:
            element = _element(rule)
            found[f"rules[{sentence(element)}]"] = element
    return found


def _framed(rules: list[Rule]) -> list[Rule]:
    base = [
        {
            "action": "accept", "comment": _BASE, "direction": "in", "family": "IPv4", "protocol": "udp",
            "source_address_start": address, "source_address_end": address, "source_port_start": "53", "source_port_end": "53",
        }
        for address in _RESOLVERS
    ]  # fmt: skip
    end = [{"action": "drop", "comment": _END, "direction": "in"}]
    if any(rule["direction"] == "out" for rule in rules):
        end.append({"action": "drop", "comment": _END, "direction": "out"})
    unique = list({canonical(rule): rule for rule in rules}.values())
    return [*base, *unique, *end]


def _compiled(key: str, rule: Mapping[str, Any], network: ipaddress.IPv4Network | ipaddress.IPv6Network) -> Rule:
    is_in = rule.get("direction", "ingress") == "ingress"
    made: Rule = {
        "action": "accept", "comment": f"prov:{key} {rule.get('description') or ''}".strip()[:_LONGEST_COMMENT],
        "direction": "in" if is_in else "out", "family": f"IPv{network.version}",
    }  # fmt: skip
    protocol = rule.get("protocol", "tcp")
    if protocol != "all":
        made["protocol"] = protocol
    if protocol in {"tcp", "udp"} and rule.get("from_port") is not None:
        first = int(rule["from_port"])
        last = first if rule.get("to_port") is None else int(rule["to_port"])
        # No port 0 is ever used, and UpCloud counts from 1.
        made["destination_port_start"], made["destination_port_end"] = str(max(first, 1)), str(max(last, 1))
    if network.prefixlen:
        side = "source" if is_in else "destination"
        made[f"{side}_address_start"] = str(network.network_address)
        made[f"{side}_address_end"] = str(network.broadcast_address)
    return made


def _bare(rule: Mapping[str, Any]) -> Rule:
    told = {name: value for name, value in rule.items() if name != "position" and value not in ("", None)}
    # An IPv6 address can be spelled in several ways.
    return {name: str(ipaddress.ip_address(value)) if "_address_" in name else value for name, value in told.items()}


def _owner(rule: Rule) -> str:
    comment = str(rule.get("comment", ""))
    return comment.removeprefix("prov:").partition(" ")[0] if comment.startswith("prov:") else ""


def _element(rule: Rule) -> dict[str, Any]:
    side = "source" if rule.get("direction") == "in" else "destination"
    family = str(rule.get("family") or "IPv4")
    cidrs = ["0.0.0.0/0" if family == "IPv4" else "::/0"]
    if rule.get(f"{side}_address_start"):
        first, last = (ipaddress.ip_address(rule[f"{side}_address_{end}"]) for end in ("start", "end"))
        cidrs = sorted(str(one) for one in ipaddress.summarize_address_range(first, last))
    start, end = rule.get("destination_port_start"), rule.get("destination_port_end")
    return {
        "direction": "ingress" if rule.get("direction") == "in" else "egress", "protocol": rule.get("protocol") or "all",
        "from_port": int(start) if start else None, "to_port": int(end) if end else None,
        "cidrs": cidrs, "groups": [], "description": rule.get("comment"),
    }  # fmt: skip
