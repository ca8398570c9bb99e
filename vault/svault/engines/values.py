"""Values as clients send them, on their way to storage."""

from collections.abc import Mapping
from typing import Any

from svault.barrier.view import encoded
from svault.errors import BadRequestError

MAX_DEPTH = 200
"""How deep objects and lists may stand in each other: well below what a JSON encoder can follow."""


def stored_value(value: Mapping[str, Any]) -> bytes:
    """A value as it is stored. Raises BadRequestError for one that is nested too deeply or has text that is not Unicode."""
    check_depth(value)
    try:
        return encoded(value)
    except UnicodeEncodeError:
        raise BadRequestError("the data has text that is not Unicode") from None


def check_depth(value: Any) -> None:
    """Raise BadRequestError when a value is nested too deeply."""
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [
            inner
            for outer in level
            if isinstance(outer, dict | list)
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
        if not level:
            return
    raise BadRequestError(f"the data is nested more than {MAX_DEPTH} levels deep")
