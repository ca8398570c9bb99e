"""A rule's `allowed_parameters`, `denied_parameters` and `required_parameters` against what a request brings.

Source: Vault's policies page, "Parameter constraints". One difference, to the safe side: a number or boolean is compared by its
text. Vault never finds a number equal to one in a policy, so there a denied 5 passes.
"""

from collections.abc import Mapping
from typing import Any

from svault.policy.model import Parameters


def refused_parameter(data: Mapping[str, Any], allowed: Parameters, denied: Parameters, required: tuple[str, ...]) -> str | None:
    """Why the parameters are refused, naming the parameter and never its value; None when they are fine."""
    for name in required:
        if name.lower() not in data:
            return f"the required parameter {name!r} is missing"
    if not data:
        return None
    if "*" in denied:
        return "every parameter is denied"
    for name, value in data.items():
        values = denied.get(name.lower())
        if values is not None and _is_among(value, values):
            return f"the parameter {name!r} is denied"
    if not allowed:
        return None
    allows_any = "*" in allowed
    for name, value in data.items():
        values = allowed.get(name.lower())
        if values is None and not allows_any:
            return f"the parameter {name!r} is not allowed"
        if values is not None and not _is_among(value, values):
            return f"the value of the parameter {name!r} is not allowed"
    return None


def _is_among(value: Any, values: tuple[Any, ...]) -> bool:
    return not values or any(_matches(pattern, value) for pattern in values)


def _text(value: Any) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value) if isinstance(value, str | int | float) else None


def _matches(pattern: Any, value: Any) -> bool:
    wanted, given = _text(pattern), _text(value)
    if wanted is None or given is None:
        return bool(pattern == value)
    if not isinstance(pattern, str) or len(wanted) < 2:
        return wanted == given
    if wanted.startswith("*") and wanted.endswith("*"):
        return wanted[1:-1] in given
    if wanted.startswith("*"):
        return given.endswith(wanted[1:])
    return given.startswith(wanted[:-1]) if wanted.endswith("*") else wanted == given
