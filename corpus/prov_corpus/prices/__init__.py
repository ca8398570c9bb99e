"""Machine sizes (SKUs) and their prices, from dated tables.

Tables are parsed one provider at a time, when it is first asked about. Money is `Decimal`. What has no price answers
None and is never zero; what a table does not know (memory of some Azure sizes) is None as well.
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

__all__ = [
    "HOURS_PER_MONTH",
    "ComputePrice",
    "Sku",
    "cheapest_sku",
    "find_sku",
    "nearest_skus",
    "plan_size",
    "price",
    "priced_regions",
    "skus",
]
