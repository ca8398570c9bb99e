"""Service prices: every row of the source is accounted for, every price says where it is from, nothing is zero by accident."""

import csv
import hashlib
from decimal import Decimal
from typing import Any

import pytest

from prov_corpus import PROVIDERS, prices
from prov_corpus.catalogue import reference_region, regions
from prov_corpus.prices.facts import FOLDER, read_facts, read_facts_file
from prov_corpus.prices.services import PRECISIONS, SERVICES_COLUMNS, SERVICES_TABLE, ServicePrice, open_services, read_services
from stratumops.errors import InvalidInputError, NotFoundError

SOURCE = FOLDER / "services_source.csv"
REVIEW = read_facts("services_review")
PRICED = [provider for provider in PROVIDERS if provider != "local"]
GOOD = "aws,us-east-1,nat,gateway,hours,0.045,USD,listed,2026-01-01,list"


def listed() -> list[ServicePrice]:
    table = open_services(SERVICES_TABLE)
    return [row for named in table.blocks for row in read_services(table, *named)]


def source_rows() -> dict[str, dict[str, str]]:
    with SOURCE.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    return {" | ".join(row[name] for name in ("provider", "region", "resource", "component", "unit")): row for row in rows}


def decisions() -> list[tuple[str, str, list[list[str]], str]]:
    """Of each reviewed row: its name, what was done, where it stands now, and why."""
    found = [(one["row"], "used", [one["as"]], "the same") for one in REVIEW["used"]]
    for done in ("relabelled", "corrected", "free"):
        found += [(one["row"], done, one.get("as", []), one["why"]) for one in REVIEW[done]]
    return found + [(row, "left_out", [], group["why"]) for group in REVIEW["left_out"] for row in group["rows"]]


def shipped(row: dict[str, str], place: list[str]) -> Any:
    region, item = place[:2]
    service, _, name = item.partition("/")
    return prices.service_prices(row["provider"])[region, service, name]


def test_the_source_is_the_one_that_was_reviewed():
    assert hashlib.sha256(SOURCE.read_bytes()).hexdigest() == REVIEW["sha256"]
    assert len(source_rows()) == REVIEW["rows"]


def test_every_row_of_the_source_was_used_corrected_or_left_out_once_with_a_reason():
    reviewed = [row for row, *_ in decisions()]
    assert sorted(reviewed) == sorted(source_rows())
    assert all(why for *_, why in decisions())


def test_a_row_that_was_used_or_relabelled_stands_with_its_amount():
    rows = source_rows()
    for name, done, places, _ in decisions():
        if done in {"used", "relabelled"}:
            assert places, name
            for place in places:
                found = shipped(rows[name], place)
                assert found.unit_price == Decimal(rows[name]["unit_price"]) * Decimal(place[2]), name
                assert found.currency == rows[name]["currency"]
                assert found.precision != "approximate" or done == "relabelled"


def test_a_row_that_was_corrected_stands_with_another_amount():
    rows = source_rows()
    for name, done, places, _ in decisions():
        if done == "corrected":
            assert [shipped(rows[name], place).unit_price != Decimal(rows[name]["unit_price"]) for place in places] == [True]


def test_a_price_that_no_row_of_the_source_stands_behind_says_that_it_is_approximate():
    rows = source_rows()
    behind = {(rows[name]["provider"], *place[:2]) for name, _, places, _ in decisions() for place in places}
    for row in listed():
        if (row.provider, row.region, f"{row.service}/{row.item}") not in behind:
            assert row.precision == "approximate", row
            assert "." in row.source, row


def test_every_region_of_a_service_price_is_one_of_the_catalogue_or_any():
    for row in listed():
        known = regions(row.provider)
        assert row.region in {"", *known, *(region.price_region for region in known.values())}, row


def test_a_provider_is_priced_in_one_currency():
    for provider in PRICED:
        currencies = {row.currency for row in prices.service_prices(provider).values()}
        assert len(currencies) == 1
        assert currencies == {
            offer.currency
            for name in prices.skus(provider)
            if (offer := prices.price(provider, reference_region(provider), name))
        }


def test_an_item_has_one_unit_in_all_regions():
    units: dict[tuple[str, str, str], set[str]] = {}
    for row in listed():
        units.setdefault((row.provider, row.service, row.item), set()).add(row.unit)
    assert {key: found for key, found in units.items() if len(found) > 1} == {}


def test_a_standby_in_another_zone_doubles_the_price_of_a_database():
    found = prices.service_prices("aws")
    pairs = [(found[r, s, i], row) for (r, s, item), row in found.items() if (i := item.removesuffix(":multi_az")) != item]
    assert len(pairs) > 50
    for single, standby in pairs:
        assert abs(standby.unit_price / single.unit_price - 2) < Decimal("0.05"), standby


def test_only_what_is_free_costs_nothing_and_each_says_why():
    for provider in PROVIDERS:
        for row in prices.service_prices(provider).values():
            assert (row.unit_price == 0) == (row.precision == "free")
            assert row.source
    assert not prices.service_prices("local")


def test_what_is_free_has_no_price_in_the_table_too():
    in_the_table = {(row.provider, row.service, row.item) for row in listed()}
    for provider in PRICED:
        free = {(provider, row["service"], row["item"]) for row in read_facts("free")[provider]["rows"]}
        assert free
        assert not free & in_the_table


