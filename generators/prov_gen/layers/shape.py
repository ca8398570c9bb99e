"""Layer 1: the configuration has the right fields, types and ranges. All problems are told at once."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from prov_gen.findings import Finding, Path, finding, path_text
from prov_gen.layers.size import MAX_NODES, check_size
from prov_gen.layers.suggest import Suggestions
from prov_gen.model.infrastructure import InfrastructureConfig
from stratumops.problems import figure, sentence

MAX_PROBLEMS = 5_000
"""Findings of this layer: past that a configuration is wrong as a whole, and the other layers do not look at it."""
MAX_PASSES = 8
# Nodes read in all passes together: a small configuration may take many passes, the largest one a single one.
MAX_NODES_READ = MAX_NODES
_NOTHING = object()

# pydantic's error types as our stable codes; what is not listed is `shape_value`.
_CODES = {
    "missing": "shape_missing",
    "extra_forbidden": "shape_unknown_field",
    "literal_error": "shape_choice",
    "string_pattern_mismatch": "shape_pattern",
    "greater_than": "shape_range",
    "greater_than_equal": "shape_range",
    "less_than": "shape_range",
    "less_than_equal": "shape_range",
    "value_error": "shape_rule",
}
# How a value is written, by pydantic's error type or how that begins.
_WRITTEN = {
    "string_type": 'write a text in double quotes, such as "web"',
    "int_": "write a whole number without quotes",
    "float_": "write a number without quotes",
    "bool_": "write true or false, without quotes",
    "list_type": "write a list, such as [first, second]",
    "dict_type": "write a record, such as { name = value }",
}
_LIMITS = {"ge": "at least", "gt": "greater than", "le": "at most", "lt": "less than"}


@dataclass(frozen=True, slots=True)
class Shape:
    """What layer 1 found, and the configuration that the other layers can speak about (None when nothing remains of it)."""

    config: InfrastructureConfig | None
    findings: list[Finding]
    _remains: "_Remains"

    def restore(self, where: Path) -> Path:
        """A path in `config` as a path in what was written: parts left out had shifted the indices after them."""
        return self._remains.restore(where)


def check_shape(value: dict[str, Any], suggestions: Suggestions | None = None) -> Shape:
    """Read the configuration as a model.

    Where something is wrong, the model is what remains without the wrong parts, so that the other layers see the rest.
    """
    suggestions = suggestions or Suggestions()
    remains = _Remains(value)
    nodes, too_large = check_size(value)
    if too_large:
        return Shape(None, [too_large], remains)
    read = _read(value)
    if isinstance(read, InfrastructureConfig):
        return Shape(read, [], remains)
    findings = [_finding(problem, suggestions) for problem in read[:MAX_PROBLEMS]]
    if len(read) > MAX_PROBLEMS:
        return Shape(None, findings, remains)
    for _ in range(min(MAX_PASSES, MAX_NODES_READ // max(nodes, 1))):
        remains.drop({tuple(problem["loc"]) for problem in read})
        read = _read(remains.value)
        if isinstance(read, InfrastructureConfig):
            return Shape(read, findings, remains)
    return Shape(None, findings, remains)


def _read(value: Any) -> InfrastructureConfig | list[ErrorDetails]:
    """The model, or what pydantic says against it; one problem more than `MAX_PROBLEMS` stands for all that follow."""
    try:
        return InfrastructureConfig.model_validate(value)
    except ValidationError as error:
        return error.errors(include_url=False)[: MAX_PROBLEMS + 1]


class _Remains:
    """A copy of a value from which parts are taken out, and the indices that list elements had at first."""

    def __init__(self, value: dict[str, Any]) -> None:
        self.value: Any = value
        self._indices: dict[int, list[int]] = {}
        self._stand_ins: set[str] = set()

    def drop(self, locations: set[Path]) -> None:
        """Take out what stands at these locations; where that is a missing field, the list element or group around it."""
        if not self._indices:
            self.value = self._copy(self.value)
        # All places are looked up before anything moves; of one list the last element goes first.
        places: dict[tuple[int, Any], Any] = {
            (id(parent), key): parent for parent, key in filter(None, map(self._place, locations))
        }
        for (_, key), parent in sorted(places.items(), key=lambda place: _last_first(place[0][1]), reverse=True):
            self._take_out(parent, key)

    def _take_out(self, parent: list[Any] | dict[Any, Any], key: Any) -> None:
        if isinstance(parent, list):
            del parent[key]
            del self._indices[id(parent)][key]
        elif key == "name" and isinstance(parent[key], str) and parent[key] not in self._stand_ins:
            # A bad name is no reason to say nothing about the rest of what bears it.
            parent[key] = f"unnamed-{len(self._stand_ins) + 1}"
            self._stand_ins.add(parent[key])
        else:
            del parent[key]

    def _copy(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {key: self._copy(item) for key, item in value.items()}
        if isinstance(value, list):
            copied = [self._copy(item) for item in value]
            self._indices[id(copied)] = list(range(len(copied)))
            return copied
        return value

    def _place(self, location: Path) -> tuple[Any, Any] | None:
        """The dict or list to take something out of, and its key."""
        trail: list[tuple[Any, Any]] = []
        node = self.value
        for part in location:
            inner = _inside(node, part)
            if inner is _NOTHING:
                while len(trail) > 1 and not isinstance(trail[-1][0], list):
                    trail.pop()
                break
            trail.append((node, part))
            node = inner
        return trail[-1] if trail else None

    def restore(self, where: Path) -> Path:
        if not self._indices:
            return where
        restored: list[str | int] = []
        node = self.value
        for part in where:
            known = self._indices.get(id(node)) if isinstance(part, int) else None
            restored.append(known[part] if known and isinstance(part, int) and part < len(known) else part)
            node = _inside(node, part)
        return tuple(restored)


def _inside(node: Any, part: str | int) -> Any:
    """What stands at one step of a path, or `_NOTHING`."""
    if isinstance(node, dict):
        return node.get(part, _NOTHING)
    if isinstance(node, list) and isinstance(part, int) and part < len(node):
        return node[part]
    return _NOTHING


def _last_first(key: str | int) -> int:
    return key if isinstance(key, int) else -1


def _finding(problem: ErrorDetails, suggestions: Suggestions) -> Finding:
    where = tuple(part for part in problem["loc"] if not (isinstance(part, str) and part.startswith("function-")))
    code = _CODES.get(problem["type"], "shape_type" if problem["type"].endswith(("_type", "_parsing")) else "shape_value")
    message, fix = _words(problem, where, suggestions)
    return finding(code, where, message, fix)


def _words(problem: ErrorDetails, where: Path, suggestions: Suggestions) -> tuple[str, str]:
    context = problem.get("ctx", {})
    name = str(where[-1]) if where else "the configuration"
    match problem["type"]:
        case "missing":
            return f"{name} is missing", f"add {name} = ..."
        case "extra_forbidden":
            known = _fields_at(where[:-1])
            near = suggestions.close(",".join(known), name, known)
            fix = f"did you mean {near}?" if near else f"remove it; there are: {', '.join(sorted(known)[:20])}"
            return f"{path_text(where[:-1]) or 'a configuration'} has no field {name}", fix
        case "literal_error":
            given = problem["input"]
            allowed = [part.strip("' ") for part in str(context.get("expected", "")).replace(" or ", ", ").split(",")]
            near = suggestions.close(",".join(allowed), given[:100], allowed) if isinstance(given, str) else None
            fix = f"did you mean {near!r}?" if near else ""
            return f"{name} must be one of {', '.join(allowed)}", fix or f"choose one of {', '.join(allowed)}"
        case "string_pattern_mismatch":
            about = _description_at(where)
            return f"{name} has the wrong form", f"{about}; it must match {context.get('pattern')}".removeprefix("; ")
        case "value_error":
            return problem["msg"].removeprefix("Value error, "), ""
        case kind:
            message = sentence(name, problem, record="a record")
            if _CODES.get(kind) == "shape_range":
                return message, _range_at(where)
            return message, _way_to_write(kind, where)


def _way_to_write(kind: str, where: Path) -> str:
    """How a value of the right type looks in Nickel."""
    if kind.startswith("model_"):
        return f"write a record with: {', '.join(sorted(_fields_at(where))[:20])}"
    return next((told for beginning, told in _WRITTEN.items() if kind.startswith(beginning)), "")


def _model_at(where: Path) -> type[BaseModel] | None:
    model: type[BaseModel] | None = InfrastructureConfig
    for part in where:
        if isinstance(part, int):
            continue
        if model is None or part not in model.model_fields:
            return None
        model = _record_in(model.model_fields[part].annotation)
    return model


def _record_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for argument in getattr(annotation, "__args__", ()):
        found = _record_in(argument)
        if found is not None:
            return found
    return None


def _fields_at(where: Path) -> list[str]:
    model = _model_at(where)
    return list(model.model_fields) if model else []


def _field_at(where: Path) -> FieldInfo | None:
    """The field that a path ends in; of an element, that of its list."""
    while where and isinstance(where[-1], int):
        where = where[:-1]
    model = _model_at(where[:-1]) if where else None
    return model.model_fields.get(str(where[-1])) if model else None


def _description_at(where: Path) -> str:
    field = _field_at(where)
    return (field.description or "") if field else ""


def _range_at(where: Path) -> str:
    field = _field_at(where)
    limits = dict(_limits([field, *_inner(field.annotation)])) if field else {}
    least, most = limits.get("at least"), limits.get("at most")
    if least and most:
        return f"choose a number from {least} to {most}"
    return f"choose a number {' and '.join(f'{words} {limit}' for words, limit in limits.items())}" if limits else ""


def _limits(declared: Iterable[Any]) -> Iterator[tuple[str, str]]:
    """The limits of a number, and how they are said."""
    for one in declared:
        for rule in one.metadata if isinstance(one, FieldInfo) else (one,):
            for attribute, words in _LIMITS.items():
                if (limit := getattr(rule, attribute, None)) is not None:
                    yield words, figure(limit)


def _inner(annotation: Any) -> Iterator[Any]:
    """What is declared inside an annotation, such as the limits of a list's elements."""
    yield from getattr(annotation, "__metadata__", ())
    for argument in getattr(annotation, "__args__", ()):
        yield from _inner(argument)
