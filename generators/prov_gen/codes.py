"""The one table of the codes that findings can have: `findings.toml`, and the rules about single fields in layer 5."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

from stratumops.errors import InternalError

Severity = Literal["error", "warning", "info"]
_SEVERITIES: dict[str, Severity] = {"error": "error", "warning": "warning", "info": "info"}

TABLE = Path(__file__).with_name("findings.toml")
RULES = Path(__file__).with_name("layers") / "security_rules.toml"
_OF_RULES = 5


@dataclass(frozen=True, slots=True)
class Code:
    """One code. The first of `layers` and of `severities` is the usual one.

    `titles` say what is wrong, `fixes` how to mend it in general; one each, or one for every rule that shares the code.
    """

    code: str
    layers: tuple[int, ...]
    severities: tuple[Severity, ...]
    titles: tuple[str, ...]
    fixes: tuple[str, ...]


def declared(code: str) -> Code:
    """What the table says of a code. Raises InternalError when it says nothing."""
    try:
        return codes()[code]
    except KeyError:
        raise InternalError(f"the finding {code!r} is declared nowhere", hint=f"declare it in {TABLE.name}") from None


@cache
def codes() -> Mapping[str, Code]:
    """All codes. Raises InternalError when one is declared in both files, or its row cannot be read."""
    rows = tomllib.loads(TABLE.read_text(encoding="utf-8"))
    rules = tomllib.loads(RULES.read_text(encoding="utf-8"))["rule"]
    return merged({code: _row(code, row) for code, row in rows.items()}, rules)


def merged(table: Mapping[str, Code], rules: list[dict[str, Any]]) -> Mapping[str, Code]:
    """The table and the codes of the rules. Raises InternalError for a code that both declare."""
    found: dict[str, Code] = {}
    for rule in rules:
        code = rule["code"]
        if code in table:
            raise InternalError(f"{code} is declared in {TABLE.name} and in {RULES.name}", hint="take one of them out")
        old = found.get(code, Code(code, (_OF_RULES,), (), (), ()))
        severities: set[Severity] = {*old.severities, _severity(code, rule["severity"])}
        found[code] = Code(
            code,
            (_OF_RULES,),
            tuple(name for name in _SEVERITIES.values() if name in severities),
            tuple(dict.fromkeys((*old.titles, rule["message"]))),
            tuple(dict.fromkeys((*old.fixes, rule["fix"]))),
        )
    return {**table, **found}


def _row(code: str, row: dict[str, Any]) -> Code:
    severities: tuple[Severity, ...] = tuple(_severity(code, name) for name in (row["severity"], *row.get("also", ())))
    return Code(code, tuple(row["layers"]), severities, (row["title"],), (row["fix"],) if row["fix"] else ())


def _severity(code: str, name: str) -> Severity:
    if name not in _SEVERITIES:
        raise InternalError(f"{code} has no severity {name!r}", hint=f"there are: {', '.join(_SEVERITIES)}")
    return _SEVERITIES[name]
