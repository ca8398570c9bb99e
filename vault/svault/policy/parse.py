"""A policy's text to its rules, with Vault's words for what is wrong.

Source: Vault's policies page and its API page `sys/policies`. `mfa_methods`, `pagination_limit`, `control_group` and
`list_scan_response_keys_filter_path` restrict, and are not here: they are refused instead of ignored.
"""

from collections.abc import Callable, Container
from datetime import UTC, datetime
from typing import Any

from svault.errors import BadRequestError
from svault.logical import parse_duration
from svault.policy.hcl import Block, Item, is_json, parse
from svault.policy.model import Capability, Parameters, Policy, Rule
from svault.policy.templates import is_templated

MAX_TEXT = 512 * 1024
MAX_RULES = 10_000

_CAPABILITIES = {str(capability.name).lower(): capability for capability in Capability if capability}
_READ = Capability.READ | Capability.LIST
_WRITE = _READ | Capability.CREATE | Capability.UPDATE | Capability.DELETE
_OLD = {"": Capability.NONE, "deny": Capability.DENY, "read": _READ, "write": _WRITE, "sudo": _WRITE | Capability.SUDO}


def parse_policy(name: str, text: str) -> Policy:
    """Read a policy in HCL or JSON. Raises BadRequestError `failed to parse policy: ...` with the line."""
    if len(text) > MAX_TEXT:
        raise BadRequestError(f"failed to parse policy: longer than {MAX_TEXT} characters")
    try:
        rules = _rules(parse(text), is_json=is_json(text))
    except ValueError as error:
        raise BadRequestError(f"failed to parse policy: {error}") from None
    return Policy(name, rules, is_templated=any(is_templated(rule.path) for rule in rules))


def _rules(document: Block, *, is_json: bool) -> tuple[Rule, ...]:
    _refuse_unknown(document, {"name", "path"})
    sections = [section for item in document.items if item.key == "path" for section in _sections(item, is_json=is_json)]
    if len(sections) > MAX_RULES:
        raise ValueError(f"more than {MAX_RULES} paths")
    rules: list[Rule] = []
    for path, block in sections:
        try:
            rules.append(_rule(path, block))
        except ValueError as error:
            raise ValueError(f'path "{path}": {error}') from None
    return tuple(rules)


def _refuse_unknown(block: Block, known: Container[str]) -> None:
    items = [item for item in block.items if item.key not in known]
    if not items:
        return
    count = "1 error" if len(items) == 1 else f"{len(items)} errors"
    lines = "".join(f'\t* invalid key "{item.key}" on line {item.line}\n' for item in items)
    raise ValueError(f"{count} occurred:\n{lines}\n")


def _sections(item: Item, *, is_json: bool) -> list[tuple[str, Block]]:
    """`path "a" {...}`, or in JSON `{"path": {"a": {...}}}` and `{"path": [{"a": {...}}]}`."""
    if item.labels:
        label, *more = item.labels
        if more:
            raise ValueError(f"on line {item.line}: a path has one label, not {len(item.labels)}")
        return [(label, item.value)]
    if not is_json:
        raise ValueError(f'on line {item.line}: write path "..." {{ ... }}')
    blocks = item.value if isinstance(item.value, list) else [item.value]
    if not blocks or not all(isinstance(block, Block) for block in blocks):
        raise ValueError(f'on line {item.line}: "path" is an object of paths')
    inner = [one for block in blocks for one in block.items]
    for one in inner:
        if not isinstance(one.value, Block) or one.labels:
            raise ValueError(f'path "{one.key}" on line {one.line}: an object is expected')
    return [(one.key, one.value) for one in inner]


def _rule(path: str, block: Block) -> Rule:
    is_templated(path)
    _refuse_unknown(block, _FIELDS)
    fields: dict[str, Any] = {}
    for item in block.items:
        if item.key in fields:
            raise ValueError(f'the argument "{item.key}" on line {item.line} was already set')
        fields[item.key] = _field(item)
    shortest, longest = fields.get("min_wrapping_ttl", 0), fields.get("max_wrapping_ttl", 0)
    if shortest and longest and longest < shortest:
        raise ValueError("max_wrapping_ttl cannot be less than min_wrapping_ttl")
    if "+*" in path:
        raise ValueError("invalid use of wildcards ('+*' is forbidden)")
    capabilities = fields.get("policy", Capability.NONE) | fields.get("capabilities", Capability.NONE)
    return Rule(
        path=path.removeprefix("/"),
        capabilities=Capability.DENY if capabilities & Capability.DENY else capabilities,
        allowed=fields.get("allowed_parameters", {}),
        denied=fields.get("denied_parameters", {}),
        required=fields.get("required_parameters", ()),
        min_wrapping_ttl=shortest,
        max_wrapping_ttl=longest,
        expires=fields.get("expiration", 0),
    )


def _field(item: Item) -> Any:
    try:
        return _FIELDS[item.key](item.value)
    except BadRequestError:
        raise ValueError(f"error parsing {item.key}: not a duration, on line {item.line}") from None
    except TypeError as error:
        raise ValueError(f"{item.key} on line {item.line}: {error}") from None


def _texts(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(one, str | int | float) for one in value):
        raise TypeError("a list of texts is expected")
    return tuple(str(one) for one in value)


def _capabilities(value: Any) -> Capability:
    capabilities = Capability.NONE
    for name in _texts(value):
        if name not in _CAPABILITIES:
            raise ValueError(f'invalid capability "{name}"')
        capabilities |= _CAPABILITIES[name]
    return capabilities


def _old_policy(value: Any) -> Capability:
    if value not in _OLD:
        raise ValueError(f'invalid policy "{value}"')
    return _OLD[value]


def _parameters(value: Any) -> Parameters:
    if not isinstance(value, Block) or not all(isinstance(item.value, list) for item in value.items):
        raise TypeError("an object of lists is expected")
    values: dict[str, tuple[Any, ...]] = {}
    for item in value.items:
        if item.key.lower() in values:
            raise TypeError(f'"{item.key}" stands twice')
        values[item.key.lower()] = tuple(_plain(one) for one in item.value)
    return values


def _plain(value: Any) -> Any:
    """A value as a request's JSON would have it."""
    if isinstance(value, Block):
        return {item.key: _plain(item.value) for item in value.items}
    return [_plain(one) for one in value] if isinstance(value, list) else value


def _comment(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("text is expected")
    return value


def _expiration(value: Any) -> float:
    try:
        moment = datetime.fromisoformat(_comment(value))
    except ValueError:
        raise ValueError("invalid expiration time: write it like 2026-11-23T14:05:00Z") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


_FIELDS: dict[str, Callable[[Any], Any]] = {
    "comment": _comment,
    "policy": _old_policy,
    "capabilities": _capabilities,
    "allowed_parameters": _parameters,
    "denied_parameters": _parameters,
    "required_parameters": _texts,
    "min_wrapping_ttl": parse_duration,
    "max_wrapping_ttl": parse_duration,
    "expiration": _expiration,
}
