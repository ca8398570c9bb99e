"""Rules of security groups as AWS keeps them: one for each way, protocol, ports and other side.

A group on the other side is called by its name in its network, which is its name in the configuration.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from provisioning.resource import Wanted

_TEXT = re.compile(r"[^a-zA-Z0-9. _\-:/()#,@\[\]+=&;{}!$*]")
"""Characters that a description may not have. Source: the EC2 API, IpRange."""

MOST_TEXT = 255


@dataclass(frozen=True, slots=True, order=True)
class Atom:
    """One rule of AWS. `peer` is a network, or a group's name with `is_group`; `protocol` and ports are AWS's (-1 is all)."""

    direction: str
    protocol: str
    from_port: int
    to_port: int
    peer: str
    is_group: bool = False


def described(text: str | None) -> str:
    """A description in the characters that AWS takes."""
    return _TEXT.sub("-", text or "")[:MOST_TEXT]


def atoms_of(rule: Mapping[str, Any]) -> dict[Atom, str]:
    """A rule of the configuration as AWS's rules, with their description."""
    protocol = "-1" if rule["protocol"] == "all" else str(rule["protocol"])
    first, last = rule.get("from_port"), rule.get("to_port")
    if protocol == "-1" or (protocol == "icmp" and first is None):
        first, last = -1, -1
    elif first is None:
        first, last = 0, 65535
    elif last is None:
        last = first
    text = described(rule.get("description"))
    peers = [(cidr, False) for cidr in rule.get("cidrs", ())] + [(group, True) for group in rule.get("groups", ())]
    return {Atom(rule["direction"], protocol, first, last, peer, is_group): text for peer, is_group in peers}


def atoms_in(group: Mapping[str, Any], names: Mapping[str, str]) -> dict[Atom, str]:
    """The rules that a group has. `names` are the names of groups by id."""
    found: dict[Atom, str] = {}
    for direction, key in (("ingress", "IpPermissions"), ("egress", "IpPermissionsEgress")):
        for permission in group.get(key, ()):
            protocol = permission["IpProtocol"]
            ports = (-1, -1) if protocol == "-1" else (permission.get("FromPort", -1), permission.get("ToPort", -1))
            for peer, is_group, text in _peers(permission, names):
                found[Atom(direction, protocol, ports[0], ports[1], peer, is_group)] = text
    return found


def _peers(permission: Mapping[str, Any], names: Mapping[str, str]) -> Iterable[tuple[str, bool, str]]:
    for one in permission.get("IpRanges", ()):
        yield one["CidrIp"], False, one.get("Description", "")
    for one in permission.get("Ipv6Ranges", ()):
        yield one["CidrIpv6"], False, one.get("Description", "")
    for one in permission.get("UserIdGroupPairs", ()):
        yield names.get(one["GroupId"], one["GroupId"]), True, one.get("Description", "")


def permission_of(atom: Atom, text: str, ids: Mapping[str, str]) -> dict[str, Any]:
    """AWS's argument for one rule. `ids` are the ids of groups by name."""
    made: dict[str, Any] = {"IpProtocol": atom.protocol}
    if atom.protocol != "-1":
        made |= {"FromPort": atom.from_port, "ToPort": atom.to_port}
    told = {"Description": text} if text else {}
    if atom.is_group:
        made["UserIdGroupPairs"] = [{"GroupId": ids.get(atom.peer, atom.peer), **told}]
    elif ":" in atom.peer:
        made["Ipv6Ranges"] = [{"CidrIpv6": atom.peer, **told}]
    else:
        made["IpRanges"] = [{"CidrIp": atom.peer, **told}]
    return made


def rules_told(has: Mapping[Atom, str], recorded: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What a group has in the words of the configuration: recorded rules that are there whole, the rest gathered by ports."""
    rest = dict(has)
    told: list[dict[str, Any]] = []
    for rule in recorded:
        atoms = atoms_of(rule)
        if atoms and all(has.get(atom) == text for atom, text in atoms.items()):
            told.append(dict(rule))
            for atom in atoms:
                rest.pop(atom, None)
    gathered: dict[tuple[Any, ...], dict[str, Any]] = {}
    for atom, text in sorted(rest.items()):
        key = (atom.direction, atom.protocol, atom.from_port, atom.to_port, text)
        rule = gathered.setdefault(key, _words(atom, text))
        rule["groups" if atom.is_group else "cidrs"].append(atom.peer)
    return told + list(gathered.values())


def _words(atom: Atom, text: str) -> dict[str, Any]:
    is_all = atom.from_port == -1 or (atom.from_port, atom.to_port) == (0, 65535)
    return {
        "direction": atom.direction,
        "protocol": {"-1": "all"}.get(atom.protocol, atom.protocol),
        "from_port": None if is_all else atom.from_port,
        "to_port": None if is_all else atom.to_port,
        "cidrs": [],
        "groups": [],
        "description": text or None,
    }


def wanted_atoms(wanted: Wanted) -> dict[Atom, str]:
    """Everything that a wanted group shall let through."""
    found: dict[Atom, str] = {}
    for rule in wanted.values.get("rules") or ():
        found.update(atoms_of(rule))
    return found
