"""Values that stand elsewhere: `env:NAME` is an environment variable, `file:/path` the first line of a file."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple


class Unresolved(NamedTuple):
    """A value that is not where the file says. `path` is the path of keys."""

    path: tuple[str, ...]
    what: str


def resolve(tree: Mapping[str, Any], folder: Path, unresolved: list[Unresolved]) -> dict[str, Any]:
    """The tree with what its references name; a path is relative to the configuration's folder.

    What cannot be resolved stays as it is and is added to `unresolved`.
    """
    return {key: _resolved(value, (key,), folder, unresolved) for key, value in tree.items()}


def _resolved(value: Any, path: tuple[str, ...], folder: Path, unresolved: list[Unresolved]) -> Any:
    if isinstance(value, Mapping):
        return {key: _resolved(one, (*path, key), folder, unresolved) for key, one in value.items()}
    if isinstance(value, list):
        return [_resolved(one, (*path, str(index)), folder, unresolved) for index, one in enumerate(value)]
    if not isinstance(value, str) or not is_reference(value):
        return value
    kind, _, name = value.partition(":")
    try:
        return _from_environment(name) if kind == "env" else _first_line(folder / name)
    except LookupError as error:
        unresolved.append(Unresolved(path, str(error.args[0])))
        return value


def is_reference(value: str) -> bool:
    """Whether a text names where the value is. `file://...` is an address, not a reference."""
    return value.startswith("env:") or (value.startswith("file:") and not value.startswith("file://"))


def _from_environment(name: str) -> str:
    if name not in os.environ:
        raise LookupError(f"the environment variable {name} is not set")
    return os.environ[name]


def _first_line(path: Path) -> str:
    try:
        return path.read_text("utf-8").partition("\n")[0].strip()
    except UnicodeDecodeError:
        raise LookupError(f"the file {path} is not text") from None
    except OSError as error:
        raise LookupError(f"the file {path} cannot be read: {error.strerror}") from None


def references(tree: Mapping[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The paths of keys whose values stand elsewhere."""
    for key, value in tree.items():
        if isinstance(value, Mapping):
            yield from references(value, (*path, key))
        elif isinstance(value, str) and is_reference(value):
            yield (*path, key)
