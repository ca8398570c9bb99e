"""Versions of Kubernetes, of cluster networks (CNI) and of database engines, with their dates."""

import functools
from collections.abc import Mapping
from typing import Any

from prov_corpus.catalogue.release import Release, releases
from prov_corpus.catalogue.source import checked_provider, read_catalogue, unknown
from prov_corpus.similar import fold


def _entry(group: str, kind: str, name: str) -> dict[str, Any]:
    tables: dict[str, dict[str, Any]] = read_catalogue("versions")[group]
    if name not in tables:
        raise unknown(kind, name, tables)
    return tables[name]


@functools.cache
def kubernetes_versions() -> Mapping[str, Release]:
    """Minor versions of Kubernetes, oldest first."""
    return releases(read_catalogue("versions")["kubernetes"]["versions"])


def default_kubernetes() -> Release:
    """The minor version that a cluster without one gets."""
    return kubernetes_versions()[read_catalogue("versions")["kubernetes"]["default"]]


def runs_kubernetes(provider: str) -> bool:
    """Whether a provider sells Kubernetes clusters whose control plane it runs. Raises InvalidInputError for an unknown one."""
    return checked_provider(provider) in read_catalogue("versions")["kubernetes"]["managed_at"]


def cnis() -> tuple[str, ...]:
    """The cluster networks with known versions."""
    return tuple(read_catalogue("versions")["cni"])


@functools.cache
def cni_versions(cni: str) -> Mapping[str, Release]:
    """Minor versions of a cluster network, oldest first. Raises InvalidInputError when it is not known."""
    return releases(_entry("cni", "cluster network", cni)["versions"])


def default_cni(cni: str) -> Release:
    """The minor version that a cluster gets which names the network alone."""
    return cni_versions(cni)[_entry("cni", "cluster network", cni)["default"]]


def engines() -> tuple[str, ...]:
    """The database engines with known versions."""
    return tuple(read_catalogue("versions")["engines"])


def find_engine(text: str) -> str | None:
    """The engine that a name means ("Postgres" is postgresql), or None."""
    wanted = fold(text)
    for name, table in read_catalogue("versions")["engines"].items():
        if wanted in (name, *map(fold, table.get("aliases", ()))):
            return str(name)
    return None


@functools.cache
def engine_versions(engine: str) -> Mapping[str, Release]:
    """Versions of a database engine, oldest first. Raises InvalidInputError for an unknown engine."""
    return releases(_entry("engines", "database engine", engine)["versions"])


def default_engine(engine: str) -> Release:
    """The version that a database gets which names the engine alone."""
    return engine_versions(engine)[_entry("engines", "database engine", engine)["default"]]
