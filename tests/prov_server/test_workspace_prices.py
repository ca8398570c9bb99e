"""The price book of a workspace: read once, and again when its files change."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from prov_judge.prices.row import PriceRow
from prov_judge.prices.store import changing, negotiated_path, updated_path, write_rows
from prov_server.prices import Prices
from stratumops.errors import InvalidInputError
from stratumops.workspace import Workspace


def row(amount: str) -> PriceRow:
    return PriceRow(
        provider="aws",
        region="us-east-1",
        service="compute",
        item="m5.large",
        unit="hours",
        amount=Decimal(amount),
        currency="USD",
        as_of=date(2026, 11, 1),
        source="contract 7",
        origin="negotiated",
    )


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    found = Workspace.at(tmp_path)
    with changing(found):
        pass
    return found


def amount_in(prices: Prices) -> Decimal:
    found = prices().machine("aws", "us-east-1", "m5.large")
    assert found is not None
    return found.amount


def test_the_book_is_read_once_while_nothing_changes(workspace: Workspace):
    prices = Prices(workspace)
    write_rows(negotiated_path(workspace), [row("0.05")])
    assert prices() is prices()


def test_the_book_is_read_again_when_a_file_is_replaced_or_removed(workspace: Workspace):
    prices = Prices(workspace)
    listed = amount_in(prices)
    write_rows(negotiated_path(workspace), [row("0.05")])
    assert amount_in(prices) == Decimal("0.05")
    # As long as the file before it, and perhaps of the same moment.
    write_rows(negotiated_path(workspace), [row("0.06")])
    assert amount_in(prices) == Decimal("0.06")
    negotiated_path(workspace).unlink()
    assert amount_in(prices) == listed


def test_a_link_that_leads_nowhere_and_other_files_are_no_price_files(workspace: Workspace):
    prices = Prices(workspace)
    listed = amount_in(prices)
    updated_path(workspace, "aws").symlink_to("nowhere.csv")
    (updated_path(workspace, "aws").parent / "another.csv").symlink_to("nowhere.csv")
    (updated_path(workspace, "aws").parent / "notes.csv").write_text("words")
    assert amount_in(prices) == listed


def test_a_damaged_file_is_an_error_each_time_until_it_is_mended(workspace: Workspace):
    prices = Prices(workspace)
    negotiated_path(workspace).write_text("damaged")
    for _ in range(2):
        with pytest.raises(InvalidInputError, match="damaged"):
            prices()
    write_rows(negotiated_path(workspace), [row("0.05")])
    assert amount_in(prices) == Decimal("0.05")
