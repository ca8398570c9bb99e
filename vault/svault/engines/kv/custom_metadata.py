"""The custom metadata of a secret: names and values that a client keeps beside it, in plain sight of who may read metadata."""

import json
from collections.abc import Mapping
from typing import Any

from svault.errors import BadRequestError

MAX_KEYS, MAX_KEY, MAX_VALUE = 64, 128, 512
_FAILED = "custom_metadata validation failed"


def custom_texts(sent: Mapping[str, Any]) -> dict[str, str]:
    """Names and values as text: a number or boolean becomes its text. Raises BadRequestError for anything else."""
    texts = {}
    for name, value in sent.items():
        if isinstance(value, bool):
            texts[name] = "1" if value else "0"
        elif isinstance(value, str | int | float):
            texts[name] = str(value)
        else:
            raise BadRequestError(f"{_FAILED}: '' expected type 'string', got unconvertible type")
    return texts


def check_custom_metadata(texts: Mapping[str, str]) -> None:
    """Raise BadRequestError with every rule that is broken: at most 64 names of 128 bytes, values of 512 bytes, all printable."""
    problems = []
    if len(texts) > MAX_KEYS:
        problems.append(f"payload must contain at most {MAX_KEYS} keys, provided {len(texts)}")
    else:
        for name, value in texts.items():
            problems += _problems(name, value)
    if problems:
        count = "1 error" if len(problems) == 1 else f"{len(problems)} errors"
        raise BadRequestError(f"{count} occurred:\n" + "".join(f"\t* {_FAILED}: {problem}\n" for problem in problems) + "\n")


def _problems(name: str, value: str) -> list[str]:
    quoted, problems = json.dumps(name), []
    if not 0 < (length := len(name.encode(errors="replace"))) <= MAX_KEY:
        problems.append(f"length of key {quoted} is {length} but must be 0 < len(key) <= {MAX_KEY}")
    if not 0 < (length := len(value.encode(errors="replace"))) <= MAX_VALUE:
        problems.append(f"length of value for key {quoted} is {length} but must be 0 < len(value) <= {MAX_VALUE}")
    if not name.isprintable():
        problems.append(f"key {quoted} ({name}) contains unprintable characters")
    if not value.isprintable():
        problems.append(f"value for key {quoted} contains unprintable characters")
    return problems
