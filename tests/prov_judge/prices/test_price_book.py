"""The price book: which price holds where, and what says that it is another region's."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prov_corpus import PROVIDERS, prices
from prov_corpus.catalogue import SIZES, regions
from prov_corpus.catalogue.managed_sizes import ManagedKind, managed_sku
from prov_judge.prices import PriceBook, PriceRow
from prov_judge.prices.price import Origin
from stratumops.errors import InvalidInputError

BOOK = PriceBook.shipped()
M5 = ("aws", "compute", "m5.4xlarge")


def row(
    amount: str, region: str, origin: Origin = "negotiated", *, currency: str = "USD", item: tuple[str, str, str] = M5
) -> PriceRow:
    provider, service, name = item
    return PriceRow(provider, region, service, name, "hours", Decimal(amount), currency, None, "contract", origin=origin)


def amount(provider: str, region: str, service: str, item: str) -> Decimal:
    found = BOOK.service(provider, region, service, item)
    assert found is not None, (provider, service, item)
    return found.amount


def test_the_published_worked_example_comes_to_the_cent():
    machine = BOOK.machine("aws", "us-east-1", "m5.4xlarge")
    assert machine is not None
    assert (machine.amount, machine.unit, machine.currency, machine.is_fallback) == (Decimal("0.768"), "hours", "USD", False)
    compute = machine.amount * 730  # 560.64
    root = amount("aws", "us-east-1", "block_storage", "gp2") * 50  # 5.00
    data = amount("aws", "us-east-1", "block_storage", "io1") * 1000  # 125.00
    iops = amount("aws", "us-east-1", "block_storage_iops", "io1") * 800  # 52.00
    assert [compute, root, data, iops] == [Decimal("560.64"), 5, 125, 52]
    assert compute + root + data + iops == Decimal("742.64")


@pytest.mark.parametrize(
    ("place", "price", "unit"),
    [
        (("aws", "us-east-1", "database", "db.t3.medium"), "0.072", "hours"),
        (("aws", "us-east-1", "database", "db.m6g.large:multi_az"), "0.318", "hours"),
        (("aws", "us-east-1", "database", "db.m5.large:mysql"), "0.171", "hours"),
        (("aws", "us-east-1", "database_storage", "gp2"), "0.115", "GB"),
        (("aws", "us-east-1", "database_storage", "gp2:multi_az"), "0.23", "GB"),
        (("aws", "us-east-1", "block_storage_iops", "gp3"), "0.005", "IOPS"),
        (("aws", "us-east-1", "block_storage_throughput", "gp3"), "0.04", "MBps"),
        (("aws", "us-east-1", "load_balancer", "application"), "0.0225", "hours"),
        (("aws", "us-east-1", "load_balancer_capacity", "network"), "4.38", "LCU"),
        (("aws", "us-east-1", "nat", "gateway"), "0.045", "hours"),
        (("aws", "us-east-1", "kubernetes", "extended_support"), "0.6", "hours"),
        (("aws", "us-east-1", "transfer", "internet"), "0.09", "GB"),
        (("aws", "us-east-1", "public_ip", "ipv4"), "0.005", "hours"),
        (("azure", "eastus", "block_storage", "P10"), "19.71", "months"),
        (("azure", "eastus", "cache", "Standard_C3"), "328.5", "months"),
        (("gcp", "us-central1", "database_vcpu", "zonal"), "0.0413", "hours"),
        (("gcp", "us-central1", "cache", "basic-4gb"), "143.08", "months"),
        (("hetzner", "fsn1", "block_storage", "ssd"), "0.05723", "GB"),
        (("upcloud", "fi-hel1", "object_storage", "standard"), "0.02", "GB"),
    ],
)
def test_common_services_have_the_price_of_the_public_list(place, price, unit):
    found = BOOK.service(*place)
    assert found is not None
    assert (found.amount, found.unit) == (Decimal(price), unit)
    assert found.as_of is not None
    assert found.source


def test_a_machine_of_a_region_with_one_list_for_several_has_its_cap_and_is_no_fallback():
    found = BOOK.machine("hetzner", "nbg1", "cx23")
    assert found is not None
    assert (found.region, found.is_fallback, found.monthly_cap) == ("eu", False, Decimal("5.99"))


def test_a_region_without_prices_gets_the_reference_region_s_and_says_so():
    found = BOOK.machine("aws", "eu-south-2", "m5.4xlarge")
    assert found is not None
    assert (found.region, found.is_fallback) == ("us-east-1", True)
    ashburn = BOOK.machine("hetzner", "ash", "cx23")
    assert ashburn is not None
    assert (ashburn.region, ashburn.is_fallback) == ("eu", True)


def test_what_the_reference_region_does_not_sell_comes_from_another_region_of_the_list():
    found = BOOK.service("azure", "eastus", "database", "GP_Standard_D2ads_v5")
    assert found is not None
    assert (found.region, found.is_fallback) == ("westus", True)


def test_a_price_that_holds_everywhere_is_no_fallback_anywhere():
    for region in regions("aws"):
        found = BOOK.service("aws", region, "dns", "zone")
        assert found is not None
        assert (found.amount, found.is_fallback, found.region) == (Decimal("0.5"), False, region)


def test_what_no_list_holds_has_no_price():
    assert BOOK.machine("aws", "us-east-1", "m5.5xlarge") is None
    assert BOOK.machine("aws", "us-east-1", "") is None
    assert BOOK.service("hetzner", "fsn1", "nat", "gateway") is None
    assert BOOK.service("aws", "us-east-1", "coffee", "cup") is None


def test_what_is_free_is_zero_and_says_why():
    found = BOOK.service("azure", "westeurope", "kubernetes", "control_plane")
    assert found is not None
    assert (found.amount, found.precision, found.is_fallback) == (0, "free", False)
    assert "free tier" in found.source


def test_own_hardware_has_no_price_until_its_owner_says_one():
    for item in ("vcpu", "memory_gb", "small"):
        assert BOOK.machine("local", "local", item) is None
    assert BOOK.service("local", "local", "block_storage", "ssd") is None
    own = BOOK.with_rows([row("0.004", "", currency="EUR", item=("local", "compute", "vcpu"))])
    found = own.machine("local", "local", "vcpu")
    assert found is not None
    assert (found.amount, found.currency, found.origin, found.is_fallback) == (Decimal("0.004"), "EUR", "negotiated", False)
    assert own.machine("local", "local", "memory_gb") is None


def test_negotiated_wins_over_updated_and_updated_over_the_list():
    updated = BOOK.with_rows([row("0.70", "us-east-1", "updated")])
    both = updated.with_rows([row("0.60", "us-east-1")])
    other_order = BOOK.with_rows([row("0.60", "us-east-1"), row("0.70", "us-east-1", "updated")])
    answers = [book.machine("aws", "us-east-1", "m5.4xlarge") for book in (BOOK, updated, both, other_order)]
    assert [(found.amount, found.origin) for found in answers if found] == [
        (Decimal("0.768"), "list"),
        (Decimal("0.70"), "updated"),
        (Decimal("0.60"), "negotiated"),
        (Decimal("0.60"), "negotiated"),
    ]


def test_a_negotiated_price_for_every_region_wins_over_the_list_of_a_region():
    found = BOOK.with_rows([row("0.5", "")]).machine("aws", "us-east-1", "m5.4xlarge")
    assert found is not None
    assert (found.amount, found.region, found.is_fallback) == (Decimal("0.5"), "us-east-1", False)


def test_a_negotiated_price_of_the_shared_region_holds_in_each_of_its_locations():
    book = BOOK.with_rows([row("0.005", "eu", currency="EUR", item=("hetzner", "compute", "cx23"))])
    found = book.machine("hetzner", "fsn1", "cx23")
    assert found is not None
    assert (found.amount, found.origin, found.is_fallback) == (Decimal("0.005"), "negotiated", False)


def test_a_negotiated_price_of_one_region_does_not_hide_the_list_of_another():
    book = BOOK.with_rows([row("0.5", "eu-central-1")])
    found = book.machine("aws", "us-east-1", "m5.4xlarge")
    assert found is not None
    assert (found.amount, found.origin) == (Decimal("0.768"), "list")


def test_another_region_s_price_in_another_currency_is_no_stand_in():
    item = ("aws", "compute", "x9.large")
    assert BOOK.with_rows([row("1", "eu-west-1", currency="EUR", item=item)]).machine("aws", "eu-north-1", "x9.large") is None
    found = BOOK.with_rows([row("1", "eu-west-1", item=item)]).machine("aws", "eu-north-1", "x9.large")
    assert found is not None
    assert (found.region, found.is_fallback) == ("eu-west-1", True)


def test_a_book_with_rows_leaves_the_one_it_was_made_of_as_it_was():
    before = BOOK.machine("aws", "us-east-1", "m5.4xlarge")
    BOOK.with_rows([row("0.1", "us-east-1")])
    assert BOOK.machine("aws", "us-east-1", "m5.4xlarge") == before
    assert PriceBook.shipped() is BOOK


@pytest.mark.parametrize(
    ("bad", "word"),
    [
        (row("0", "us-east-1"), "not a price"),
        (row("-1", "us-east-1"), "not a price"),
        (row("1", "us-east-1", "list"), "shipped"),
        (PriceRow("aws", "", "compute", "m5.large", "months", Decimal(1), "USD", None, ""), "shipped"),
        (PriceRow("aws", "", "compute", "m5.large", "months", Decimal(1), "USD", None, "", origin="updated"), "machines"),
        (PriceRow("oracle", "", "compute", "m5.large", "hours", Decimal(1), "USD", None, "", origin="updated"), "provider"),
    ],
)
def test_a_row_that_is_no_price_is_refused(bad, word):
    with pytest.raises(InvalidInputError, match=word) as caught:
        BOOK.with_rows([bad])
    assert caught.value.hint


def test_an_unknown_provider_is_refused_with_the_known_ones():
    for ask in (
        lambda: BOOK.machine("oracle", "x", "y"),
        lambda: BOOK.service("oracle", "x", "y", "z"),
        lambda: BOOK.items("oracle", "compute"),
        lambda: BOOK.regions("oracle"),
    ):
        with pytest.raises(InvalidInputError) as caught:
            ask()
        assert caught.value.details["known"] == list(PROVIDERS)


def test_items_services_and_regions_name_what_the_lists_and_the_overlay_hold():
    book = BOOK.with_rows([row("1", "moon-1", item=("aws", "compute", "x9.large")), row("1", "", item=("aws", "nat", "tiny"))])
    assert {"m5.4xlarge", "x9.large"} <= set(book.items("aws", "compute"))
    assert book.items("aws", "nat") == ["gateway", "tiny"]
    assert "moon-1" in book.regions("aws")
    assert "" not in book.regions("aws")
    assert book.items("aws", "coffee") == []
    assert BOOK.regions("local") == []


KINDS: tuple[ManagedKind, ...] = ("database", "cache", "load_balancer")
SERVICE = {"database": "database", "cache": "cache", "load_balancer": "load_balancer"}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("provider", PROVIDERS)
def test_every_managed_size_has_a_price_and_a_larger_one_is_not_cheaper(provider, kind):
    names = [managed_sku(provider, kind, size) for size in SIZES]
    if None in names:
        assert set(names) == {None}
        return
    region = regions(provider)[next(iter(regions(provider)))].id
    found = [BOOK.service(provider, region, SERVICE[kind], name) for name in names if name]
    assert all(found)
    monthly = [price.amount * (730 if price.unit == "hours" else 1) for price in found if price]
    assert monthly == sorted(monthly)


def test_what_is_not_sold_by_size_is_none_and_an_unknown_size_is_refused():
    assert managed_sku("aws", "load_balancer", "small") is None
    assert managed_sku("local", "database", "small") is None
    with pytest.raises(InvalidInputError, match="size"):
        managed_sku("aws", "database", "huge")


PLACES = [("aws", "us-east-1"), ("aws", "eu-west-1"), ("hetzner", "fsn1"), ("local", "local")]
OVERLAY = st.lists(
    st.builds(
        lambda place, cents, origin, item, any_region: PriceRow(
            place[0],
            "" if any_region else place[1],
            "compute",
            item,
            "hours",
            Decimal(cents) / 100,
            "USD",
            date(2026, 11, 23),
            "x",
            origin=origin,
        ),
        st.sampled_from(PLACES),
        st.integers(1, 500),
        st.sampled_from(["negotiated", "updated"]),
        st.sampled_from(["m5.large", "cx23", "vcpu"]),
        st.booleans(),
    ),
    max_size=12,
)


@given(OVERLAY, st.sampled_from(PLACES), st.sampled_from(["m5.large", "cx23", "vcpu"]))
def test_the_strongest_last_row_of_a_region_is_the_answer(rows, place, item):
    found = BOOK.with_rows(rows).machine(place[0], place[1], item)
    for origin in ("negotiated", "updated"):
        for region in (place[1], ""):
            told = [one for one in rows if (one.provider, one.region, one.item, one.origin) == (place[0], region, item, origin)]
            if told:
                assert found is not None
                assert (found.amount, found.origin, found.is_fallback) == (told[-1].amount, origin, False)
                return
    listed = prices.price(place[0], place[1], item) if place[0] != "local" else None
    if listed:
        assert found is not None
        assert (found.amount, found.origin, found.is_fallback) == (listed.hourly, "list", False)
    elif found is not None:
        assert found.is_fallback
