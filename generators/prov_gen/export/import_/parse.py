"""A `.tf.json` text as blocks, or an error with its line and column."""

import json
import re
from typing import Any

from prov_gen.source import CONVERT_HCL
from stratumops.errors import InvalidInputError

LARGEST = 1024 * 1024
"""Most characters of a text."""
DEEPEST = 64
"""Most levels of nesting; Terraform's own schemas have some ten."""

Blocks = dict[str, Any]
_HCL = re.compile(
    r'^\s*(?:#|//|/\*|(?:resource|data|module|provider|variable|output|terraform|locals)\b[\s"\w-]*\{)', re.MULTILINE
)


def parse(text: str, name: str) -> Blocks:
    """The document's blocks by type. Raises InvalidInputError for a text that is too large, HCL, malformed or no object."""
    if len(text) > LARGEST:
        raise InvalidInputError(f"{name} has {len(text)} characters", hint=f"at most {LARGEST} are read; import it in parts")
    try:
        value = json.loads(text.removeprefix("\ufeff"), object_pairs_hook=_unique, parse_constant=_refuse)
    except json.JSONDecodeError as error:
        if not text.lstrip().startswith(("{", "[")) and _HCL.search(text):
            raise InvalidInputError(f"{name} is written in HCL", hint=CONVERT_HCL) from None
        where = f"{name}:{error.lineno}:{error.colno}"
        raise InvalidInputError(
            f"{where}: {error.msg}", hint="correct the JSON at that place", line=error.lineno, column=error.colno
        ) from None
    except RecursionError:
        raise InvalidInputError(f"{name} is nested too deeply", hint=f"at most {DEEPEST} levels are read") from None
    if not isinstance(value, dict):
        raise InvalidInputError(
            f"{name} is no JSON object", hint='a .tf.json file holds one object of blocks, such as {"resource": {...}}'
        )
    if _depth(value) > DEEPEST:
        raise InvalidInputError(f"{name} is nested too deeply", hint=f"at most {DEEPEST} levels are read")
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise InvalidInputError(f"the key {twice[:64]!r} stands twice in one object", hint="write its blocks as one list")
    return found


def _refuse(constant: str) -> None:
    raise InvalidInputError(f"{constant} is no JSON number", hint="write a finite number")


def _depth(value: Any) -> int:
    """Levels of nesting, without recursion."""
    deepest, ahead = 0, [(value, 1)]
    while ahead:
        item, level = ahead.pop()
        deepest = max(deepest, level)
        if isinstance(item, dict | list) and level <= DEEPEST:
            ahead += [(child, level + 1) for child in (item.values() if isinstance(item, dict) else item)]
    return deepest
