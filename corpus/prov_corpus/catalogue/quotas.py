"""Limits that providers set on a fresh account."""

import functools
from dataclasses import dataclass

from prov_corpus.catalogue.source import checked_provider, read_catalogue


@dataclass(frozen=True, slots=True)
class Quota:
    """A limit on how many of a kind there may be; `unit` says within what. `approximate`: differs by account or region."""

    kind: str
    limit: int
    unit: str
    raisable: bool
    source: str
    approximate: bool = False


@functools.cache
def quotas(provider: str) -> tuple[Quota, ...]:
    """The known limits of a provider, one for each kind; none for the local machine."""
    return tuple(
        Quota(
            kind=row["kind"],
            limit=row["limit"],
            unit=row["unit"],
            raisable=row["raisable"],
            source=row["source"],
            approximate=row.get("precision") == "approximate",
        )
        for row in read_catalogue("quotas")[checked_provider(provider)]["quotas"]
    )
