"""Cedar statements: read from a text, checked against `vault.cedarschema` and against what Cedar's parser cannot survive."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources
from typing import Any

from svault.errors import BadRequestError

MAX_TEXT = 256 * 1024
MAX_STATEMENT_TEXT = 16 * 1024
MAX_NESTING = 64
_SIGNS = re.compile(r"//[^\n]*|\"(?:[^\"\\]|\\.)*\"|[(\[{]|[)\]}]|;|\bif\b", re.DOTALL)


@dataclass(frozen=True, slots=True, eq=False)
class Statement:
    """A statement with what its scope asks for; None asks for anything. Known by its identity, which a rewrite changes."""

    id: str
    source: Mapping[str, Any]
    principal: str | None
    actions: frozenset[str] | None
    resource: str | None
    annotations: Mapping[str, str] = field(default_factory=dict)


def document(statements: tuple[Statement, ...]) -> str:
    """Statements as Cedar's JSON, each under its own id."""
    static = {statement.id: statement.source for statement in statements}
    return json.dumps({"staticPolicies": static, "templates": {}, "templateLinks": []})


def _check_nesting(text: str) -> None:
    """Refuse what would overflow the stack of Cedar's recursive parser, which ends the whole process. Raises BadRequestError."""
    depth = conditionals = start = 0
    for found in _SIGNS.finditer(text + ";"):
        sign = found[0]
        depth = max(depth + (sign in "([{") - (sign in ")]}"), 0)
        conditionals += sign == "if"
        if depth > MAX_NESTING or conditionals > MAX_NESTING:
            raise BadRequestError(f"failed to parse Cedar policy: nested deeper than {MAX_NESTING} levels")
        if sign == ";":
            if found.start() - start > MAX_STATEMENT_TEXT:
                raise BadRequestError(f"failed to parse Cedar policy: a statement is longer than {MAX_STATEMENT_TEXT} characters")
            conditionals, start = 0, found.end()


def checked_statements(name: str, text: str) -> tuple[Statement, ...]:
    """The statements of a text. Raises BadRequestError."""
    from cedarpy import PolicySet, policies_to_json_str, validate_policies  # noqa: PLC0415 - 55 ms, not spent without policies

    if len(text) > MAX_TEXT:
        raise BadRequestError(f"failed to parse Cedar policy: longer than {MAX_TEXT} characters")
    _check_nesting(text)
    try:
        as_json = policies_to_json_str(text)
        parsed = json.loads(as_json)
    except (ValueError, RecursionError) as error:
        raise BadRequestError(f"failed to parse Cedar policy: {error}") from None
    if parsed["templates"]:
        raise BadRequestError("failed to parse Cedar policy: templates (?principal, ?resource) are not taken")
    sources: dict[str, Mapping[str, Any]] = parsed["staticPolicies"]
    if not sources:
        raise BadRequestError("'policy' parameter not supplied or empty")
    try:
        PolicySet.from_json_str(as_json)
    except ValueError:
        raise BadRequestError("failed to parse Cedar policy: too many operators in a row, write several statements") from None
    schema = resources.files("svault.policy").joinpath("vault.cedarschema").read_text(encoding="utf-8")
    checked = validate_policies(text, schema)
    if not checked.validation_passed:
        raise BadRequestError(*(f"invalid Cedar policy: {error.error}" for error in checked.errors))
    numbered = sorted(sources.items(), key=lambda entry: int(entry[0].removeprefix("policy")))
    return tuple(_statement(f"{name}#{at}" if at else name, source) for at, (_, source) in enumerate(numbered))


def _statement(name: str, source: Mapping[str, Any]) -> Statement:
    principal, action, resource = source["principal"], source["action"], source["resource"]
    actions = [action["entity"]] if "entity" in action else action.get("entities")
    return Statement(
        id=name,
        source=source,
        principal="{type}::{id}".format_map(principal["entity"]) if principal["op"] == "==" else None,
        actions=None if actions is None else frozenset(one["id"] for one in actions),
        resource=resource["entity"]["id"] if resource["op"] == "==" else None,
        annotations=source.get("annotations", {}),
    )
