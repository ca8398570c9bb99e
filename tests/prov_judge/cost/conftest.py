"""A price book, and configurations from JSON values."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from prov_gen.model.infrastructure import InfrastructureConfig
from prov_judge.cost.estimate import estimate
from prov_judge.cost.model import Estimate
from prov_judge.prices.book import PriceBook
from prov_judge.prices.row import PriceRow


@pytest.fixture(scope="session")
def book() -> PriceBook:
    """The shipped price lists."""
    return PriceBook.shipped()


@pytest.fixture(scope="session")
def priced(book: PriceBook) -> Callable[..., Estimate]:
    """The estimate of a configuration that is written as JSON values."""

    def price(rows: list[PriceRow] | None = None, **stated: Any) -> Estimate:
        return estimate(InfrastructureConfig.model_validate(stated), book=book.with_rows(rows) if rows else book)

    return price


@pytest.fixture(scope="session")
def row() -> Callable[..., PriceRow]:
    """A row of a price list, so that an example does not depend on what a list says today."""

    def make(provider: str, region: str, item: str, unit: str, amount: str, currency: str = "USD", **more: Any) -> PriceRow:
        service, _, name = item.partition("/")
        return PriceRow(
            provider=provider,
            region=region,
            service=service,
            item=name,
            unit=unit,
            amount=Decimal(amount),
            currency=currency,
            as_of=more.get("as_of"),
            source="an example",
            precision=more.get("precision", "listed"),
            origin=more.get("origin", "updated"),
            monthly_cap=more.get("monthly_cap"),
        )

    return make
