"""What pydantic finds wrong with a value, as a person would write it: "must be greater than 0".

Never holds the value itself, which could be a secret.
"""

from collections.abc import Mapping
from typing import Any

_PREDICATES = {
    "missing": "is missing",
    "extra_forbidden": "is not known here",
    "greater_than": "must be greater than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be at most {le}",
    "multiple_of": "must be a multiple of {multiple_of}",
    "finite_number": "must be a finite number",
    "string_type": "must be a text",
    "string_too_short": "must have at least {min_length} characters",
    "string_too_long": "must have at most {max_length} characters",
    "string_pattern_mismatch": "has the wrong form; it must match {pattern}",
    "too_short": "must have at least {min_length} elements",
    "too_long": "must have at most {max_length} elements",
    "literal_error": "must be {expected}",
    "enum": "must be {expected}",
    "none_required": "must be left out",
}
# By how the type begins: several types say the same to a person.
_KINDS = (
    ("int_", "must be a whole number"),
    ("float_", "must be a number"),
    ("decimal_type", "must be a number"),
    ("decimal_parsing", "must be a number"),
    ("bool_", "must be true or false"),
    ("list_type", "must be a list"),
    ("tuple_type", "must be a list"),
    ("set_type", "must be a list"),
    ("dict_type", "must be {record}"),
    ("model_", "must be {record}"),
    ("mapping_type", "must be {record}"),
    ("date_", "must be a day such as 2026-11-23"),
)
_OF_VALIDATORS = ("Value error, ", "Assertion failed, ")


def predicate(problem: Mapping[str, Any], record: str = "an object") -> str | None:
    """What a value must be, to follow its name; None where a validator of ours wrote a sentence (`sentence` has that).

    `problem` is one of pydantic's `ErrorDetails`; `record` is what its reader calls a JSON object.
    """
    kind, context = problem["type"], {key: figure(value) for key, value in problem.get("ctx", {}).items()}
    if kind in {"string_too_short", "too_short"} and context.get("min_length") == "1":
        return "must not be empty"
    told = _PREDICATES.get(kind) or next((said for beginning, said in _KINDS if kind.startswith(beginning)), None)
    if told is not None:
        return told.format(record=record, **context)
    words: str = problem["msg"]
    if words.startswith(_OF_VALIDATORS):
        return None
    return words.replace("Input should be", "must be").replace("Input should", "must") if words.startswith("Input") else None


def sentence(path: str, problem: Mapping[str, Any], record: str = "an object") -> str:
    """The problem with the value at a path: "budget must be greater than 0"."""
    told = predicate(problem, record)
    if told is not None:
        return f"{path} {told}"
    words: str = problem["msg"]
    for beginning in _OF_VALIDATORS:
        words = words.removeprefix(beginning)
    return f"{path}: {words[:1].lower()}{words[1:]}"


def figure(value: Any) -> str:
    """Numbers without an exponent or a needless fraction; everything else as it is."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return f"{value:,}" if isinstance(value, int) and abs(value) >= 10_000 else str(value)
