"""A request body as the arguments of a tool: one JSON object, read strictly, so that nobody can mean two things with it."""

import json
import math
from typing import Any

from stratumops.errors import InvalidInputError

MAX_DEPTH = 64
"""Levels of nesting; no tool needs a tenth of it."""

_HINT = 'send one JSON object of arguments, such as {"name": "server"}'


def parse_arguments(body: bytes) -> dict[str, Any]:
    """The arguments in `body`; an empty body is no arguments.

    Raises InvalidInputError for what is no UTF-8, no JSON (RFC 8259: no NaN, no lone surrogates), names a key twice, is
    nested deeper than `MAX_DEPTH`, or is no object. The message never quotes the body.
    """
    if not body:
        return {}
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _refuse(f"is not UTF-8 (byte {error.start})") from None
    try:
        value = json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant, parse_float=_finite)
    except json.JSONDecodeError as error:
        raise _refuse(f"is not JSON: {error.msg} (line {error.lineno}, column {error.colno})") from None
    except RecursionError:
        raise _too_deep() from None
    except ValueError:
        # Python refuses to read integers of thousands of digits, and says so with its bare ValueError.
        raise _refuse("holds a number that is too long") from None
    if not isinstance(value, dict):
        raise _refuse("is not a JSON object")
    _inspect(value)
    return value


def _inspect(value: Any) -> None:
    """Refuse deep nesting and text that cannot be written as UTF-8 again."""
    level: list[Any] = [value]
    depth = 0
    while level:
        depth += 1
        if depth > MAX_DEPTH:
            raise _too_deep()
        deeper: list[Any] = []
        for container in level:
            items = [*container, *container.values()] if isinstance(container, dict) else container
            for item in items:
                if isinstance(item, (dict, list)):
                    deeper.append(item)
                elif isinstance(item, str) and not item.isascii():
                    _require_unicode(item)
        level = deeper


def _require_unicode(text: str) -> None:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise _refuse("holds half of a surrogate pair, which is no character") from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _refuse("names a key twice in one object")
    return found


def _no_constant(_: str) -> Any:
    raise _refuse("holds NaN or Infinity, which JSON does not have")


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise _refuse("holds a number that is too large")
    return number


def _refuse(what: str) -> InvalidInputError:
    return InvalidInputError(f"the request body {what}", hint=_HINT)


def _too_deep() -> InvalidInputError:
    return InvalidInputError(f"the request body is nested deeper than {MAX_DEPTH} levels", hint=_HINT)
