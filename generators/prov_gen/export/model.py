"""What every export answers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from prov_gen.model.infrastructure import InfrastructureConfig

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class NotCarried:
    """A value that the other form has no place for: where it stands, and why."""

    path: Path
    reason: str


@dataclass(frozen=True, slots=True)
class Exported:
    """Files by name (paths with `/`, relative), and what they do not carry."""

    files: Mapping[str, str]
    not_carried: tuple[NotCarried, ...] = ()


Exporter = Callable[[InfrastructureConfig], Exported]
