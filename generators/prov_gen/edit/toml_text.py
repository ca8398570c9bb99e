"""Fields changed in TOML text, which keeps its comments and order."""

from collections.abc import Sequence
from typing import Any

from prov_gen.edit.change import CannotEditError, Edit, set_value
from prov_gen.edit.splices import Splice

MAX_READ = 2_000_000
"""Characters that are read to tell the changes of one text apart."""


def edit_toml(text: str, edits: Sequence[Edit]) -> list[Splice]:
    """What changes these fields of the TOML text; TOML has no null, so a field that is to be null is removed.

    Raises CannotEditError.
    """
    new = _edited(text, edits)
    before = _shared(text, new)
    after = _shared(text[before:][::-1], new[before:][::-1])
    return [Splice(before, len(text) - after, new[before : len(new) - after], tuple(edit.path for edit in edits))]


def toml_places(text: str, edits: Sequence[Edit]) -> list[Splice]:
    """Where each of the fields changes, found by changing it alone; all of the text where that would be too much to read."""
    if len(edits) * len(text) > MAX_READ:
        return [Splice(0, len(text), "", tuple(edit.path for edit in edits))]
    return [splice for edit in edits for splice in edit_toml(text, [edit])]


def _shared(one: str, other: str) -> int:
    """How many characters two texts have in common at the beginning."""
    differing = (index for index, (left, right) in enumerate(zip(one, other, strict=False)) if left != right)
    return next(differing, min(len(one), len(other)))


def _edited(text: str, edits: Sequence[Edit]) -> str:
    import tomlkit  # noqa: PLC0415 - 30 ms that only TOML files need
    from tomlkit.exceptions import TOMLKitError  # noqa: PLC0415 - as above

    try:
        document = tomlkit.parse(text)
        for edit in edits:
            _set(document, edit)
        new = tomlkit.dumps(document)
    except (TOMLKitError, TypeError, AttributeError) as error:
        raise CannotEditError(f"it is not TOML that can be changed in place: {error}") from None
    has_crlf = "\r\n" in text and text.count("\n") == text.count("\r\n")
    return new.replace("\r\n", "\n").replace("\n", "\r\n") if has_crlf else new


def _set(document: Any, edit: Edit) -> None:
    if edit.value is not None:
        set_value(document, edit.path, edit.value)
        return
    parent = document
    for step in edit.path[:-1]:
        parent = parent[step]
    parent.pop(edit.path[-1], None)
