"""Blocks of Terraform JSON to a configuration: what the providers' tables read, and what the models accept of it."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from prov_gen.export.import_.labels import Resources, is_derived, main_types
from prov_gen.export.import_.parse import Blocks
from prov_gen.export.model import Path
from prov_gen.export.terraform.document import name_of, unescaped
from prov_gen.export.terraform.providers import TARGETS
from prov_gen.export.terraform.rows import attributes_of, find
from prov_gen.model.infrastructure import InfrastructureConfig
from prov_gen.model.kinds import BY_NAME
from prov_gen.model.references import REFERENCES, known_names, references

_MOST_ATTEMPTS = 50


def provider_of(blocks: Blocks, resources: Resources) -> str:
    """The provider of most resources, unless our own locals name one."""
    stated = find(blocks, "locals.provider")
    if isinstance(stated, str) and (stated in TARGETS or stated == "local"):
        return stated
    types = main_types()
    counted = Counter(types[kind] for kind, labels in resources.items() if kind in types for _ in labels)
    by_block = [name for name, target in TARGETS.items() if target.name in _object(find(blocks, "provider"))]
    return counted.most_common(1)[0][0] if counted else by_block[0] if by_block else "aws"


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


Reasons = dict[str, dict[str, str]]
"""Why something of a resource was not taken: by address and dotted attribute; without an attribute it is about all of it."""


@dataclass
class Draft:
    """The configuration's values before the models see them, and what is known of where they come from."""

    value: dict[str, Any]
    origin: dict[Path, tuple[str, Any]] = field(default_factory=dict)
    """Address and table row that each record was read from."""
    refused: Reasons = field(default_factory=dict)

    def reasons(self, refused: list[tuple[Path, str]]) -> Reasons:
        """What the models refused, by the address and the attribute that it was read from."""
        found = {address: dict(why) for address, why in self.refused.items()}
        for path, reason in refused:
            address, main = self.origin.get(path[:2], ("", None))
            if main is None:
                continue
            inside = ".".join(step for step in path[2:] if isinstance(step, str))
            attributes = {name: attribute for row in main.rows for name, attribute in attributes_of(row).items()}
            attribute = next((attributes[name] for name in attributes if f"{inside}.".startswith(f"{name}.")), "")
            if attribute or len(path) == 2:
                found.setdefault(address, {})[attribute] = reason
        return found


def draft(blocks: Blocks, resources: Resources, provider: str) -> Draft:
    """What the providers' tables read of a document."""
    value: dict[str, Any] = {"provider": provider}
    drafted = Draft(value)

    def found(kind: str) -> dict[str, dict[str, Any]]:
        if kind == "variable":
            variables = blocks.get("variable")
            return variables if isinstance(variables, dict) else {}
        return resources.get(kind, {})

    for name in ("name", "description", "environment", "region"):
        text = find(blocks, f"locals.{name}")
        plain = unescaped(text) if isinstance(text, str) else None
        if plain is not None:
            value[name] = plain
    tags = find(blocks, "locals.tags")
    if isinstance(tags, dict):
        value["tags"] = {unescaped(key) or key: unescaped(text) or "" for key, text in tags.items() if isinstance(text, str)}
    elif "provider" not in _object(find(blocks, "locals")):
        value |= _foreign(blocks, provider)
    for own, target in TARGETS.items():
        for main in target.table:
            for label, body in resources.get(main.type, {}).items() if main.type else ():
                if is_derived(main.type, label, resources) or "replicate_source_db" in body:
                    continue
                if reason := main.refuses(body):
                    drafted.refused[f"{main.type}.{label}"] = {"": reason}
                    continue
                record = _record(main, own, label, body, found, provider)
                at = value.setdefault(BY_NAME[main.kind].field, [])
                drafted.origin[BY_NAME[main.kind].field, len(at)] = (f"{main.type}.{label}", main)
                at.append(record)
        for name, reader in target.singles.items():
            single = reader(found) if own == provider else None
            if single:
                value[name] = single
    return drafted


def _record(main: Any, own: str, label: str, body: dict[str, Any], found: Any, provider: str) -> dict[str, Any]:
    model = BY_NAME[main.kind].model
    record: dict[str, Any] = {"name": name_of(label)} if "name" in model.model_fields else {}
    if own != provider and "provider" in model.model_fields:
        record["provider"] = own
    alias = body.get("provider")
    if isinstance(alias, str) and alias.startswith("aws.") and "region" in model.model_fields:
        record["region"] = alias.removeprefix("aws.").replace("_", "-")
    main.read(label, body, found, record)
    # Rows that read a name attribute meet its text, which may be another one than the label.
    if "name" in record:
        record["name"] = name_of(label)
    return record


