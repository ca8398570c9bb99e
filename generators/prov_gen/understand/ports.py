"""Ports and who may use them: "open ports 80 and 443", "SSH only from 203.0.113.0/24", "allow 5432 from the web servers"."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from prov_gen.understand.mentions import Mention

_OPENERS = ("open", "only")
_DASHES = frozenset({"-", "\u2013"})


@dataclass(frozen=True, slots=True)
class PortRule:
    """Ports (first, last) and where connections come from; no source at all means that none was named."""

    ports: tuple[tuple[int, int], ...]
    cidrs: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    world: bool = False
    only: bool = False


def read_rules(mentions: Sequence[Mention]) -> list[Mention]:
    """The mentions with every statement about ports joined into one of the category "rule"."""
    result: list[Mention] = []
    at = 0
    while at < len(mentions):
        goes_on = any(mention.category == "rule" for mention in result[-2:]) and (
            mentions[at].is_cue("in") or _is_rule_again(mentions, at)
        )
        if (hit := _rule_at(mentions, at, goes_on=goes_on)) is not None:
            rule, at = hit
            denied = at < len(mentions) and mentions[at].is_cue("closed")
            before = [mention for mention in result[-4:] if mention.category != "stop"]
            denied = denied or bool(before and before[-1].is_cue("without", "closed"))
            result.append(replace(rule, category="closed") if denied else rule)
        else:
            result.append(mentions[at])
            at += 1
    return result


def _rule_at(mentions: Sequence[Mention], at: int, *, goes_on: bool) -> tuple[Mention, int] | None:
    first = mentions[at]
    index = at
    opened, named = goes_on, False
    while index < len(mentions) and (_introduces(mentions[index]) or (opened and mentions[index].is_cue("in"))):
        opened = opened or mentions[index].is_cue("open")
        named = named or mentions[index].category == "noun"
        index += 1
    if not (opened or named) and not (index == at and (first.category == "service" or _is_https_from(mentions, at))):
        return None
    if index > at and first.category == "stop":
        return None
    ports, index = _read_ports(mentions, index, bare=opened or named or _is_https_from(mentions, at))
    if not ports and not (opened and index < len(mentions) and mentions[index].is_cue("from", "to")):
        return None
    only, end = first.is_cue("only"), index
    while index < len(mentions) and (mentions[index].category == "stop" or mentions[index].is_cue("open", "only")):
        only = only or mentions[index].is_cue("only")
        opened = opened or mentions[index].is_cue("open")
        if mentions[index].category == "cue":
            end = index + 1
        index += 1
    rule = PortRule(tuple(ports), only=only)
    if index < len(mentions) and mentions[index].is_cue("from", "to", "in"):
        found = _read_sources(mentions, index + 1, rule)
        if found is not None:
            rule, end = found
            opened = True
        elif not ports:
            return None
    if not (opened or named):
        return None
    return Mention("rule", rule, mentions[at].start, mentions[end - 1].end), end


def _is_rule_again(mentions: Sequence[Mention], at: int) -> bool:
    """ "443 from anywhere and 22 only from ...": a further port with a source of its own."""
    if mentions[at].category not in {"number", "range", "service"}:
        return False
    following = [mention for mention in mentions[at + 1 : at + 4] if not mention.is_cue("only") and mention.category != "stop"]
    return bool(following) and following[0].is_cue("from")


def _is_port(value: Any) -> bool:
    return isinstance(value, int) and 0 < value < 65536


def _are_ports(mention: Mention) -> bool:
    low, high = mention.value
    return low is not None and 0 < low <= high < 65536


def _is_https_from(mentions: Sequence[Mention], at: int) -> bool:
    """Whether "HTTPS" stands for its port: "HTTPS from anywhere"."""
    if mentions[at].category != "flag" or mentions[at].value != "tls" or mentions[at].negated:
        return False
    following = [
        mention for mention in mentions[at + 1 : at + 4] if mention.category != "stop" and not mention.is_cue("only", "open")
    ]
    return bool(following) and following[0].is_cue("from")


def _introduces(mention: Mention) -> bool:
    return mention.is_cue(*_OPENERS) or (mention.category == "noun" and mention.value == "port") or mention.category == "stop"


def _read_ports(mentions: Sequence[Mention], index: int, *, bare: bool) -> tuple[list[tuple[int, int]], int]:
    ports: list[tuple[int, int]] = []
    end = index
    while index < len(mentions):
        mention = mentions[index]
        if bare and mention.category == "number" and _is_port(mention.value):
            following = mentions[index + 1] if index + 1 < len(mentions) else None
            if following is not None and following.category == "kind":
                break
            if ports and mentions[index - 1].value in _DASHES:
                ports[-1] = (min(ports[-1][0], mention.value), max(ports[-1][0], mention.value))
            else:
                ports.append((mention.value, mention.value))
        elif bare and mention.category == "range" and _are_ports(mention):
            low, high = mention.value
            ports.append((low, high))
        elif mention.category == "service":
            ports.append((int(mention.value), int(mention.value)))
        elif mention.category == "flag" and mention.value == "tls" and not mention.negated and (bare or ports):
            ports.append((443, 443))
        elif ports and (mention.is_cue("and", "or") or mention.value in {",", "/", *_DASHES} or mention.value == "port"):
            index += 1
            continue
        else:
            break
        index += 1
        end = index
    return ports, end


def _read_sources(mentions: Sequence[Mention], index: int, rule: PortRule) -> tuple[PortRule, int] | None:
    cidrs: list[str] = []
    roles: list[str] = []
    world = False
    end = index
    while index < len(mentions):
        mention = mentions[index]
        if mention.category == "cidr":
            cidrs.append(mention.value)
        elif mention.category == "source":
            world = True
        elif mention.category in {"role", "kind"} and (
            mention.category == "role" or mention.value in {"server", "load_balancer"}
        ):
            if mention.category == "role" or mention.value == "load_balancer" or not roles:
                roles.append(mention.implies.get("role", mention.value))
        elif mention.category == "stop" or (mention.is_cue("and", "or", "only") or mention.value == ","):
            if end == index and (cidrs or roles or world) and not _continues(mentions, index + 1, roles):
                break
            index += 1
            if not (cidrs or roles or world):
                end = index
            continue
        else:
            break
        index += 1
        end = index
    if not (cidrs or roles or world):
        return None
    return PortRule(rule.ports, tuple(cidrs), tuple(roles), world, rule.only), end


def _continues(mentions: Sequence[Mention], index: int, roles: list[str]) -> bool:
    """Whether a further source follows "and"; a word for servers with a number of its own is a new thing."""
    if index >= len(mentions):
        return False
    if mentions[index].category in {"cidr", "source"}:
        return True
    return bool(roles) and mentions[index].category in {"role", "stop"} and mentions[index].category != "stop"
