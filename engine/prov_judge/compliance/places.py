"""Where data and its copies lie: the region itself, and what a configuration calls a place (a region or a provider)."""

from collections.abc import Iterator, Sequence

from prov_corpus import catalogue
from prov_corpus.frameworks import personal_data_countries
from prov_gen.effective import provider_of, region_of
from prov_judge.compliance.evidence import Evidence, failing, holding, unknown
from prov_judge.compliance.model import Path
from prov_judge.compliance.scope import Subject, World
from stratumops.provider import PROVIDERS


def is_at(subject: Subject, world: World, *, providers: Sequence[str]) -> Evidence:
    """Whether the resource is at one of these providers; for the configuration: whether any of its resources is."""
    if subject.path:
        provider = provider_of(subject.record, world.config)
        return Evidence(provider in providers, (*subject.path, "provider"), provider, f"the provider is {provider}")
    found = sorted(world.providers.intersection(providers))
    shown = ", ".join(found or sorted(world.providers))
    return Evidence(bool(found), ("provider",), shown, f"it has resources at {shown}")


def in_adequate_country(subject: Subject, world: World) -> Evidence:
    """Whether the resource and all its copies are in the EEA or in countries with adequate protection."""
    provider, own = provider_of(subject.record, world.config), region_of(subject.record, world.config)
    stated = getattr(subject.record, "region", None)
    path = (*subject.path, "region") if stated or not world.config.region else ("region",)
    region = catalogue.regions(provider).get(own)
    doubt: Evidence | None = None
    countries = frozenset({region.country}) if region else frozenset[str]()
    copies = tuple(_copies(subject, world, provider))
    for name, where, found in ((own, path, countries), *copies):
        strange = sorted(found - personal_data_countries() - {""})
        if not found or "" in found:
            doubt = doubt or unknown(where, name, f"in which country {name} lies is not known")
        elif len(strange) == len(found):
            words = f"{name} is in {', '.join(strange)}, outside the EEA and the countries with adequate protection"
            return failing(where, f"{name} ({', '.join(strange)})", words)
        elif strange:
            words = f"{name} has regions in {', '.join(sorted(found))}, and which one is meant is not said"
            doubt = doubt or unknown(where, name, words)
    shown = ", ".join(countries)
    words = f"{own} is in {shown}" + (", and its copies are in such countries too" if copies else "")
    return doubt or holding(path, f"{own} ({shown})", words)


def _copies(subject: Subject, world: World, provider: str) -> Iterator[tuple[str, Path, frozenset[str]]]:
    """The places of copies, with their path and the countries that they may mean."""
    if copy := getattr(subject.record, "replicate_to", None):
        yield copy, (*subject.path, "replicate_to"), _countries(copy, provider)
    for index, plan in world.plans.get(getattr(subject.record, "name", ""), ()):
        if plan.copy_to:
            yield plan.copy_to, ("backup_plans", index, "copy_to"), _countries(plan.copy_to, provider)


def _countries(place: str, provider: str) -> frozenset[str]:
    if place.casefold() in PROVIDERS:
        return frozenset(region.country for region in catalogue.regions(place.casefold()).values())
    if own := catalogue.find_region(provider, place):
        return frozenset({own.country})
    return frozenset(region.country for _, region in catalogue.provider_of_region(place))


def is_elsewhere(place: str, subject: Subject, world: World) -> bool | None:
    """Whether a place (a region or a provider) is another than the resource's own. None for a place that is not known."""
    provider, region = provider_of(subject.record, world.config), region_of(subject.record, world.config)
    if place.casefold() in PROVIDERS:
        return place.casefold() != provider
    if place == region:
        return False
    if own := catalogue.find_region(provider, place):
        return own.id != region
    return True if catalogue.provider_of_region(place) else None
