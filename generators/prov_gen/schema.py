"""Schemas for readers: the fields of a kind, its JSON Schema, and its Nickel contract as shipped."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt, MaxLen, MinLen
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from prov_corpus.similar import nearest
from prov_gen.model.kinds import BY_FIELD, BY_NAME
from stratumops.errors import NotFoundError
from stratumops.schema import compact_schema

OTHER_NAMES = {"cluster": "kubernetes", "network": "networking", "vpc": "networking", "storage": "bucket"}
"""Words of `generate_config` and of clouds for a kind; the names of a configuration's fields (servers, clusters) do as well."""

Form = Literal["nickel", "json", "fields"]


@dataclass(frozen=True, slots=True)
class FieldDescription:
    """One field: dotted path (`[]` marks a list's elements), type in a reader's words, default as JSON, (required) or (none)."""

    path: str
    type: str
    default: str
    description: str


@dataclass(frozen=True, slots=True)
class Description:
    """A schema as asked for: `text` is Nickel or JSON; `fields` is empty unless the form is `fields`."""

    name: str
    names: tuple[str, ...]
    text: str | None
    fields: tuple[FieldDescription, ...]


def names() -> tuple[str, ...]:
    """The names of all schemas."""
    return tuple(BY_NAME)


def describe(name: str, form: Form) -> Description:
    """A kind's schema; with an empty name only the list of names. Raises NotFoundError with the nearest names."""
    if not name:
        return Description("", names(), None, ())
    word = name.strip().lower().removesuffix(".ncl")
    kind = BY_NAME.get(OTHER_NAMES.get(word, word)) or BY_FIELD.get(word)
    if kind is None:
        near = nearest(name, BY_NAME)
        hint = f"did you mean {', '.join(near)}?" if near else f"there are: {', '.join(BY_NAME)}"
        raise NotFoundError(f"there is no schema named {name[:64]!r}", hint=hint)
    if form == "nickel":
        return Description(kind.name, (), _nickel_text(kind.name), ())
    if form == "json":
        return Description(kind.name, (), json.dumps(compact_schema(kind.model, mode="validation"), ensure_ascii=False), ())
    # A whole configuration is described by its parts: each of its lists is a schema of its own.
    depth = 1 if kind.name == "infrastructure" else 9
    return Description(kind.name, (), None, _fields(kind.model, depth))


def _nickel_text(name: str) -> str:
    return files("prov_corpus").joinpath("nickel", "schemas", f"{name}.ncl").read_text(encoding="utf-8")


@cache
def _fields(model: type[BaseModel], depth: int) -> tuple[FieldDescription, ...]:
    return tuple(_walk(model, "", depth))


def _walk(model: type[BaseModel], prefix: str, depth: int) -> Iterator[FieldDescription]:
    for name, info in model.model_fields.items():
        path = prefix + name
        inner, is_list = _record(info.annotation)
        yield FieldDescription(
            path + ("[]" if is_list else ""), _type(info.annotation, info), _default(info), info.description or ""
        )
        if inner is not None and depth > 1:
            yield from _walk(inner, f"{path}[]." if is_list else f"{path}.", depth - 1)


def _record(annotation: Any) -> tuple[type[BaseModel] | None, bool]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation, False
    for argument in get_args(annotation):
        found, _ = _record(argument)
        if found is not None:
            return found, get_origin(annotation) is list
    return None, False


def _type(annotation: Any, info: FieldInfo | None = None) -> str:
    metadata = list(info.metadata) if info else []
    while hasattr(annotation, "__metadata__"):
        metadata += _flat(annotation.__metadata__)
        annotation = annotation.__origin__
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin in {Union, UnionType}:
        return " or ".join(_type(argument, info) for argument in arguments if argument is not NoneType)
    if origin is Literal:
        return " | ".join(f"'{argument}" if argument.isidentifier() else f'"{argument}"' for argument in arguments)
    if origin is list:
        return f"Array {_type(arguments[0])}"
    if origin is dict:
        return f"{{ _ : {_type(arguments[1])} }}"
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation.__name__
    words = {str: "String", int: "Integer", float: "Number", bool: "Bool"}.get(annotation, str(annotation))
    return words + _range(metadata)


def _flat(metadata: Any) -> list[Any]:
    flat: list[Any] = []
    for item in metadata:
        flat += item.metadata if isinstance(item, FieldInfo) else [item]
    return flat


def _range(metadata: list[Any]) -> str:
    low = next((f">= {item.ge}" for item in metadata if isinstance(item, Ge)), "")
    low = low or next((f"> {item.gt}" for item in metadata if isinstance(item, Gt)), "")
    high = next((f"<= {item.le}" for item in metadata if isinstance(item, Le)), "")
    high = high or next((f"< {item.lt}" for item in metadata if isinstance(item, Lt)), "")
    lengths = [f"at least {item.min_length} long" for item in metadata if isinstance(item, MinLen)]
    lengths += [f"at most {item.max_length} long" for item in metadata if isinstance(item, MaxLen)]
    said = ", ".join(part for part in (low, high, *lengths) if part)
    return f" ({said})" if said else ""


def _default(info: FieldInfo) -> str:
    if info.is_required():
        return "(required)"
    value = info.get_default(call_default_factory=False)
    if value is PydanticUndefined or value is None:
        return "(none)"
    if isinstance(value, BaseModel):
        return "{}"
    if isinstance(value, list) and any(isinstance(item, BaseModel) for item in value):
        return json.dumps([item.model_dump(mode="json", exclude_defaults=True) for item in value])
    return json.dumps(value, ensure_ascii=False)
