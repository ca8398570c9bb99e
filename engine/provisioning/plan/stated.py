"""What a creation states, for people: every value that is not the model's own default, with secrets hidden."""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from pydantic import BaseModel

from prov_gen.effective import region_of
from prov_gen.model.infrastructure import InfrastructureConfig
from prov_judge.changes.leaves import leaves
from prov_judge.changes.masking import shown, shown_path
from prov_judge.changes.things import Thing

_SAID_ELSEWHERE = frozenset({"name", "provider"})
"""Stands in the step's address and beside it."""


def stated_fields(thing: Thing, config: InfrastructureConfig) -> tuple[tuple[str, Any, Any], ...]:
    """(path, None, value) for each leaf that differs from the default of its model; where it will be is always one of them."""
    model: type[BaseModel] = type(thing.item.record)
    usual = _defaults(model)
    found = [("region", region)] if (region := str(thing.values.get("region") or region_of(thing.item.record, config))) else []
    found += [
        (path, leaf.value)
        for path, leaf in thing.leaves.items()
        if path != "region" and path not in _SAID_ELSEWHERE and not (path in usual and usual[path] == leaf.value)
    ]
    return tuple((shown_path(path), None, shown(path, value)) for path, value in found)


@cache
def _defaults(model: type[BaseModel]) -> Mapping[str, Any]:
    """The defaults of a model by the path of their leaves."""
    return {path: leaf.value for path, leaf in leaves(dict(_default_values(model))).items()}


def _default_values(model: type[BaseModel]) -> Iterator[tuple[str, Any]]:
    for name, known in model.model_fields.items():
        if not known.is_required():
            value = known.get_default(call_default_factory=True, validated_data={})
            yield name, value.model_dump(mode="json") if isinstance(value, BaseModel) else value
