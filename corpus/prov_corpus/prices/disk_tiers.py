"""Disks billed by tier (disk_tiers.toml): Azure's P (premium SSD), E (standard SSD) and S (standard HDD)."""

from collections.abc import Mapping

from prov_corpus.catalogue.source import checked_provider, unknown
from prov_corpus.prices.facts import read_facts


def tiered_lines(provider: str) -> tuple[str, ...]:
    """The lines of disks that a provider bills by tier. Raises InvalidInputError for an unknown provider."""
    return tuple(read_facts("disk_tiers").get(checked_provider(provider), {}))


def disk_tiers(provider: str, line: str) -> Mapping[str, int]:
    """Tier ("P10") -> its size in GiB, smallest first; empty where disks are billed by the GB.

    Raises InvalidInputError for an unknown provider, or a line of disks that one with tiers does not have.
    """
    lines = read_facts("disk_tiers").get(checked_provider(provider), {})
    if not lines:
        return {}
    if line not in lines:
        raise unknown("line of disks", line, lines)
    return {f"{line}{number}": size for number, size in lines[line].items()}


def disk_tier(provider: str, line: str, size_gb: float) -> str | None:
    """The smallest tier that holds so many GiB; None where disks have no tiers or none is that large."""
    return next((tier for tier, size in disk_tiers(provider, line).items() if size >= size_gb), None)
