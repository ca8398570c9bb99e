"""What a person would write of a configuration: the fields that were stated, differ from their defaults, or tell most.

A tree of blocks and fields that templates lay out; `literal` turns any of its leaves into Nickel.
"""

import re
import types
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from prov_gen.model.base import Record
from prov_gen.nickel.literal import nickel_key, nickel_literal, nickel_string, nickel_tag

LINE_WIDTH = 100
INDENT = "  "
LONGEST_COMMENT = 160

# Written even where they equal the default: a reader wants to see them.
_ALWAYS = {
    "InfrastructureConfig": ("provider",),
    "KubernetesCluster": ("control_plane", "workers"),
    "ControlPlane": ("count", "plan"),
    "Workers": ("count", "plan"),
    "NodeGroup": ("count", "plan"),
    "Database": ("engine", "plan"),
    "Cache": ("engine", "plan"),
    "LoadBalancer": ("listeners",),
    "Listener": ("port", "protocol"),
}
# Written first, in this order; the others follow as the models have them.
_FIRST = ("name", "description", "provider", "region")


class NickelText(str):
    """Text that is Nickel already."""

    __slots__ = ()


class Tag(str):
    """The name of an enum's value."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Field:
    """A field that is written: `where` is Model.field, `value` a Block, a list of Blocks, or a leaf."""

    name: str
    where: str
    value: Any


@dataclass(frozen=True, slots=True)
class Block:
    """A record that is written, with the fields that are."""

    fields: tuple[Field, ...]

    def __iter__(self) -> Iterator[Field]:
        return iter(self.fields)


@cache
def _hints(model: type[Record]) -> dict[str, Any]:
    return get_type_hints(model)


def block_of(record: Record) -> Block:
    """The fields of a record that a person would write: what somebody stated stays visible, even where it is the default."""
    model = type(record)
    always = _ALWAYS.get(model.__name__, ())
    names = [*(name for name in _FIRST if name in model.model_fields), *(n for n in model.model_fields if n not in _FIRST)]
    fields = []
    for name in names:
        value, info = getattr(record, name), model.model_fields[name]
        stated = name in record.model_fields_set and value is not None
        if stated or name in always or info.is_required() or value != info.default:
            fields.append(Field(info.alias or name, f"{model.__name__}.{name}", _written(_hints(model)[name], value)))
    return Block(tuple(fields))


def _written(annotation: Any, value: Any) -> Any:
    if value is None:
        return None
    if isinstance(value, Record):
        return block_of(value)
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin in (Union, types.UnionType):
        return _written(next(argument for argument in arguments if argument is not type(None)), value)
    if isinstance(value, list):
        return [_written(arguments[0], item) for item in value]
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    return Tag(value) if origin is Literal else value


def literal(value: Any, column: int = 0) -> NickelText:
    """A leaf as Nickel. Whatever is no NickelText becomes a literal: nothing of a caller's is ever taken for Nickel."""
    if isinstance(value, NickelText):
        return value
    if isinstance(value, Tag):
        return NickelText(nickel_tag(value))
    if isinstance(value, list) and any(isinstance(item, Tag) for item in value):
        return NickelText(f"[{', '.join(literal(item) for item in value)}]")
    if isinstance(value, str):
        return NickelText(nickel_string(value))
    if isinstance(value, dict) and value:
        line = "{ " + ", ".join(f"{nickel_key(key)} = {literal(item)}" for key, item in value.items()) + " }"
        if column + len(line) < LINE_WIDTH:
            return NickelText(line)
    return NickelText(nickel_literal(value, indent=column))


def layout(value: Any, margin: str, beside: Mapping[str, str], *, column: int = 0) -> NickelText:
    """A value as Nickel, its further lines below `margin`: short records on one line, others one field on each.

    `beside` are comments by Model.field, written after the field's line. `column` is where the value starts.
    """
    if isinstance(value, Block):
        return NickelText(_one_line(value, column, beside) or f"{{\n{rows(value, margin + INDENT, beside)}{margin}}}")
    if _holds_blocks(value):
        inner = margin + INDENT
        items = "".join(f"{inner}{layout(item, inner, beside, column=len(inner))},\n" for item in value)
        return NickelText(f"[\n{items}{margin}]")
    return literal(value, len(margin))


def rows(block: Block, margin: str, beside: Mapping[str, str]) -> NickelText:
    """The fields of a block, one after the other, each on a line that ends with a comma."""
    text = ""
    for field in block:
        start = f"{margin}{nickel_key(field.name)} = "
        note = f"  # {comment(beside[field.where])}" if field.where in beside else ""
        text += f"{start}{layout(field.value, margin, beside, column=len(start))},{note}\n"
    return NickelText(text)


def _one_line(block: Block, column: int, beside: Mapping[str, str]) -> str | None:
    if any(field.where in beside or _holds_blocks(field.value) for field in block):
        return None
    inside = ", ".join(f"{nickel_key(field.name)} = {literal(field.value)}" for field in block)
    text = f"{{ {inside} }}" if inside else "{}"
    return text if column + len(text) < LINE_WIDTH and "\n" not in text else None


def _holds_blocks(value: Any) -> bool:
    return isinstance(value, Block) or (isinstance(value, list) and bool(value) and isinstance(value[0], Block))


def comment(text: str) -> NickelText:
    """A text as the rest of a comment line: nothing in it ends the line or hides anything."""
    visible = "".join(" " if unicodedata.category(char)[0] in "CZ" else char for char in text)
    return NickelText(re.sub(r" +", " ", visible).strip()[:LONGEST_COMMENT])
