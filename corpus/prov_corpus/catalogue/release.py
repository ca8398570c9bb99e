"""A version of something that somebody supports until a day: shared by images, Kubernetes, networks and databases."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Any


@dataclass(frozen=True, slots=True)
class Release:
    """One version with its dates. `end_of_life` None: not announced. `approximate`: the dates were not checked."""

    version: str
    release: date
    end_of_life: date | None
    approximate: bool = False
    aliases: tuple[str, ...] = ()


def is_end_of_life(item: Release, today: date) -> bool:
    """Whether support ended before `today` (the last day itself is still supported)."""
    return item.end_of_life is not None and item.end_of_life < today


def releases(rows: Iterable[Mapping[str, Any]]) -> Mapping[str, Release]:
    """The releases of a catalogue's `versions` list by version, oldest first as in the file."""
    return MappingProxyType(
        {
            row["version"]: Release(
                version=row["version"],
                release=row["release"],
                end_of_life=row.get("end_of_life"),
                approximate=row.get("precision") == "approximate",
                aliases=tuple(row.get("aliases", ())),
            )
            for row in rows
        }
    )
