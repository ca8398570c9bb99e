"""How the status of price lists looks in a terminal."""

import io

from prov_server.cli.console import console
from prov_server.cli.options import Choices
from prov_server.cli.session import Session
from prov_server.cli.views import Answer
from prov_server.cli.views.prices import show
from prov_tools.prices import PriceListRow, PricesStatusOutput, prices_status


def shown(*rows: PriceListRow) -> list[str]:
    session, out = Session(Choices(quiet=True)), io.StringIO()
    session.out = console(out, width=80)
    show(Answer(prices_status, PricesStatusOutput(lists=list(rows)), {}, {}, {}, session))
    return [" ".join(line.split()) for line in out.getvalue().splitlines()]


def test_each_list_is_one_line_of_eighty_columns():
    shipped = PriceListRow(
        provider="azure", origin="list", prices=12955, regions=20, currencies=["USD"], oldest="2024-07-01", newest="2026-11-23",
        age_days=875,
    )  # fmt: skip
    assert shown(shipped)[1] == "azure list 12,955 20 USD 2024-07-01 2026-11-23 875"


def test_what_is_not_known_is_a_dash_and_a_price_for_all_regions_says_so():
    ours = PriceListRow(provider="local", origin="negotiated", prices=2, regions=0, currencies=["EUR", "USD"])
    assert shown(ours)[1] == "local negotiated 2 any EUR, USD - - -"
