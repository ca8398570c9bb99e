"""Predicates by name: what no operator of the checks' data can say. Each takes the subject, the world and its parameters."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from prov_corpus import catalogue
from prov_corpus.frameworks import personal_data_countries
from prov_gen.effective import provider_of, region_of
from prov_judge.compliance.environments import environments_apart, has_several_environments, in_production
from prov_judge.compliance.evidence import Evidence, failing, holding, unknown
from prov_judge.compliance.exposure import closed_to_internet, networks_apart, no_public_address, outside_public_subnets
from prov_judge.compliance.lifetimes import kubernetes_supported, not_expired, os_supported
from prov_judge.compliance.resilience import backed_up, copied_elsewhere, keeps_data, region_has_zones, spread_over_zones
from prov_judge.compliance.scope import Subject, World

Predicate = Callable[..., Evidence]


def is_at(subject: Subject, world: World, *, providers: Sequence[str]) -> Evidence:
    """Whether the resource (or the configuration) is at one of these providers."""
    provider = provider_of(subject.record, world.config)
    return Evidence(provider in providers, (*subject.path, "provider"), provider, f"the provider is {provider}")


def no_plaintext_secret(subject: Subject, world: World) -> Evidence:
    """Whether no text of the resource looks like a secret; it is never repeated."""
    found = world.secrets.get(subject.path)
    if found is None:
        return holding(subject.path, "no secret", "no text of it looks like a secret")
    return failing(found.where, "(not shown)", found.message)


def tagged(subject: Subject, world: World, *, tags: Mapping[str, str]) -> Evidence:
    """Whether the resource bears these tags, its own or the configuration's. A tag may be answered by a field instead."""
    record = subject.record
    borne = {_folded(tag) for tag in (*world.config.tags, *getattr(record, "tags", ()))}
    missing = [tag for tag, field in tags.items() if _folded(tag) not in borne and not _answered(field, record, world)]
    path = (*subject.path, "tags") if hasattr(record, "tags") else ("tags",)
    if missing:
        return failing(path, f"without {', '.join(missing)}", f"it bears no tag {', '.join(missing)}")
    return holding(path, "complete", f"it bears {', '.join(tags)}")


def _folded(tag: str) -> str:
    return tag.casefold().replace("-", "").replace("_", "").replace(" ", "")


def _answered(field: str, record: Any, world: World) -> bool:
    return bool(field and (getattr(record, field, None) or getattr(world.config, field, None)))


def in_adequate_country(subject: Subject, world: World) -> Evidence:
    """Whether the resource's region (and that of a bucket's copy) is in the EEA or a country with adequate protection."""
    provider = provider_of(subject.record, world.config)
    copy = getattr(subject.record, "replicate_to", None)
    own = region_of(subject.record, world.config)
    stated = getattr(subject.record, "region", None)
    places = [(own, (*subject.path, "region") if stated or not world.config.region else ("region",))]
    places += [(copy, (*subject.path, "replicate_to"))] if copy else []
    for name, path in places:
        region = catalogue.regions(provider).get(name)
        if region is None or not region.country:
            return unknown(path, name, f"in which country {name} lies is not known")
        if region.country not in personal_data_countries():
            words = f"{name} is in {region.country}, outside the EEA and the countries with adequate protection"
            return failing(path, f"{name} ({region.country})", words)
    country = catalogue.regions(provider)[own].country
    return holding(places[0][1], f"{own} ({country})", f"{own} is in {country}")


def holds_data(subject: Subject, _world: World, *, classes: Sequence[str]) -> Evidence:
    """Whether the resource is said to hold data of one of these classes."""
    found = getattr(subject.record, "data_class", None)
    return Evidence(found in classes, (*subject.path, "data_class"), found or "not stated", f"it holds {found} data")


def has_taskserv(subject: Subject, world: World, *, names: Sequence[str]) -> Evidence:
    """Whether one of these services is installed on the server."""
    server = subject.record
    for index, taskserv in enumerate(world.config.taskservs):
        if taskserv.name in names and (not taskserv.targets or server.name in taskserv.targets):
            return holding(("taskservs", index), taskserv.name, f"{taskserv.name} is installed on it")
    own = next((name for name in server.taskservs if name in names), None)
    words = f"{own} is installed on it" if own else f"none of {', '.join(names)} is installed on it"
    return Evidence(own is not None, (*subject.path, "taskservs"), own or "none", words)


def receives_logs(subject: Subject, world: World) -> Evidence:
    """Whether the bucket is where others put their access logs."""
    holds = subject.record.name in world.log_buckets
    return Evidence(holds, subject.path, "log bucket" if holds else "no log bucket", "it receives the access logs of others")


PREDICATES: Mapping[str, Predicate] = {
    predicate.__name__: predicate
    for predicate in (
        *(is_at, in_production, no_plaintext_secret, backed_up, copied_elsewhere, spread_over_zones, region_has_zones),
        *(os_supported, kubernetes_supported, tagged, holds_data, in_adequate_country, has_taskserv, receives_logs),
        *(has_several_environments, keeps_data),
        *(environments_apart, not_expired, closed_to_internet, no_public_address, networks_apart, outside_public_subnets),
    )
}
