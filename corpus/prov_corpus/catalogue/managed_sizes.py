"""What the four sizes mean for managed services (managed_sizes.toml)."""

from collections.abc import Mapping
from typing import Literal

from prov_corpus.catalogue.sizes import SIZES
from prov_corpus.catalogue.source import checked_provider, read_catalogue, unknown

ManagedKind = Literal["database", "cache", "load_balancer"]


def managed_sku(provider: str, kind: ManagedKind, size: str) -> str | None:
    """The item of the price list that a size of a managed service means; None where a provider does not sell that by size.

    Raises InvalidInputError for an unknown provider or size.
    """
    if size not in SIZES:
        raise unknown("size", size, SIZES)
    kinds: Mapping[str, Mapping[str, str]] = read_catalogue("managed_sizes")[checked_provider(provider)]
    return kinds.get(kind, {}).get(size)
