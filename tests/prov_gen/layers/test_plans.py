"""Plans of machines and of managed services: what the price list sells passes, what it cannot sell is told with the nearest."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prov_corpus import PROVIDERS, prices
from prov_corpus.catalogue.managed_plans import managed_plans
from prov_corpus.catalogue.managed_sizes import ManagedKind
from prov_gen.findings import Finding
from prov_gen.layers.catalogue import check_catalogue
from prov_gen.model.base import SIZES
from prov_gen.model.infrastructure import InfrastructureConfig
from prov_judge.cost.estimate import estimate
from prov_judge.prices.book import PriceBook

TODAY = date(2026, 11, 23)
CLOUDS = [provider for provider in PROVIDERS if provider != "local"]
LISTS: dict[ManagedKind, str] = {"database": "databases", "cache": "caches", "load_balancer": "load_balancers"}
# What prices name beside PostgreSQL's and Redis's own.
ENGINES = {"mysql", "valkey"}


def with_plan(provider: str, kind: ManagedKind, plan: str, engine: str | None = None) -> InfrastructureConfig:
    record: dict[str, Any] = {"name": "x", "plan": plan}
    if engine:
        record["engine"] = engine
    elif kind == "cache":
        record["engine"] = "redis"
    return InfrastructureConfig.model_validate({"provider": provider, LISTS[kind]: [record]})


def about_plan(provider: str, kind: ManagedKind, plan: str, engine: str | None = None) -> list[Finding]:
    found = check_catalogue(with_plan(provider, kind, plan, engine), TODAY)
    return [one for one in found if one.path.endswith(".plan")]


def the_finding(provider: str, kind: ManagedKind, plan: str) -> Finding:
    (found,) = about_plan(provider, kind, plan)
    return found


def priced_items(provider: str) -> Iterator[tuple[ManagedKind, str, str | None]]:
    for _, service, item in prices.service_prices(provider):
        for kind in LISTS:
            if service == kind:
                plan, *endings = item.split(":")
                yield kind, plan, next((ending for ending in endings if ending in ENGINES), None)


def is_priced(provider: str, kind: ManagedKind, plan: str) -> bool:
    """Whether the estimate has a price for the instances (their storage and backups are not the plan's)."""
    found = estimate(with_plan(provider, kind, plan), book=PriceBook.shipped())
    return not any(part.startswith(("Instance", "Nodes", "Load balancer", "Machines")) for _, part, _ in found.unpriced)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_whatever_the_price_list_sells_for_a_service_has_no_finding(provider: str) -> None:
    sold = list(priced_items(provider))
    assert sold or provider == "local"
    for kind, plan, engine in sold:
        assert about_plan(provider, kind, plan, engine) == [], (kind, plan, engine)


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("kind", LISTS)
@pytest.mark.parametrize("size", SIZES)
def test_a_size_has_no_finding_for_any_service(provider: str, kind: ManagedKind, size: str) -> None:
    assert about_plan(provider, kind, size) == []


@pytest.mark.parametrize("provider", CLOUDS)
def test_the_kinds_with_plans_of_their_own_are_those_that_the_price_list_sells(provider: str) -> None:
    sold = {kind for kind, _, _ in priced_items(provider)}
    listed = {kind for kind in LISTS if managed_plans(provider, kind)}
    # UpCloud sells caches; no price of them is known.
    assert listed - sold == ({"cache"} if provider == "upcloud" else set())
    assert sold <= listed


NAMES = [(provider, kind, plan) for provider in CLOUDS for kind, plan, _ in priced_items(provider)]
MACHINES = [name for provider in CLOUDS for name in list(prices.skus(provider))[::40]]
TYPED = st.one_of(
    st.sampled_from(NAMES).map(lambda one: one[2]),
    st.sampled_from(MACHINES),
    st.sampled_from(NAMES).map(lambda one: one[2][:-1]),
    st.sampled_from(["db-custom-2-7680", "db-custom-0-7680", "db.r7g.large", "GP_Standard_D32ds_v5", "huge", "Basic"]),
)


MANAGED = [(provider, kind) for provider in CLOUDS for kind in LISTS if managed_plans(provider, kind)]


@given(st.sampled_from(MANAGED), TYPED.filter(lambda name: len(name) > 1))
def test_a_plan_has_no_finding_exactly_when_the_estimate_has_a_price_for_it(place: tuple[str, ManagedKind], plan: str) -> None:
    provider, kind = place
    assert (about_plan(provider, kind, plan) == []) == is_priced(provider, kind, plan)


@pytest.mark.parametrize(
    ("provider", "kind", "plan", "near"),
    [
        ("azure", "database", "Standard_D2ds_v5", "GP_Standard_D2ds_v5"),
        ("azure", "cache", "Standard_D2ds_v5", "Standard_C"),
        ("aws", "database", "m6g.large", "db.m6g.large"),
        ("aws", "cache", "t4g.small", "cache.t4g.small"),
        ("gcp", "database", "n1-standard-4", "db-n1-standard-4"),
        ("upcloud", "database", "2xCPU-4GB", "1x2xCPU-4GB-50GB"),
    ],
)
def test_a_machine_size_for_a_managed_service_is_told_with_the_nearest_plan(
    provider: str, kind: ManagedKind, plan: str, near: str
) -> None:
    found = the_finding(provider, kind, plan)
    assert (found.code, found.severity) == ("plan_of_machines", "error")
    assert near in found.fix


@pytest.mark.parametrize(
    ("provider", "kind", "plan"),
    [
        ("aws", "database", "db.r7g.large"),
        ("aws", "database", "db.x2g.4xlarge"),
        ("aws", "cache", "cache.r7g.xlarge"),
        ("azure", "database", "GP_Standard_D32ds_v5"),
        ("azure", "cache", "Premium_P5"),
        ("gcp", "database", "db-n1-highmem-4"),
        ("gcp", "cache", "standard-32gb"),
        ("upcloud", "database", "3x8xCPU-32GB-400GB"),
        ("upcloud", "cache", "1x1xCPU-2GB"),
    ],
)
def test_a_plan_that_only_the_price_list_lacks_is_worth_knowing_and_passes(provider: str, kind: ManagedKind, plan: str) -> None:
    found = the_finding(provider, kind, plan)
    assert (found.code, found.severity) == ("plan_unlisted", "info")
    assert "prov prices import" in found.fix


@pytest.mark.parametrize(
    ("provider", "kind", "plan", "near"),
    [("aws", "database", "db.r6g.larg", "db.r6g.large"), ("aws", "cache", "cache.t4gg.small", "cache.t4g.small")],
)
def test_a_plan_of_a_machine_that_there_is_not_is_a_warning_with_the_nearest_name(
    provider: str, kind: ManagedKind, plan: str, near: str
) -> None:
    found = the_finding(provider, kind, plan)
    assert (found.code, found.severity) == ("plan_unlisted", "warning")
    assert near in found.fix


@pytest.mark.parametrize(
    ("provider", "kind", "plan", "code", "fix"),
    [
        ("hetzner", "load_balancer", "lb12", "plan_unknown", "lb11"),
        ("aws", "load_balancer", "gateway", "plan_unknown", "small, medium"),
        ("aws", "database", "cache.t4g.small", "plan_unknown", "db.t4g.small"),
        ("azure", "database", "db.t4g.medium", "plan_of_other_provider", "set provider = 'aws"),
        ("gcp", "database", "m5.large", "plan_of_other_provider", "db-n1-standard-1"),
        ("gcp", "cache", "LARGE", "plan_unknown", "write large"),
        ("hetzner", "database", "cx2", "plan_unknown", "cx2"),
        ("local", "cache", "m5.large", "plan_unknown", "choose small"),
    ],
)
def test_a_plan_that_the_provider_cannot_have_is_an_error_with_a_way_out(
    provider: str, kind: ManagedKind, plan: str, code: str, fix: str
) -> None:
    found = the_finding(provider, kind, plan)
    assert (found.code, found.severity) == (code, "error")
    assert fix in found.fix
