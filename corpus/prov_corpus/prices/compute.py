"""Compute SKUs and prices: the rows of compute.csv, and specs.csv for sizes that the price list leaves out or blank."""

import functools
from collections.abc import Mapping
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
from prov_corpus.prices.table import count, currency, day, money, optional, quantity, read_table, text
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

# Positions in a row of compute.csv.
_REGION, _SKU, _VCPU, _MEMORY, _HOURLY = 1, 2, 3, 4, 5


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


def read_prices(path: Path, provider: str) -> list[tuple[Any, ...]]:
    """The guarded rows of one provider; raises InvalidInputError with file, line and column."""
    return read_table(path, COMPUTE_COLUMNS, key=("provider", "region", "sku"), groups=PROVIDERS, only=provider)


def read_specs(path: Path, provider: str) -> list[tuple[Any, ...]]:
    """The guarded rows of the specifications of one provider."""
    return read_table(path, SPECS_COLUMNS, key=("provider", "sku"), groups=PROVIDERS, only=provider)


@functools.cache
def _rows(provider: str) -> Mapping[str, Mapping[str, tuple[Any, ...]]]:
    """Region of the price list -> SKU -> row."""
    by_region: dict[str, dict[str, tuple[Any, ...]]] = {}
    for row in read_prices(COMPUTE_TABLE, checked_provider(provider)):
        by_region.setdefault(row[_REGION], {})[row[_SKU]] = row
    return by_region


@functools.cache
def skus(provider: str) -> Mapping[str, Sku]:
    """Every known SKU of a provider over all regions, priced or not, by exact name. The local machine has none."""
    specs = {name: (vcpu, memory) for _, name, vcpu, memory, *_ in read_specs(SPECS_TABLE, checked_provider(provider))}
    stated: dict[str, tuple[int | None, float | None]] = {}
    for by_sku in _rows(provider).values():
        for name, row in by_sku.items():
            vcpu, memory = stated.get(name, (None, None))
            stated[name] = (vcpu or row[_VCPU], memory or row[_MEMORY])
    found: dict[str, Sku] = {}
    for name in sorted(stated.keys() | specs.keys()):
        vcpu, memory = stated.get(name, (None, None))
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


def priced_regions(provider: str) -> tuple[str, ...]:
    """The regions of the price list that have prices of this provider."""
    return tuple(_rows(provider))


def price(provider: str, region: str, sku: str) -> ComputePrice | None:
    """The price of a SKU (exact name) in a region or region of the price list; None when the table has none."""
    row = _rows(provider).get(price_region(provider, region), {}).get(sku)
    return None if row is None else ComputePrice(row[_REGION], row[_SKU], *row[_HOURLY:])


def prices_of(provider: str, region: str) -> list[ComputePrice]:
    """All prices of a region or region of the price list; empty when it has none."""
    rows = _rows(provider).get(price_region(provider, region), {})
    return [ComputePrice(row[_REGION], row[_SKU], *row[_HOURLY:]) for row in rows.values()]
