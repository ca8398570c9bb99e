"""The loader of the checks' tables. Each file says `as_of` and `source`; ids are unique over all files."""

import functools
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import Any

from prov_corpus.catalogue.source import read_catalogue
from stratumops.errors import InternalError

FOLDER = Path(__file__).parent
FAMILIES = (
    *("encryption", "transport", "network", "logging", "identity", "secrets", "backup", "availability", "patching"),
    *("governance", "workloads", "organisation"),
)
"""The files of checks, in the order in which they are told."""


@dataclass(frozen=True, slots=True)
class FrameworkFacts:
    """A framework: its name, the version whose ids of controls are used, and the public page of its publisher."""

    id: str
    name: str
    version: str
    page: str


@functools.cache
def frameworks() -> Mapping[str, FrameworkFacts]:
    """The frameworks by id."""
    rows = _read("frameworks")["framework"]
    return MappingProxyType({name: FrameworkFacts(id=name, **row) for name, row in rows.items()})


@functools.cache
def check_rows() -> Mapping[str, Mapping[str, Any]]:
    """All rows of checks by id, each with its `family`, in the order of the files. Treat as read-only.

    Raises InternalError when a file cannot be read or an id stands twice.
    """
    rows: dict[str, Mapping[str, Any]] = {}
    for family in FAMILIES:
        for row in _read(family)["check"]:
            if row["id"] in rows:
                raise InternalError(f"{family}.toml: {row['id']} stands twice", hint="give one of them another id")
            rows[row["id"]] = row | {"family": family}
    return MappingProxyType(rows)


def check_ids() -> tuple[str, ...]:
    """The ids of all checks."""
    return tuple(check_rows())


@functools.cache
def personal_data_countries() -> frozenset[str]:
    """Countries (ISO 3166-1) where personal data may be kept without further safeguards: the EEA and the adequate ones."""
    return frozenset(read_catalogue("regions")["eea"]) | frozenset(_read("frameworks")["adequacy"]["countries"])


def _read(name: str) -> dict[str, Any]:
    path = FOLDER / f"{name}.toml"
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InternalError(f"{path.name}: {error}", hint="reinstall the package") from error
    if type(content.get("as_of")) is not date or not content.get("source"):
        raise InternalError(f"{path.name} does not say `as_of` and `source`", hint="date the facts")
    return content
