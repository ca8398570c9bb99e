"""What of a configuration has found a place in another form: every field that an exporter reads is remembered.

An exporter reads through `Ledger.root`, which looks like the configuration. At the end `Ledger.not_carried` lists what was
stated and nobody read, so that a field that a later version of the models adds is listed before anybody thinks of it.
"""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from pydantic_core import PydanticUndefined

from prov_gen.export.model import NotCarried, Path
from prov_gen.model.base import Record

NOTHING: Mapping[str, Any] = MappingProxyType({})


class Ledger:
    """Which fields of one configuration were taken, and which were left on purpose, each by its path."""

    def __init__(self, config: Record) -> None:
        self._config = config
        self._taken: set[Path] = set()
        self._left: dict[Path, str] = {}
        self._told: dict[Path, str] = {}

    @property
    def root(self) -> Any:
        """The configuration as it is read: an attribute that is read counts as carried."""
        return Taking(self, self._config, ())

    def take(self, path: Path) -> None:
        """Count a path as carried; fields below it are counted one by one."""
        self._taken.add(path)

    def leave(self, path: Path, reason: str) -> None:
        """Say that the other form has no place for what stands at a path, and why. It holds for all below, and wins over `take`.

        A field that has its default is not listed: nobody stated it.
        """
        self._left.setdefault(path, reason)

    def tell(self, path: Path, reason: str) -> None:
        """Say that something is not carried although nobody stated it: a default that the other form does not keep."""
        self._told.setdefault(path, reason)

    def not_carried(self, reason: str) -> tuple[NotCarried, ...]:
        """What was stated, is not the default, and was not carried, in the models' order; `reason` where nobody gave one.

        A record of which nothing was taken is one entry.
        """
        stated = tuple(self._walk(self._config, (), reason))
        covered = {one.path for one in stated}
        told = (NotCarried(path, why) for path, why in self._told.items())
        return stated + tuple(one for one in told if not any(one.path[:end] in covered for end in range(len(one.path) + 1)))

    def _walk(self, record: Record, path: Path, reason: str, implied: Mapping[str, Any] = NOTHING) -> Iterator[NotCarried]:
        for name, value in _stated(record, implied):
            sizes = (
                getattr(record, "unless_plan", NOTHING) if name == "spec" and getattr(record, "plan", None) is None else NOTHING
            )
            yield from self._settle(value, (*path, name), reason, sizes)

    def _settle(self, value: Any, path: Path, reason: str, implied: Mapping[str, Any] = NOTHING) -> Iterator[NotCarried]:
        if path in self._left:
            yield NotCarried(path, self._left[path])
        elif path not in self._taken:
            yield NotCarried(path, reason)
        elif isinstance(value, Record):
            yield from self._walk(value, path, reason, implied)
        elif _holds_records(value):
            for index, element in enumerate(value):
                yield from self._settle(element, (*path, index), reason)
        elif isinstance(value, dict | list):
            keys = value if isinstance(value, dict) else range(len(value))
            yield from (NotCarried((*path, key), self._left[*path, key]) for key in keys if (*path, key) in self._left)


class Taking:
    """A record that tells a ledger what is read of it. Records inside come as such too; other values come as they are."""

    __slots__ = ("_ledger", "_path", "_record")

    def __init__(self, ledger: Ledger, record: Record, path: Path) -> None:
        self._ledger, self._record, self._path = ledger, record, path

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._record, name)
        if name not in type(self._record).model_fields:
            return value
        path = (*self._path, name)
        self._ledger.take(path)
        if isinstance(value, Record):
            return Taking(self._ledger, value, path)
        if _holds_records(value):
            for index in range(len(value)):
                self._ledger.take((*path, index))
            return [Taking(self._ledger, element, (*path, index)) for index, element in enumerate(value)]
        return value


def record_of(taking: Any) -> Any:
    """The record itself: what is read of it does not count."""
    return taking._record  # noqa: SLF001 - a field of the models may have any public name


def path_of(taking: Any) -> Path:
    """Where the record stands in the configuration."""
    path: Path = taking._path  # noqa: SLF001 - a field of the models may have any public name
    return path


def _stated(record: Record, implied: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The fields of a record that say something: not None, and not the default (`implied`: where the model fills it in)."""
    for name, field in type(record).model_fields.items():
        value, default = getattr(record, name), implied.get(name, field.default)
        is_default = default is not PydanticUndefined and value == default
        # What is filled in stands in a record that is no longer the model's default.
        if value is not None and not is_default and not (name == "spec" and _is_implied(record)):
            yield name, value


def _is_implied(record: Record) -> bool:
    """Whether a server's size is the one that it gets when it names neither a plan nor a size."""
    implied: Mapping[str, Any] = getattr(record, "unless_plan", NOTHING)
    spec: Any = getattr(record, "spec", None)
    return getattr(record, "plan", None) is None and bool(implied) and spec == type(spec)(**implied)


def _holds_records(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], Record)
