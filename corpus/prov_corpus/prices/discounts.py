"""Discounts and surcharges that are a share of another price (discounts.toml)."""

from decimal import Decimal

from prov_corpus.catalogue.source import checked_provider
from prov_corpus.prices.facts import read_facts

_NONE = Decimal(0)


def sustained_use_discount(provider: str, family: str) -> Decimal:
    """The fraction taken off the list price of a machine of a family that runs for a whole month; 0 where there is none.

    `family` is that of a `Sku` ("n2-standard"); its series, up to the first hyphen, decides. Raises InvalidInputError for an
    unknown provider.
    """
    table = read_facts("discounts").get(checked_provider(provider), {}).get("sustained_use", {})
    discount: Decimal = table.get(family.partition("-")[0], _NONE)
    return discount


def share_of_server(provider: str, what: str) -> Decimal | None:
    """The part of a server's price that something costs ("backups" at Hetzner); None where it has a price of its own."""
    share: Decimal | None = read_facts("discounts").get(checked_provider(provider), {}).get("share_of_server", {}).get(what)
    return share
