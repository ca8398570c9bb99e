"""The small language of the checks' data: conditions over fields, compiled once into functions.

A condition is a table of one of these forms:

- `{ field = "spec.encrypted_disk", is = true }`: a dotted field of the record and operators of `OPERATORS`. A leading `/`
  starts at the configuration; an empty field is the element of a list itself. An operator's value may be a table of frameworks
  with a `default`.
- `{ every = "listeners", holds = CONDITION }` and `{ some = ... }`: over the elements of a list.
- `{ all = [...] }`, `{ any = [...] }`, `{ none = [...] }`.
- `{ predicate = "backed_up", min_days = 7 }`: what no operator can say, from `predicates.PREDICATES`.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from prov_gen.layers.security import is_internet
from prov_gen.model.base import Record
from prov_judge.compliance.evidence import IS_DEFAULT, Evidence, failing, holding, value_in_words
from prov_judge.compliance.model import Path
from prov_judge.compliance.predicates import PREDICATES
from prov_judge.compliance.scope import Subject, World
from stratumops.errors import InternalError

DEFAULT = "default"
Variant = str
"""A framework, or `DEFAULT` for all that have no threshold of their own."""

Condition = Callable[[Any, Path, Subject, World], Evidence]
"""From a record, its path, the subject that it belongs to, and the configuration around it."""


@dataclass(frozen=True, slots=True)
class Operator:
    """How a value is compared with the one in the data, and what is said when it does not hold."""

    holds: Callable[[Any, Any], bool]
    wants: str
    """What it should be; empty where the value says enough."""


def _one_of(value: Any, wanted: list[Any]) -> bool:
    return (value.casefold() if isinstance(value, str) else value) in wanted


OPERATORS: Mapping[str, Operator] = {
    "is": Operator(lambda value, wanted: value == wanted, "it should be {}"),
    "in": Operator(_one_of, "it should be one of {}"),
    "not_in": Operator(lambda value, wanted: not _one_of(value, wanted), "it should be none of {}"),
    "min": Operator(lambda value, wanted: value is not None and value >= wanted, "it should be at least {}"),
    "max": Operator(lambda value, wanted: value is not None and value <= wanted, "it should be at most {}"),
    "is_set": Operator(lambda value, wanted: (value not in (None, "", [])) is wanted, ""),
    "matches": Operator(lambda value, wanted: bool(value and re.search(wanted, value)), "it should have the form {}"),
    "is_internet": Operator(lambda value, wanted: is_internet(value) is wanted, "which is the whole internet"),
}
_GROUPS = ("all", "any", "none")


def compiled(data: Mapping[str, Any], variant: Variant) -> Condition:
    """The function of a condition. Raises InternalError for data that is no condition."""
    if "predicate" in data:
        parameters = {key: for_variant(value, variant) for key, value in data.items() if key != "predicate"}
        if data["predicate"] not in PREDICATES:
            raise InternalError(f"there is no predicate {data['predicate']!r}", hint=f"there are: {', '.join(PREDICATES)}")
        predicate = PREDICATES[data["predicate"]]
        return lambda _node, _path, subject, world: predicate(subject, world, **parameters)
    if "field" in data:
        return _field(data, variant)
    for quantifier in ("every", "some"):
        if quantifier in data:
            return _over(data[quantifier], compiled(data["holds"], variant), is_every=quantifier == "every")
    for group in _GROUPS:
        if group in data:
            return _group(group, [compiled(inner, variant) for inner in data[group]])
    raise InternalError(f"this is no condition: {dict(data)!r}", hint="it has a field, a predicate, a list or a group")


def for_variant(value: Any, variant: Variant) -> Any:
    """A value of the data that may differ between frameworks: a table of them with a `default`."""
    return value.get(variant, value[DEFAULT]) if isinstance(value, dict) and DEFAULT in value else value


def _walk(node: Any, path: Path, steps: list[str]) -> tuple[Any, Path, bool]:
    """The value at a dotted field, its path as far as there is one, and whether somebody stated it."""
    stated = True
    for step in steps:
        if node is None:
            return None, path, False
        stated = not isinstance(node, Record) or step in node.model_fields_set
        node, path = getattr(node, step), (*path, step)
    return node, path, stated


def _field(data: Mapping[str, Any], variant: Variant) -> Condition:
    name = data["field"]
    steps, from_root = [step for step in name.removeprefix("/").split(".") if step], name.startswith("/")
    tests = [(OPERATORS[key], for_variant(value, variant)) for key, value in data.items() if key in OPERATORS]
    strange = set(data) - set(OPERATORS) - {"field"}
    if strange or not tests:
        raise InternalError(f"{name}: these are no operators: {sorted(strange)}", hint=f"there are: {', '.join(OPERATORS)}")
    shown = name.removeprefix("/") or "it"

    def condition(node: Any, path: Path, _subject: Subject, world: World) -> Evidence:
        value, where, stated = _walk(world.config, (), steps) if from_root else _walk(node, path, steps)
        words = value_in_words(value, is_default=not stated and value is not None)
        for operator, wanted in tests:
            if not operator.holds(value, wanted):
                wants = operator.wants.format(_wanted(wanted))
                sentence = f"{shown} is {words}; {wants}" if wants else f"{shown} is {words}"
                return failing(where, words, sentence)
        return holding(where, words, f"{shown} is {words}")

    return condition


def _wanted(wanted: Any) -> str:
    return ", ".join(map(str, wanted)) if isinstance(wanted, list) else value_in_words(wanted)


def _over(name: str, inner: Condition, *, is_every: bool) -> Condition:
    steps, from_root = name.removeprefix("/").split("."), name.startswith("/")
    shown = name.removeprefix("/")

    def condition(node: Any, path: Path, subject: Subject, world: World) -> Evidence:
        elements, where, _ = _walk(world.config, (), steps) if from_root else _walk(node, path, steps)
        if not elements:
            return Evidence(is_every, where, "empty", f"{shown} is empty")
        said: list[Evidence] = []
        for index, element in enumerate(elements):
            said.append(inner(element, (*where, index), subject, world))
            if said[-1].holds is not None and said[-1].holds is not is_every:
                return said[-1]
        if doubt := _doubt(said):
            return doubt
        # An element stands in a list that somebody wrote, or that is the default as a whole: its own defaults say little.
        words = said[0].words.replace(IS_DEFAULT, "")
        if is_every:
            words = words if len(said) == 1 else f"all {len(said)} {shown} hold, such as: {words}"
            return holding(where, value_in_words(elements), words)
        words = words if len(said) == 1 else f"none of {len(said)} {shown} does, such as: {words}"
        return failing(where, value_in_words(elements), words)

    return condition


def _doubt(said: list[Evidence]) -> Evidence | None:
    return next((one for one in said if one.holds is None), None)


def _group(group: str, parts: list[Condition]) -> Condition:
    def every(node: Any, path: Path, subject: Subject, world: World) -> Evidence:
        said: list[Evidence] = []
        for part in parts:
            said.append(part(node, path, subject, world))
            if said[-1].holds is False:
                return said[-1]
        return _doubt(said) or holding(said[0].path, said[0].value, _joined(said))

    def some(node: Any, path: Path, subject: Subject, world: World) -> Evidence:
        said: list[Evidence] = []
        for part in parts:
            said.append(part(node, path, subject, world))
            if said[-1].holds is True:
                return said[-1]
        return _doubt(said) or failing(said[0].path, said[0].value, _joined(said))

    def none(node: Any, path: Path, subject: Subject, world: World) -> Evidence:
        found = some(node, path, subject, world)
        return found if found.holds is None else Evidence(not found.holds, found.path, found.value, found.words)

    return {"all": every, "any": some, "none": none}[group]


def _joined(said: list[Evidence]) -> str:
    return ", and ".join(dict.fromkeys(one.words for one in said))
