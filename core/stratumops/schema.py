"""Short JSON Schemas for models: what a client must know and not a token more.

pydantic's own schema is right but long: a title on every field, `anyOf [X, null]` for what may be left out, a `$defs` table
for models used once. Clients pay for each of these in tokens on every session.
"""

from typing import Any, Literal

from pydantic import BaseModel

Json = dict[str, Any]


def compact_schema(model: type[BaseModel], *, mode: Literal["validation", "serialization"]) -> Json:
    """The JSON Schema (2020-12) of `model` with titles dropped, definitions inlined and optional fields just not required.

    A field that may be null is described as its other types and is never required: `compact_dump` leaves such fields out.
    Recursive models are not supported (a RecursionError at start-up, caught by the snapshot test).
    """
    schema = model.model_json_schema(mode=mode, by_alias=True)
    definitions = schema.pop("$defs", {})
    return _object(schema, definitions)


def compact_dump(value: BaseModel) -> Json:
    """`value` as JSON values, without fields that are null, so that it fits `compact_schema(..., mode="serialization")`."""
    return value.model_dump(mode="json", by_alias=True, exclude_none=True)


def _object(schema: Json, definitions: Json) -> Json:
    out = _compact(schema, definitions)
    out.pop("description", None)
    return out


def _compact(node: Json, definitions: Json) -> Json:
    if "$ref" in node:
        target = _compact(definitions[node["$ref"].rsplit("/", 1)[-1]], definitions)
        target.pop("description", None)
        rest = _compact({k: v for k, v in node.items() if k != "$ref"}, definitions)
        return target | rest
    out: Json = {}
    for key, value in node.items():
        if key == "title" and isinstance(value, str):
            continue
        if key == "properties":
            out[key] = {name: _property(prop, definitions) for name, prop in value.items()}
        elif key in {"anyOf", "oneOf", "allOf", "prefixItems"}:
            out[key] = [_compact(item, definitions) for item in value]
        elif key in {"items", "additionalProperties"} and isinstance(value, dict):
            out[key] = _compact(value, definitions)
        elif key == "required":
            out[key] = [name for name in value if not _nullable(node["properties"][name])]
        else:
            out[key] = value
    if not out.get("required", True):
        del out["required"]
    return out


def _property(node: Json, definitions: Json) -> Json:
    """A field's schema. Its null is left out; an element of a list or a record stays null, and its schema says so."""
    if _nullable(node):
        options = [option for option in node["anyOf"] if option.get("type") != "null"]
        rest = {k: v for k, v in node.items() if k != "anyOf" and not (k == "default" and v is None)}
        node = options[0] | rest if len(options) == 1 else {"anyOf": options} | rest
    return _compact(node, definitions)


def _nullable(node: Json) -> bool:
    return any(option.get("type") == "null" for option in node.get("anyOf", []))
