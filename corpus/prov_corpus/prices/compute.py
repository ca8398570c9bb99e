"""Compute SKUs and prices: the rows of compute.csv, and specs.csv for sizes that the price list leaves out or blank."""

import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Any

from prov_corpus import PROVIDERS
from prov_corpus.catalogue.families import classify
from prov_corpus.catalogue.regions import price_region
from prov_corpus.catalogue.source import checked_provider
from prov_corpus.prices.custom import custom_size
from prov_corpus.prices.table import Columns, Table, count, currency, day, money, optional, quantity, read_table, text
from prov_corpus.similar import nearest
from stratumops.errors import InvalidInputError

HOURS_PER_MONTH = 730

COMPUTE_TABLE = Path(__file__).parent / "compute.csv"
SPECS_TABLE = Path(__file__).parent / "specs.csv"

COMPUTE_COLUMNS = {
    "provider": text,
    "region": text,
    "sku": text,
    "vcpu": optional(count),
    "memory_gb": optional(quantity),
    "hourly": money,
    "monthly_cap": optional(money),
    "currency": currency,
    "as_of": day,
    "source": text,
}
SPECS_COLUMNS = {
    "provider": text,
    "sku": text,
    "vcpu": count,
    "memory_gb": optional(quantity),
    "as_of": day,
    "source": text,
}

_KEY = ("provider", "region", "sku")
_OFFER = ("hourly", "monthly_cap", "currency", "as_of", "source")


@dataclass(frozen=True, slots=True)
class Sku:
    """A machine size by the provider's exact name. `memory_gb` None: not known. `family`, `kind`, `arch` as in families.toml."""

    provider: str
    name: str
    vcpu: int
    memory_gb: float | None
    family: str
    kind: str = "general"
    arch: str = "x86_64"


@dataclass(frozen=True, slots=True)
class ComputePrice:
    """What a SKU costs in a region of the price list, net of VAT. `monthly_cap`: a month never costs more."""

    region: str
    sku: str
    hourly: Decimal
    monthly_cap: Decimal | None
    currency: str
    as_of: date
    source: str

    @property
    def monthly(self) -> Decimal:
        """A whole month (730 hours), at most the cap; exact, not rounded."""
        full = self.hourly * HOURS_PER_MONTH
        return full if self.monthly_cap is None else min(full, self.monthly_cap)


def open_prices(path: Path) -> Table:
    """The table of prices, in blocks of a provider's region; raises InvalidInputError with file, line and column."""
    return Table(path, COMPUTE_COLUMNS, key=_KEY, groups=PROVIDERS, leading=2)


def read_specs(path: Path) -> list[tuple[Any, ...]]:
    """The guarded rows of the table of specifications."""
    return read_table(path, SPECS_COLUMNS, key=("provider", "sku"), groups=PROVIDERS)


@functools.cache
def _specs() -> list[tuple[Any, ...]]:
    return read_specs(SPECS_TABLE)


@functools.cache
def _prices() -> Table:
    return open_prices(COMPUTE_TABLE)


def _offer(table: Columns, region: str, sku: str, at: int) -> ComputePrice:
    return ComputePrice(region, sku, *(table[name][at] for name in _OFFER))


def _first_stated(blocks: Iterable[Columns], column: str) -> dict[str, Any]:
    """What each SKU's first row with a value says."""
    stated: dict[str, Any] = {}
    for block in blocks:
        for name, value in zip(block["sku"], block[column], strict=True):
            if value is not None:
                stated.setdefault(name, value)
    return stated


@functools.cache
def skus(provider: str) -> Mapping[str, Sku]:
    """Every known SKU of a provider over all regions, priced or not, by exact name. The local machine has none."""
    checked_provider(provider)
    specs = {name: (vcpu, memory) for of, name, vcpu, memory, *_ in _specs() if of == provider}
    blocks = [_prices().block(provider, region) for region in priced_regions(provider)]
    vcpus, memories = _first_stated(blocks, "vcpu"), _first_stated(blocks, "memory_gb")
    found: dict[str, Sku] = {}
    for name in sorted(specs.keys() | {name for block in blocks for name in block["sku"]}):
        vcpu, memory = vcpus.get(name), memories.get(name)
        spec_vcpu, spec_memory = specs.get(name, (None, None))
        plan = classify(provider, name)
        # The price list counts the cores of the whole machine for sizes with fewer usable ones; the name does not.
        cores = plan.usable_vcpu or vcpu or spec_vcpu
        if cores is None:
            raise InvalidInputError(
                f"no vCPU count is known for {provider} {name}", hint=f"add it to {SPECS_TABLE.name}", sku=name
            )
        found[name] = Sku(provider, name, cores, memory or spec_memory, plan.family, plan.kind, plan.arch)
    return MappingProxyType(found)


@functools.cache
def _folded(provider: str) -> Mapping[str, Sku]:
    return {name.lower(): sku for name, sku in skus(provider).items()}


def find_sku(provider: str, name: str) -> Sku | None:
    """The SKU of that exact name, else of that name in another case, else a custom one of that form, else None."""
    known = skus(provider).get(name) or _folded(provider).get(name.strip().lower())
    if known is None and (custom := custom_size(provider, name)):
        family, vcpu, memory_gb = custom
        return Sku(provider, name, vcpu, memory_gb, family)
    return known


def nearest_skus(provider: str, name: str, n: int = 3) -> list[str]:
    """Names of the SKUs that look most like `name`, for a hint."""
    return nearest(name, skus(provider), n)


@functools.cache
def priced_regions(provider: str) -> tuple[str, ...]:
    """The regions of the price list that have prices of this provider."""
    checked_provider(provider)
    return tuple(region for of, region in _prices().blocks if of == provider)


def price(provider: str, region: str, sku: str) -> ComputePrice | None:
    """The price of a SKU (exact name) in a region or region of the price list; None when the table has none."""
    place = price_region(provider, region)
    table = _prices().block(provider, place)
    at = table.index.get(sku)
    return None if at is None else _offer(table, place, sku, at)


def prices_of(provider: str, region: str) -> list[ComputePrice]:
    """All prices of a region or region of the price list; empty when it has none."""
    place = price_region(provider, region)
    table = _prices().block(provider, place)
    return [_offer(table, place, sku, at) for sku, at in table.index.items()]
