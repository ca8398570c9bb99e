"""A changed field, and a configuration with some of its fields changed."""

from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from prov_gen.findings import Path, path_text
from prov_gen.model.base import Record
from prov_gen.model.infrastructure import InfrastructureConfig
from prov_gen.stated import Block, block_of
from stratumops.errors import InvalidInputError


class CannotEditError(Exception):
    """This text does not hold the fields in places where they can be changed; the message says why.

    `refused` are the fields that are in the way, each with its reason; empty when nobody can tell which.
    """

    def __init__(self, message: str, refused: Mapping[Path, str] | None = None) -> None:
        super().__init__(message)
        self.refused = dict(refused or {})


@dataclass(frozen=True, slots=True)
class Edit:
    """A field's path in the configuration, such as ("servers", 0, "spec", "encrypted_disk"), and its new JSON value."""

    path: Path
    value: Any


def changed(config: InfrastructureConfig, edits: Sequence[Edit]) -> InfrastructureConfig:
    """The configuration with these fields set, records made on the way where there are none.

    Raises InvalidInputError when a path leads through no record, or the models do not take the result.
    """
    value = config.model_dump(mode="json", by_alias=True, exclude_unset=True)
    for edit in edits:
        set_value(value, edit.path, edit.value)
    try:
        return InfrastructureConfig.model_validate(value)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = path_text([step if isinstance(step, int) else str(step) for step in first["loc"]])
        raise InvalidInputError(f"{where}: {first['msg']}", hint="the change does not fit this configuration") from None


def set_value(root: Any, path: Path, value: Any) -> None:
    """Set the value at a path of JSON values, making records on the way. Raises InvalidInputError."""
    parent: Any = root
    for index, step in enumerate(path):
        is_last = index + 1 == len(path)
        if not _has_place(parent, step):
            raise _no_place(path, index)
        if isinstance(step, str) and not is_last and parent.get(step) is None:
            parent[step] = {}
        if is_last:
            parent[step] = value
        else:
            parent = parent[step]


def _has_place(parent: Any, step: str | int) -> bool:
    """Whether this is a record that a field can be set of, or a list with that element. TOML's are no plain dictionaries."""
    if isinstance(step, int):
        return isinstance(parent, list) and 0 <= step < len(parent)
    return isinstance(parent, MutableMapping)


def _no_place(path: Path, index: int) -> InvalidInputError:
    return InvalidInputError(
        f"{path_text(path)} cannot be set: there is no {path_text(path[: index + 1])}", hint="name a field of a record"
    )


def written_value(config: InfrastructureConfig, path: Path) -> Any:
    """A value of the configuration as a person would write it, for `stated.layout`: enum values as tags, records as blocks."""
    parent: Any = config
    for step in path[:-1]:
        parent = _step(parent, step)
    if not isinstance(parent, Record):
        return _step(parent, path[-1])
    named = {field.name: field.value for field in block_of(parent)}
    return named.get(str(path[-1]))


def leaves(path: Path, value: Any) -> list[tuple[Path, Any]]:
    """A value field by field where it is a block."""
    if not isinstance(value, Block):
        return [(path, value)]
    return [leaf for field in value for leaf in leaves((*path, field.name), field.value)]


def _step(parent: Any, step: str | int) -> Any:
    if isinstance(parent, Record):
        names = {info.alias or name: name for name, info in type(parent).model_fields.items()}
        return getattr(parent, names[str(step)])
    return parent[step]
