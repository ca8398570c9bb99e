"""A configuration with one resource changed or taken away."""

from collections.abc import Mapping
from typing import TypeVar

from prov_gen.model.base import Record
from prov_gen.model.infrastructure import InfrastructureConfig
from prov_judge.cost.model import Path, Saving

R = TypeVar("R", bound=Record)


def with_fields(record: R, fields: Mapping[str, object]) -> R:
    """The record with other values in fields named by dotted paths; records are immutable."""
    update: dict[str, object] = {}
    for name, value in fields.items():
        first, _, rest = name.partition(".")
        if rest:
            inner = update.get(first, getattr(record, first))
            assert isinstance(inner, Record)
            update[first] = with_fields(inner, {rest: value})
        else:
            update[first] = value
    return record.model_copy(update=update)


def apply(config: InfrastructureConfig, saving: Saving) -> InfrastructureConfig:
    """The configuration after a saving's change."""
    return changed(config, saving.path, saving.fields)


def changed(config: InfrastructureConfig, path: Path, fields: Mapping[str, object] | None) -> InfrastructureConfig:
    """The configuration with other values in the resource at `path`, or without it."""
    field = str(path[0])
    value = getattr(config, field)
    if len(path) == 1:
        return config.model_copy(update={field: None if fields is None else with_fields(value, fields)})
    at = int(path[1])
    middle = [] if fields is None else [with_fields(value[at], fields)]
    return config.model_copy(update={field: [*value[:at], *middle, *value[at + 1 :]]})
