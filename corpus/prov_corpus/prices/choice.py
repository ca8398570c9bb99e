"""Choosing a SKU for somebody who did not name one: by size, or the cheapest that is large enough."""

import functools

from prov_corpus.catalogue.families import ARCHITECTURES, classify
from prov_corpus.catalogue.regions import reference_region
from prov_corpus.catalogue.sizes import SIZES, sizes
from prov_corpus.catalogue.source import checked_provider, unknown
from prov_corpus.prices.compute import Sku, prices_of, skus
from stratumops.errors import InvalidInputError


@functools.cache
def _ranked(provider: str, region: str, arch: str) -> tuple[Sku, ...]:
    """The SKUs that may be chosen in a region, cheapest month first; of equal price the larger one, then by name.

    A region's prices are in one currency, so they can be compared. Sizes of unknown memory cannot be promised to fit.
    """
    known = skus(provider)
    eligible = [
        (offer.monthly, -sku.vcpu, -sku.memory_gb, sku.name)
        for offer in prices_of(provider, region)
        if (sku := known[offer.sku]).arch == arch and sku.memory_gb is not None and classify(provider, sku.name).chosen
    ]
    return tuple(known[name] for *_, name in sorted(eligible))


def cheapest_sku(
    provider: str, *, cpu: float, memory_gb: float, region: str | None = None, arch: str = ARCHITECTURES[0]
) -> Sku | None:
    """The cheapest priced SKU with at least `cpu` vCPUs and `memory_gb` GB of memory, or None when none is large enough.

    Prices are those of `region` where it has any, else of the provider's reference region; where a priced region offers
    nothing large enough, the reference region is asked as well. Burstable machines count; accelerated, storage, bare
    metal, confidential, isolated and previous-generation ones do not. Raises InvalidInputError for an unknown provider or
    architecture.
    """
    checked_provider(provider)
    if arch not in ARCHITECTURES:
        raise unknown("architecture", arch, ARCHITECTURES)
    places = dict.fromkeys((region or reference_region(provider), reference_region(provider)))
    for place in places:
        for sku in _ranked(provider, place, arch):
            if sku.vcpu >= cpu and sku.memory_gb is not None and sku.memory_gb >= memory_gb:
                return sku
    return None


@functools.cache
def plan_size(provider: str, size: str) -> Sku:
    """The SKU that small, medium, large or xlarge means; on the local machine the size itself, which no price list holds.

    Raises InvalidInputError for an unknown provider or size.
    """
    known = sizes(provider)
    if size not in known:
        raise unknown("plan size", size, SIZES)
    chosen = known[size]
    if not isinstance(chosen, str):
        return Sku(provider, size, chosen.vcpu, chosen.memory_gb, family="")
    if chosen not in skus(provider):
        raise InvalidInputError(
            f"sizes.toml names {chosen!r}, which {provider} does not have", hint="correct that size", sku=chosen
        )
    return skus(provider)[chosen]
