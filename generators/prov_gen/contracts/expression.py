"""The Nickel contract of one field's type.

The models use a closed set of types (see `prov_gen.model.base`), so that each has exactly one contract here; any other is
an error while the files are generated, never a field that goes unchecked.
"""

import tomllib
import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import TypeAdapter

from prov_gen.model import base
from prov_gen.nickel.literal import nickel_literal, nickel_string, nickel_tag
from stratumops.errors import InternalError


@cache
def words() -> dict[str, dict[str, str]]:
    """What is said in words: `types`, `fields` and `examples` of `words.toml`."""
    return tomllib.loads((Path(__file__).parent / "words.toml").read_text(encoding="utf-8"))


@cache
def named_types() -> dict[str, Any]:
    """The annotations that `model.base` names (`Name`, `Cidr`, ...), in its order."""
    return {name: value for name, value in vars(base).items() if name[0].isupper() and get_origin(value) in (Annotated, Literal)}


@dataclass(frozen=True, slots=True)
class Expression:
    """A contract as a function and its arguments, and the names that it takes from elsewhere."""

    words: tuple[str, ...]
    uses: frozenset[str] = frozenset()

    @property
    def text(self) -> str:
        """The contract on one line."""
        return " ".join(self.words)

    @property
    def argument(self) -> str:
        """The contract as the argument of a function."""
        return f"({self.text})" if len(self.words) > 1 else self.text


def contract_of(annotation: Any, where: str, description: str = "") -> Expression:
    """The contract of an annotation; `where` is the field as Model.field, `description` what the field is for.

    Raises InternalError for a type outside the closed set.
    """
    for name, known in named_types().items():
        if annotation == known:
            return Expression((name,), frozenset({name}))
    return definition_of(annotation, where, description)


def definition_of(annotation: Any, where: str, description: str = "") -> Expression:
    """As `contract_of`, but spelled out although the annotation may have a name."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin in (Union, types.UnionType):
        (inner,) = (argument for argument in arguments if argument is not type(None))
        contract = contract_of(inner, where, description)
        return Expression(("Nullable", contract.argument), contract.uses | {"Nullable"})
    if origin is list:
        contract = contract_of(arguments[0], where)
        return Expression(("Array", contract.argument), contract.uses)
    if origin is dict:
        contract = contract_of(arguments[1], where)
        return Expression((f"{{ _ | {contract.text} }}",), contract.uses)
    if origin is Literal:
        return Expression(("OneOf", f"[{', '.join(nickel_tag(name) for name in arguments)}]"), frozenset({"OneOf"}))
    if isinstance(annotation, type) and issubclass(annotation, base.Record):
        return Expression((annotation.__name__,), frozenset({annotation.__name__}))
    write = _SCALARS.get(arguments[0] if origin is Annotated else annotation)
    if write is None:
        raise InternalError(f"{where}: no Nickel contract for the type {annotation}", hint="use a type of the closed set")
    contract = write(TypeAdapter(annotation).json_schema(), where, description)
    if any(isinstance(mark, base.OrTag) for mark in getattr(annotation, "__metadata__", ())):
        return Expression(("TextOrTag", contract.argument), contract.uses | {"TextOrTag"})
    return contract


def _text(schema: Mapping[str, Any], where: str, _description: str) -> Expression:
    lengths = {ours: schema[theirs] for theirs, ours in (("minLength", "min"), ("maxLength", "max")) if theirs in schema}
    if "pattern" not in schema:
        return Expression(("Characters", _bounds(lengths)), frozenset({"Characters"})) if lengths else Expression(("String",))
    message = words()["fields"].get(where) or words()["types"].get(where)
    if lengths or message is None:
        raise InternalError(f"{where}: a pattern needs a message and bears no length", hint="add its message to words.toml")
    return Expression(("Matching", nickel_string(schema["pattern"]), nickel_string(message)), frozenset({"Matching"}))


def _bounds(bounds: Mapping[str, Any]) -> str:
    inside = ", ".join(f"{key} = {nickel_literal(value)}" for key, value in bounds.items())
    return f"{{ {inside} }}" if inside else "{}"


def _number(function: str) -> Callable[[Mapping[str, Any], str, str], Expression]:
    def write(schema: Mapping[str, Any], where: str, description: str) -> Expression:
        names = {"minimum": "min", "exclusiveMinimum": "above", "maximum": "max"}
        bounds: dict[str, Any] = {ours: schema[theirs] for theirs, ours in names.items() if theirs in schema}
        # A description that states the rule ("Disk must be at least 20GB") is the better message.
        message = description if " must be " in description else words()["types"].get(where)
        if message:
            bounds["message"] = message
        return Expression((function, _bounds(bounds)), frozenset({function}))

    return write


def _truth(_schema: Mapping[str, Any], _where: str, _description: str) -> Expression:
    return Expression(("Bool",))


_SCALARS: Mapping[Any, Callable[[Mapping[str, Any], str, str], Expression]] = {
    str: _text,
    int: _number("Integer"),
    float: _number("Real"),
    bool: _truth,
}


def default_of(annotation: Any, value: Any) -> str:
    """A field's default as Nickel text: tags for enums, records as what differs from their own defaults."""
    if isinstance(value, base.Record):
        return nickel_literal(value.model_dump(mode="json", exclude_defaults=True))
    if isinstance(value, list):
        return f"[{', '.join(default_of(get_args(annotation)[0], item) for item in value)}]"
    if get_origin(annotation) in (Union, types.UnionType):
        return default_of(next(argument for argument in get_args(annotation) if argument is not type(None)), value)
    return nickel_tag(value) if get_origin(annotation) is Literal else nickel_literal(value)
