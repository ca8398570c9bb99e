"""Regions: their ids, what people call them, where they lie, and which region of the price list holds their prices."""

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from prov_corpus import PROVIDERS
from prov_corpus.catalogue.source import checked_provider, read_catalogue
from prov_corpus.similar import fold, nearest


@dataclass(frozen=True, slots=True)
class Region:
    """A region (Hetzner: location, UpCloud: zone) of one provider.

    `country` is an ISO 3166-1 code, "" for the local machine. `in_eu` is true in the European Economic Area. `zones` are
    whole zone names as the provider writes them, () when not known. `price_region` is its key in the price list.
    """

    id: str
    name: str
    country: str
    in_eu: bool
    aliases: tuple[str, ...]
    zones: tuple[str, ...]
    price_region: str


@functools.cache
def regions(provider: str) -> Mapping[str, Region]:
    """All regions of a provider by id. Raises InvalidInputError for an unknown provider."""
    catalogue = read_catalogue("regions")
    table = catalogue[checked_provider(provider)]
    found: dict[str, Region] = {}
    for row in table["regions"]:
        found[row["id"]] = Region(
            id=row["id"],
            name=row["name"],
            country=row["country"],
            in_eu=row["country"] in catalogue["eea"],
            aliases=tuple(row.get("aliases", ())),
            zones=tuple(table["zone_format"].format(region=row["id"], zone=zone) for zone in row.get("zones", ())),
            price_region=row.get("prices", row["id"]),
        )
    return MappingProxyType(found)


@functools.cache
def _names(provider: str) -> Mapping[str, Region]:
    """Folded name -> region. Ids win over names and aliases, those over countries; within each the first listed wins."""
    all_regions = regions(provider).values()
    countries = read_catalogue("regions")["countries"]
    index: dict[str, Region] = {}
    for region in all_regions:
        index.setdefault(fold(region.id), region)
    for region in all_regions:
        for name in (region.name, *region.aliases):
            index.setdefault(fold(name), region)
    for region in all_regions:
        for name in countries.get(region.country, ()):
            index.setdefault(fold(name), region)
    return index


def find_region(provider: str, text: str) -> Region | None:
    """The region that a person means: its id, city, alias or country in English or Spanish; case and accents do not matter.

    A caller that needs the exact id compares it with the answer's `id`.
    """
    return _names(provider).get(fold(text)) if len(text) <= 100 else None


def provider_of_region(text: str) -> list[tuple[str, Region]]:
    """Every provider that has a region of that id or name: "eu-west-1" is AWS's alone, "Frankfurt" several providers'.

    Providers whose id it is come first and, when there are any, alone: nobody who writes an id means a city elsewhere.
    """
    matches = [(provider, region) for provider in PROVIDERS if (region := find_region(provider, text))]
    by_id = [(provider, region) for provider, region in matches if region.id == text.strip().lower()]
    return by_id or matches


def default_region(provider: str) -> Region:
    """The region that a configuration without one gets."""
    return regions(provider)[read_catalogue("regions")[checked_provider(provider)]["default"]]


def reference_region(provider: str) -> str:
    """The region of the price list that stands in for a region without prices."""
    reference: str = read_catalogue("regions")[checked_provider(provider)]["reference"]
    return reference


def price_region(provider: str, region: str) -> str:
    """The region of the price list that holds the prices of `region`; an unknown region is its own."""
    known = regions(provider).get(region)
    return known.price_region if known else region


def nearest_regions(provider: str, text: str, n: int = 3) -> list[str]:
    """Ids of the regions whose id, city or alias looks most like the text."""
    names = _names(provider)
    ids = [names[name].id for name in nearest(text, names, n * 3)]
    return list(dict.fromkeys(ids))[:n]
