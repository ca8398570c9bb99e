"""Which price holds: the shipped list, a refreshed list, or a negotiated price, in one book.

Others use `PriceBook` (what something costs), `Price` (its answer) and `PriceRow` (what a list says).
"""

from prov_judge.prices.book import PriceBook
from prov_judge.prices.price import Price
from prov_judge.prices.row import PriceRow

__all__ = ["Price", "PriceBook", "PriceRow"]