@pytest.mark.parametrize(
    ("damaged", "column"),
    [
        (GOOD.replace("aws", "oracle"), "provider"),
        (GOOD.replace("us-east-1", " us-east-1"), "region"),
        (GOOD.replace("nat,", ","), "service"),
        (GOOD.replace("hours", ""), "unit"),
        (GOOD.replace("0.045", "0"), "unit_price"),
        (GOOD.replace("0.045", "0,045"), None),
        (GOOD.replace("USD", "US$"), "currency"),
        (GOOD.replace("listed", "free"), "precision"),
        (GOOD.replace("listed", "guessed"), "precision"),
        (GOOD.replace("2026-01-01", "2026-13-01"), "as_of"),
    ],
)
def test_a_damaged_price_of_a_service_is_refused_with_file_line_and_column(tmp_path, damaged, column):
    path = tmp_path / "services.csv"
    path.write_text(f"{','.join(SERVICES_COLUMNS)}\n{GOOD}\n{damaged}\n".replace(f"{GOOD}\n{GOOD}", GOOD), encoding="utf-8")
    with pytest.raises(InvalidInputError) as caught:
        read_services(open_services(path), "aws")
    assert caught.value.details == {"file": "services.csv", "line": 3, "column": column}


def test_the_same_item_twice_in_a_region_is_refused_and_in_another_region_is_not(tmp_path):
    path = tmp_path / "services.csv"
    header = ",".join(SERVICES_COLUMNS)
    path.write_text(f"{header}\n{GOOD}\n{GOOD.replace('us-east-1', '')}\n", encoding="utf-8")
    assert [row.region for row in read_services(open_services(path), "aws")] == ["us-east-1", ""]
    path.write_text(f"{header}\n{GOOD}\n{GOOD.replace('0.045', '0.05')}\n", encoding="utf-8")
    with pytest.raises(InvalidInputError, match=r"line 3.*aws / us-east-1 / nat / gateway is there twice"):
        read_services(open_services(path), "aws")


def test_precisions_are_the_ones_that_a_price_may_have():
    assert {row.precision for row in listed()} == set(PRECISIONS)


@pytest.mark.parametrize(
    ("family", "discount"),
    [
        ("n1-standard", "0.3"),
        ("g1", "0.3"),
        ("m2", "0.3"),
        ("n2-highmem", "0.2"),
        ("n2d", "0.2"),
        ("c2", "0.2"),
        ("e2-standard", "0"),
        ("c3", "0"),
        ("c2d", "0"),
        ("t2d", "0"),
    ],
)
def test_a_whole_month_of_a_family_has_its_sustained_use_discount(family, discount):
    assert prices.sustained_use_discount("gcp", family) == Decimal(discount)
    assert prices.sustained_use_discount("aws", family) == 0


def test_every_family_with_a_discount_is_one_that_is_sold():
    discounted = read_facts("discounts")["gcp"]["sustained_use"]
    sold = {sku.family.partition("-")[0] for sku in prices.skus("gcp").values()}
    # The memory-optimised series are not in the price list.
    assert set(discounted) - sold == {"m1", "m2"}
    assert all(0 < share < 1 for share in discounted.values())


def test_backups_of_a_server_are_a_fifth_of_its_price_at_hetzner_and_have_their_own_elsewhere():
    assert prices.share_of_server("hetzner", "backups") == Decimal("0.2")
    assert prices.share_of_server("aws", "backups") is None


@pytest.mark.parametrize(
    ("line", "size", "tier"),
    [("P", 1, "P1"), ("P", 128, "P10"), ("P", 129, "P15"), ("S", 1, "S4"), ("E", 32767, "E80"), ("E", 32768, None)],
)
def test_a_disk_is_billed_as_the_smallest_tier_that_holds_it(line, size, tier):
    assert prices.disk_tier("azure", line, size) == tier


def test_every_tier_of_disks_has_a_price_that_grows_with_its_size():
    found = prices.service_prices("azure")
    for line in "PES":
        tiers = prices.disk_tiers("azure", line)
        amounts = [found["eastus", "block_storage", tier].unit_price for tier in tiers]
        assert amounts == sorted(amounts)
        assert list(tiers.values()) == sorted(tiers.values())


def test_disks_without_tiers_have_none_and_an_unknown_line_is_refused():
    assert prices.disk_tier("aws", "P", 10) is None
    with pytest.raises(InvalidInputError, match="line of disks"):
        prices.disk_tier("azure", "Q", 10)


def test_a_file_of_facts_that_is_missing_damaged_or_undated_is_refused(tmp_path):
    path = tmp_path / "free.toml"
    with pytest.raises(NotFoundError):
        read_facts_file(path)
    for content in ("as_of = ", 'source = "x"', 'as_of = "2026-11-23"\nsource = "x"', "as_of = 2026-11-23"):
        path.write_text(content, encoding="utf-8")
        with pytest.raises(InvalidInputError, match=r"free\.toml"):
            read_facts_file(path)


def test_every_file_of_facts_is_dated_and_names_its_source():
    for path in FOLDER.glob("*.toml"):
        assert read_facts(path.stem)["source"]
