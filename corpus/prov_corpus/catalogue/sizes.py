"""The four sizes that a plan may be named by, and what each means on each provider."""

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from prov_corpus.catalogue.source import checked_provider, read_catalogue

SIZES = ("small", "medium", "large", "xlarge")


@dataclass(frozen=True, slots=True)
class LocalSize:
    """A size on a provider that has no SKUs."""

    vcpu: int
    memory_gb: float


@functools.cache
def sizes(provider: str) -> Mapping[str, str | LocalSize]:
    """Size -> SKU name, or the machine itself where there are no SKUs. Raises InvalidInputError for an unknown provider."""
    table = read_catalogue("sizes")[checked_provider(provider)]
    return MappingProxyType({size: LocalSize(**table[size]) if isinstance(table[size], dict) else table[size] for size in SIZES})
