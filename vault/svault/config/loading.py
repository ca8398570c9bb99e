"""Read a configuration file in either form."""

import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from stratumops.problems import predicate, sentence
from stratumops.settings_text import did_you_mean
from svault.config.errors import ConfigError
from svault.config.findings import Finding, found
from svault.config.lines import LineOf, in_json, in_toml
from svault.config.model import Settings
from svault.config.references import Unresolved, references, resolve
from svault.config.vault_json import translated

_HCL = re.compile(r'^\s*(listener|storage|backend|seal|telemetry)\s+"?\w*"?\s*\{', re.MULTILINE)
MAX_BYTES = 1 << 20
Origin = Mapping[tuple[str, ...], tuple[str, ...]]
"""For paths of `svault.toml`, where a file in Vault's form says the same."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """A configuration: what it says, where, and what was noticed while it was read."""

    path: Path
    settings: Settings
    is_vault_form: bool
    line_of: LineOf
    findings: Sequence[Finding] = field(default_factory=tuple)
    referenced: frozenset[tuple[str, ...]] = frozenset()
    """The paths of keys whose values stand elsewhere."""


def load(path: Path, *, needs_values: bool = True) -> Loaded:
    """Read `svault.toml` or Vault's JSON form. Raises ConfigError: unreadable, not understood, a wrong key or value.

    Without `needs_values`, an unset variable or missing file is a finding instead of an error.
    """
    text = _text(path)
    is_json = path.suffix == ".json" or text.lstrip().startswith("{")
    tree = _json(path, text) if is_json else _toml(path, text)
    line_of = in_json(text) if is_json else in_toml(text)
    findings: list[Finding] = []
    origin: Origin = {}
    if is_json:
        tree, origin = translated(path, tree, line_of, findings)
    unresolved: list[Unresolved] = []
    values = resolve(tree, path.absolute().parent, unresolved)
    for one in unresolved:
        key, line = ".".join(one.path), line_of(_as_written(one.path, origin))
        if needs_values:
            raise ConfigError(f"{_at(path, line)}: {key}: {one.what}", hint="set it, or write the value another way", key=key)
        findings.append(found("reference-unresolved", key, line, what=one.what))
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        raise _wrong(path, error, line_of, origin) from None
    return Loaded(path, settings, is_json, _through(line_of, origin), findings, frozenset(references(tree)))


def _through(line_of: LineOf, origin: Origin) -> LineOf:
    def find(path: Sequence[str]) -> int | None:
        return line_of(_as_written(tuple(path), origin))

    return find


def _as_written(path: tuple[str, ...], origin: Origin) -> tuple[str, ...]:
    """Where the file itself says what stands at a path, or would say it."""
    for length in range(len(path), 0, -1):
        if path[:length] in origin:
            return (*origin[path[:length]], *path[length:])
    return path


def _text(path: Path) -> str:
    try:
        if path.is_file() and path.stat().st_size > MAX_BYTES:
            raise ConfigError(f"{path}: this is no configuration: it is larger than 1 MiB")
        return path.read_text("utf-8")
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: this is no text in UTF-8") from None
    except IsADirectoryError:
        raise ConfigError(f"{path}: this is a folder", hint="name one file in it") from None
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "the name cannot be used"
        raise ConfigError(f"{path}: cannot be read: {why}", hint="give the path of svault.toml") from None


def _at(path: Path, line: int | None) -> str:
    return f"{path}:{line}" if line else str(path)


def _toml(path: Path, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        if _HCL.search(text):
            raise ConfigError(
                f"{path}: this looks like HCL, which is not read here", hint="write it as svault.toml, or in Vault's JSON form"
            ) from None
        line = re.search(r"\(at (line \d+, column \d+|end of document)\)", str(error))
        raise ConfigError(f"{path}: this is no TOML: the mistake is at {line[1] if line else 'its nesting'}") from None


def _json(path: Path, text: str) -> dict[str, Any]:
    try:
        tree = json.loads(text)
    except json.JSONDecodeError as error:
        raise ConfigError(f"{path}:{error.lineno}: this is no JSON: {error.msg} at column {error.colno}") from None
    except RecursionError:
        raise ConfigError(f"{path}: this JSON is nested too deeply") from None
    if not isinstance(tree, dict):
        raise ConfigError(f"{path}: the configuration is an object")
    return tree


def _wrong(path: Path, error: ValidationError, line_of: LineOf, origin: Origin) -> ConfigError:
    said = []
    for problem in error.errors(include_url=False, include_input=False):
        keys = tuple(str(part) for part in problem["loc"])
        here = _as_written(keys, origin)
        key = ".".join(here) or "the file"
        near = did_you_mean(key, _known(keys)) if problem["type"] == "extra_forbidden" else ""
        told = sentence(key, problem, "a table") if predicate(problem, "a table") else f"{key}: {_own(problem['msg'])}"
        said.append(f"{_at(path, line_of(here))}: {told}" + (f"; {near}" if near else ""))
    return ConfigError(*said, hint=f"svault config check {path}", path=str(path))


def _own(message: str) -> str:
    return message.removeprefix("Value error, ")


def _known(keys: Sequence[str]) -> list[str]:
    """The keys beside a wrong one, as the file would name them."""
    model: Any = Settings
    for part in keys[:-1]:
        annotation = model.model_fields[part].annotation if part in model.model_fields else None
        options = [annotation, *getattr(annotation, "__args__", ())]
        model = next((one for one in options if isinstance(one, type) and issubclass(one, BaseModel)), None)
        if model is None:
            return []
        if part == "engines":
            break
    return [".".join((*keys[:-1], name)) for name in model.model_fields]
