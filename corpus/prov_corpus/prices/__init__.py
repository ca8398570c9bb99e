"""Machine sizes (SKUs), their prices and those of other services, from dated tables.

A table is opened on the first question and parsed block by block (a provider's region). Money is `Decimal`. What has no
price answers None and is never zero; what costs nothing is a row of free.toml with its reason. What a table does not know
(memory of some Azure sizes) is None as well.
"""

from prov_corpus.prices.choice import cheapest_sku, plan_size
from prov_corpus.prices.compute import (
    HOURS_PER_MONTH,
    ComputePrice,
    Sku,
    find_sku,
    nearest_skus,
    price,
    priced_regions,
    skus,
)
from prov_corpus.prices.discounts import share_of_server, sustained_use_discount
from prov_corpus.prices.disk_tiers import disk_tier, disk_tiers, tiered_lines
from prov_corpus.prices.services import ANY_REGION, ServicePrice, service_prices
from prov_corpus.prices.tiers import PriceTiers, price_tiers

__all__ = [
    "ANY_REGION",
    "HOURS_PER_MONTH",
    "ComputePrice",
    "PriceTiers",
    "ServicePrice",
    "Sku",
    "cheapest_sku",
    "disk_tier",
    "disk_tiers",
    "find_sku",
    "nearest_skus",
    "plan_size",
    "price",
    "price_tiers",
    "priced_regions",
    "service_prices",
    "share_of_server",
    "skus",
    "sustained_use_discount",
    "tiered_lines",
]
