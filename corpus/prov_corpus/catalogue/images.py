"""Operating systems: families, their versions with dates, and the providers that offer them."""

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from prov_corpus.catalogue.release import Release, releases
from prov_corpus.catalogue.source import read_catalogue, unknown
from prov_corpus.similar import fold


@dataclass(frozen=True, slots=True)
class OperatingSystem:
    """An operating system family. `providers` offer a stock image of it; elsewhere an own image must be uploaded."""

    family: str
    name: str
    default: str
    providers: tuple[str, ...]
    aliases: tuple[str, ...]
    versions: Mapping[str, Release]


@functools.cache
def images() -> Mapping[str, OperatingSystem]:
    """All operating systems by family."""
    catalogue = read_catalogue("images")
    return MappingProxyType(
        {
            family: OperatingSystem(
                family=family,
                name=table["name"],
                default=table["default"],
                providers=tuple(table["providers"]),
                aliases=tuple(table.get("aliases", ())),
                versions=releases(table["versions"]),
            )
            for family, table in catalogue.items()
            if isinstance(table, dict)
        }
    )


def default_image() -> OperatingSystem:
    """The operating system that a server without one gets."""
    return images()[read_catalogue("images")["default"]]


def find_image(text: str) -> tuple[OperatingSystem, Release] | None:
    """The operating system and version that a name means.

    Understands a family ("rocky linux": its default version), a codename ("bookworm") and both together in either writing
    ("Ubuntu 24.04", "debian-12", "ubuntu noble").
    """
    wanted = fold(text)
    for image in images().values():
        for name in sorted({image.family, *map(fold, (image.name, *image.aliases))}, key=len, reverse=True):
            if wanted == name:
                return image, image.versions[image.default]
            if wanted.startswith(f"{name} ") and (release := _release(image, wanted[len(name) :])):
                return image, release
        for release in image.versions.values():
            if wanted in map(fold, release.aliases) and wanted != "lts":
                return image, release
    return None


def _release(image: OperatingSystem, text: str) -> Release | None:
    wanted = fold(text)
    if wanted in image.versions:
        return image.versions[wanted]
    return next((release for release in image.versions.values() if wanted in map(fold, release.aliases)), None)


def os_version(family: str, version: str) -> Release | None:
    """A version of a family by number or codename; None when the catalogue does not know it.

    Raises InvalidInputError for an unknown family.
    """
    if family not in images():
        raise unknown("operating system", family, images())
    return _release(images()[family], version)
