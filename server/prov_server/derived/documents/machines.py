"""What machines, disks and traffic cost in each region, and the sizes of each family of machines."""

import shlex
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

from prov_corpus import PROVIDERS
from prov_corpus.catalogue.families import classify
from prov_corpus.catalogue.quotas import quotas
from prov_corpus.catalogue.regions import Region, reference_region, regions
from prov_corpus.prices.compute import ComputePrice, Sku, priced_regions, prices_of, skus
from prov_corpus.prices.services import ServicePrice, service_prices
from prov_server.derived.documents.sheet import file_name, sheet
from prov_server.derived.page import block, cell, code, table

_SOURCE = "the tables of `prov_corpus.prices` and `prov_corpus.catalogue`"
_MOST_ROWS = 30
_FEWEST_SIZES = 3
_HEAD = ("plan", "vCPU", "memory GB", "processor", "hour", "month")


def pages() -> Iterator[tuple[str, str]]:
    """A page for every region with prices, every family of three sizes or more, and the quotas of every provider."""
    for provider in PROVIDERS:
        if provider == "local":
            continue
        yield from _regions(provider)
        yield from _families(provider)
        if limits := quotas(provider):
            rows = [
                (
                    code(one.kind),
                    f"{one.limit:,}",
                    one.unit,
                    "yes" if one.raisable else "no",
                    "about" if one.approximate else "exact",
                )
                for one in limits
            ]
            yield f"quotas/{provider}.md", sheet(
                f"Quotas of {provider}: how many of each kind an account may have",
                table(("kind", "limit", "within", "can be raised", "figure"), rows),
                "`prov validate` counts what a configuration asks for; what the account already has is not known to it.",
                source=_SOURCE, service=provider, tags=["quota", provider],
            )  # fmt: skip


def _regions(provider: str) -> Iterator[tuple[str, str]]:
    """One page for regions whose prices are the same."""
    priced, sizes = set(priced_regions(provider)), skus(provider)
    alike: dict[tuple[str, ...], list[Region]] = defaultdict(list)
    offers: dict[tuple[str, ...], list[ComputePrice]] = {}
    for region in regions(provider).values():
        if region.price_region in priced:
            found = [
                one for one in prices_of(provider, region.price_region) if one.sku in sizes and classify(provider, one.sku).chosen
            ]
            found.sort(key=lambda one: (one.monthly, one.sku))
            told = tuple(f"{one.sku} {one.hourly}" for one in found)
            alike[told].append(region)
            offers[told] = found
    for told, places in alike.items():
        yield _region(provider, places, offers[told], sizes)


def _region(provider: str, places: Sequence[Region], offers: Sequence[ComputePrice], sizes: Mapping[str, Sku]) -> tuple[str, str]:
    first, shown = places[0], _spread(offers, sizes)
    names = ", ".join(f"{one.id} ({one.name})" for one in places)
    wanted = f'{{ provider = "{provider}", region = "{first.id}", servers = [{{ name = "web", plan = "{shown[0].sku}" }}] }}'
    return f"regions/{provider}/{file_name(first.id)}.md", sheet(
        f"{provider} {names}: prices of machines, disks and traffic",
        *(_where(one) for one in places),
        f"## Machines\n\n{len(offers):,} sizes have a price here. The cheapest of each size, net of VAT, all month (730 hours):",
        table(_HEAD, [_machine(one, sizes[one.sku]) for one in shown]),
        *_services(provider, first),
        block("sh", f"prov cost {shlex.quote(wanted)}"),
        source=_SOURCE,
        service=provider,
        tags=["price", "region", provider, *(["eu"] if first.in_eu else [])],
        updated=max(one.as_of for one in offers),
    )


def _where(region: Region) -> str:
    law = (
        "inside the European Economic Area (GDPR applies without a transfer)"
        if region.in_eu
        else "outside the European Economic Area: personal data from there needs a ground for the transfer"
    )
    zones = f" Zones: {', '.join(region.zones)}." if region.zones else ""
    names = f" Also called {', '.join(region.aliases)}." if region.aliases else ""
    return f"The region {code(region.id)} is in {region.country}, {law}.{zones}{names}"


def _spread(offers: Sequence[ComputePrice], sizes: Mapping[str, Sku]) -> list[ComputePrice]:
    """The cheapest of each number of processors and amount of memory."""
    found: dict[tuple[object, ...], ComputePrice] = {}
    for one in offers:
        size = sizes[one.sku]
        found.setdefault((size.vcpu, size.memory_gb, size.arch), one)
    return list(found.values())[:_MOST_ROWS]


def _machine(one: ComputePrice, size: Sku) -> tuple[str, ...]:
    memory = "?" if size.memory_gb is None else f"{size.memory_gb:g}"
    return code(one.sku), str(size.vcpu), memory, size.arch, f"{one.hourly:f} {one.currency}", f"{one.monthly:.2f} {one.currency}"


def _services(provider: str, region: Region) -> Iterator[str]:
    own = [one for (place, _, _), one in service_prices(provider).items() if place in {region.price_region, region.id}]
    if own:
        rows = [(cell(one.service), cell(one.item), _money(one), cell(one.unit), one.precision) for one in own][:_MOST_ROWS]
        yield "## Disks, traffic and services"
        yield table(("service", "item", "price", "per", "figure"), rows)


def _money(one: ServicePrice) -> str:
    return f"{one.unit_price.normalize():f} {one.currency}"


def _families(provider: str) -> Iterator[tuple[str, str]]:
    home = reference_region(provider)
    priced = {one.sku: one for one in prices_of(provider, home)}
    members: dict[str, list[Sku]] = defaultdict(list)
    for size in skus(provider).values():
        members[size.family].append(size)
    for family, sizes in sorted(members.items()):
        known = sorted((one for one in sizes if one.name in priced), key=lambda one: (one.vcpu, one.memory_gb or 0, one.name))
        facts = classify(provider, sizes[0].name)
        # What is never chosen for somebody is looked up in the price list by those who know its name.
        if len(known) < _FEWEST_SIZES or not facts.chosen:
            continue
        newer = f" Newer and usually cheaper for the same work: {code(facts.newer)}." if facts.newer else ""
        ratio = _ratio(known)
        yield f"families/{provider}/{file_name(family)}.md", sheet(
            f"{provider} {family}: {facts.kind} machines, {facts.arch}, {known[0].vcpu} to {known[-1].vcpu} vCPU",
            f"The family {code(family)} of {provider} is for {facts.kind} work on {facts.arch}{ratio}.{newer}",
            f"Prices of {code(home)}, net of VAT:",
            table(_HEAD, [_machine(priced[one.name], one) for one in known[:_MOST_ROWS]]),
            source=_SOURCE,
            service=provider,
            tags=["machine", "price", facts.kind, provider],
            updated=max(priced[one.name].as_of for one in known),
        )  # fmt: skip


def _ratio(sizes: list[Sku]) -> str:
    ratios = sorted(Decimal(str(one.memory_gb)) / one.vcpu for one in sizes if one.memory_gb and one.vcpu)
    return f", with {ratios[len(ratios) // 2]:.3g} GB of memory for each vCPU" if ratios else ""
