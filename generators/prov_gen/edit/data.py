"""Fields changed in files of data: TOML keeps its comments and order, JSON its order and its indentation."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from prov_gen.edit.change import CannotEditError, Edit, set_value

_INDENT = re.compile(r"\n([ \t]+)\S")


def edit_json(text: str, edits: Sequence[Edit]) -> str:
    """The JSON text with these fields set. Raises CannotEditError."""
    try:
        value = json.loads(text)
    except ValueError as error:
        raise CannotEditError(f"it is not JSON that can be read again: {error}") from None
    for edit in edits:
        set_value(value, edit.path, edit.value)
    found = _INDENT.search(text)
    end = "\n" if text.endswith("\n") else ""
    return json.dumps(value, ensure_ascii=False, indent=found[1] if found else None) + end


def edit_toml(text: str, edits: Sequence[Edit]) -> str:
    """The TOML text with these fields set; TOML has no null, so a field that is to be null is removed. Raises CannotEditError."""
    import tomlkit  # noqa: PLC0415 - 30 ms that only TOML files need
    from tomlkit.exceptions import TOMLKitError  # noqa: PLC0415 - as above

    try:
        document = tomlkit.parse(text)
        for edit in edits:
            _set_toml(document, edit)
        return tomlkit.dumps(document)
    except (TOMLKitError, TypeError, AttributeError) as error:
        raise CannotEditError(f"it is not TOML that can be changed in place: {error}") from None


def _set_toml(document: Any, edit: Edit) -> None:
    if edit.value is not None:
        set_value(document, edit.path, edit.value)
        return
    parent = document
    for step in edit.path[:-1]:
        parent = parent[step]
    parent.pop(edit.path[-1], None)


EDITORS: Mapping[str, Callable[[str, Sequence[Edit]], str]] = {".json": edit_json, ".toml": edit_toml}
"""By the file's ending."""