def _foreign(blocks: Blocks, provider: str) -> dict[str, Any]:
    """Region and common tags, as other people's documents state them."""
    block = find(blocks, f"provider.{TARGETS[provider].name}") if provider in TARGETS else None
    first = block[0] if isinstance(block, list) and block else block
    region = find(first, "region")
    tags = find(first, "default_tags.tags")
    value: dict[str, Any] = {"region": region} if isinstance(region, str) and unescaped(region) is not None else {}
    if isinstance(tags, dict):
        value["tags"] = {key: text for key, text in tags.items() if isinstance(text, str) and unescaped(text) == text}
    return value


def accept(value: dict[str, Any]) -> tuple[InfrastructureConfig, list[tuple[Path, str]]]:
    """The configuration that the models accept, and what was taken out of `value` for it: first path and why."""
    refused: list[tuple[Path, str]] = []
    numbers = {name: list(range(len(records))) for name, records in value.items() if isinstance(records, list)}
    for _ in range(_MOST_ATTEMPTS):
        try:
            return InfrastructureConfig.model_validate(value), refused
        except ValidationError as error:
            gone = set[Path]()
            # The last of a list goes first, so that the numbers before it stay what they are.
            for problem in sorted(error.errors(), key=lambda one: [str(step).zfill(9) for step in one["loc"]], reverse=True):
                path: Path = problem["loc"] if problem["type"] != "missing" else problem["loc"][:-1]
                if any(path[:end] in gone for end in range(1, len(path) + 1)):
                    continue
                gone.add(path)
                refused.append((_first(path, numbers), _told(problem)))
                _remove(value, path)
                if len(path) == 2 and isinstance(path[1], int) and path[0] in numbers:
                    del numbers[path[0]][path[1]]
    return InfrastructureConfig(), [((), "too much of it is not accepted"), *refused]


def _first(path: Path, numbers: dict[Any, list[int]]) -> Path:
    """A path by the number that a record had before others were taken out."""
    if len(path) > 1 and isinstance(path[1], int) and path[0] in numbers and path[1] < len(numbers[path[0]]):
        return (path[0], numbers[path[0]][path[1]], *path[2:])
    return path


_TYPES = {"string_type": "a text", "int_type": "a whole number", "float_type": "a number", "bool_type": "true or false"}
_TYPES |= {"list_type": "a list", "dict_type": "an object", "model_type": "an object"}
_IS = {str: "a text", bool: "true or false", int: "a number", float: "a number", list: "a list", dict: "an object"}


def kind_of(value: Any) -> str:
    """What a JSON value is, in words."""
    return _IS.get(type(value), "null")


def _told(problem: Any) -> str:
    """Why the models refuse a value, beginning with the field's name."""
    name = problem["loc"][-1] if problem["loc"] else ""
    if problem["type"] in _TYPES:
        return f"{name}: it is {kind_of(problem['input'])}, and {_TYPES[problem['type']]} is expected"
    return f"{name}: {problem['msg']}"


def without_dangling(value: dict[str, Any], config: InfrastructureConfig) -> InfrastructureConfig:
    """The configuration without references to what is not in it: each is listed, since no export writes it again."""
    for _ in range(_MOST_ATTEMPTS):
        names = known_names(config)
        known = {reference: {name for kind in reference.targets for name in names.get(kind, ())} for reference in REFERENCES}
        gone = [one.where for one in references(config) if one.name not in known[one.reference]]
        if not gone:
            return config
        for path in sorted(gone, key=lambda path: [str(step).zfill(9) for step in path], reverse=True):
            _remove(value, path)
        config, _refused = accept(value)
    return config


def _remove(value: Any, path: tuple[Any, ...]) -> None:
    """Take out what a path leads to; of a path that leads further than the value does, as much as there is."""
    steps = list(path)
    while len(steps) > 1:
        inner = (
            value.get(steps[0])
            if isinstance(value, dict)
            else value[steps[0]]
            if isinstance(value, list) and isinstance(steps[0], int) and steps[0] < len(value)
            else None
        )
        if not isinstance(inner, dict | list) or (isinstance(inner, dict) and steps[1] not in inner):
            break
        value = inner
        steps.pop(0)
    if isinstance(value, dict):
        value.pop(steps[0], None)
    elif isinstance(value, list) and isinstance(steps[0], int) and steps[0] < len(value):
        del value[steps[0]]
