"""Short JSON Schemas for models: what a client must know and not a token more.

pydantic's own schema is right but long: a title on every field, `anyOf [X, null]` for what may be left out, a `$defs` table
for models used once. Clients pay for each of these in tokens on every session.
"""

from typing import Any, Literal

from pydantic import BaseModel

Json = dict[str, Any]


def compact_schema(model: type[BaseModel], *, mode: Literal["validation", "serialization"]) -> Json:
    """The JSON Schema (2020-12) of `model` with titles dropped, definitions inlined and optional fields just not required.

    Limits on length are left out too: no honest call meets them, and the error names the one that it broke. In an output
    (`mode="serialization"`) only the outermost record lists what is always there, and none forbids more: a later version may add
    a field without breaking a client.

    A field that may be null is described as its other types and is never required: `compact_dump` leaves such fields out.
    Recursive models are not supported (a RecursionError at start-up, caught by the snapshot test).
    """
    schema = model.model_json_schema(mode=mode, by_alias=True)
    definitions = schema.pop("$defs", {})
    compact = _object(schema, definitions)
    if mode == "serialization":
        required = compact.get("required")
        _open(compact)
        if required:
            compact["required"] = required
    return compact


def compact_dump(value: BaseModel) -> Json:
    """`value` as JSON values, without fields that are null, so that it fits `compact_schema(..., mode="serialization")`."""
    return value.model_dump(mode="json", by_alias=True, exclude_none=True)


def _object(schema: Json, definitions: Json) -> Json:
    out = _compact(schema, definitions)
    out.pop("description", None)
    return out


def _open(node: Any) -> None:
    """Forget, at every depth, what is always there and that nothing else may be."""
    if isinstance(node, dict):
        if isinstance(node.get("required"), list):
            del node["required"]
        if node.get("additionalProperties") is False:
            del node["additionalProperties"]
        for value in node.values():
            _open(value)
    elif isinstance(node, list):
        for value in node:
            _open(value)


def _compact(node: Json, definitions: Json) -> Json:
    if "$ref" in node:
        target = _compact(definitions[node["$ref"].rsplit("/", 1)[-1]], definitions)
        target.pop("description", None)
        rest = _compact({k: v for k, v in node.items() if k != "$ref"}, definitions)
        return target | rest
    out: Json = {}
    for key, value in node.items():
        if (key == "title" and isinstance(value, str)) or (key in {"maxLength", "maxItems"} and isinstance(value, int)):
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
    if isinstance(out.get("enum"), list):
        # The values tell their type.
        out.pop("type", None)
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
