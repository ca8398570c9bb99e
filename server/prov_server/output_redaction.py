"""A tool's answer as a typed object, without secrets, so that every face and every view shows the same."""

import copy
import dataclasses
import json
import math
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel
from pydantic_core import PydanticSerializationError

from prov_server.redaction import is_clean, is_clean_text
from stratumops.redact import Redactor
from stratumops.schema import compact_dump
from stratumops.tool import ToolOutput


def clean_output(redactor: Redactor, output: ToolOutput, *, shows_hidden: bool) -> tuple[ToolOutput, str]:
    """A typed answer without secrets (the same object when there are none), and its JSON text.

    `shows_hidden` says that the face looks at fields that are never sent. A number that is a secret becomes 0.
    """
    text = _json(output)
    if is_clean_text(redactor, text) and not (shows_hidden and _has_secret_inside(redactor, output)):
        return output, text
    cleaned: ToolOutput = _Rewriting(redactor).value(output)
    return cleaned, _json(cleaned)


def _json(output: ToolOutput) -> str:
    """As `compact_dump` and `json.dumps` write it, several times as fast."""
    try:
        return output.model_dump_json(by_alias=True, exclude_none=True)
    except PydanticSerializationError:  # half of a surrogate pair
        return json.dumps(compact_dump(output), separators=(",", ":"))


def _has_secret_inside(redactor: Redactor, output: ToolOutput) -> bool:
    hidden = [value for name, value in output if type(output).model_fields[name].exclude]
    return any(not is_clean(redactor, _Rewriting(redactor).texts(one)) for one in hidden)


class _Rewriting:
    """One walk over models, dataclasses and containers. What holds a secret is copied, all else is left as it is."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self._done: dict[int, Any] = {}
        self._kept: list[Any] = []
        """Keeps alive what `_done` knows by its address."""

    def texts(self, value: Any) -> list[str]:
        """All texts below an object."""
        found: list[str] = []
        seen: set[int] = set()
        waiting = [value]
        while waiting:
            one = waiting.pop()
            if isinstance(one, str):
                found.append(one)
            elif id(one) not in seen:
                seen.add(id(one))
                self._kept.append(one)
                if isinstance(one, Mapping):
                    waiting += [*one, *one.values()]
                elif isinstance(one, list | tuple | set | frozenset):
                    waiting += one
                elif isinstance(one, int | float) and not isinstance(one, bool):
                    found.append(str(one))
                else:
                    waiting += [value for _, value in _fields(one)]
        return found

    def value(self, value: Any) -> Any:
        """The value without secrets."""
        if isinstance(value, str):
            return self._redactor.text(value)
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, int | float):
            is_secret = math.isfinite(value) and self._redactor.value(value) != value
            return type(value)(0) if is_secret else value
        if id(value) not in self._done:
            self._kept.append(value)
            self._done[id(value)] = value  # what contains itself meets itself as it was
            self._done[id(value)] = self._container(value)
        return self._done[id(value)]

    def _container(self, value: Any) -> Any:
        if isinstance(value, Mapping):
            made = {self.value(key): self.value(one) for key, one in value.items()}
            is_same = all(a is b for a, b in zip([*made, *made.values()], [*value, *value.values()], strict=False))
            return value if is_same and len(made) == len(value) else made
        if isinstance(value, list | tuple | set | frozenset):
            cleaned = [self.value(one) for one in value]
            if all(a is b for a, b in zip(cleaned, value, strict=True)):
                return value
            return type(value)(*cleaned) if hasattr(value, "_fields") else type(value)(cleaned)
        changed = {name: new for name, old in _fields(value) if (new := self.value(old)) is not old}
        if not changed:
            return value
        if isinstance(value, BaseModel):
            return value.model_copy(update=changed)
        copied = copy.copy(value)
        for name, new in changed.items():
            object.__setattr__(copied, name, new)
        return copied


def _fields(value: Any) -> list[tuple[str, Any]]:
    """The fields of a model or a dataclass; anything else has none that could be shown."""
    if isinstance(value, BaseModel):
        return list(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return [(one.name, getattr(value, one.name)) for one in dataclasses.fields(value) if hasattr(value, one.name)]
    return []
