"""A damaged price table is refused with file, line and column; the shipped ones pass every guard."""

import csv
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prov_corpus import PROVIDERS
from prov_corpus.prices.compute import COMPUTE_COLUMNS, COMPUTE_TABLE, SPECS_COLUMNS, SPECS_TABLE, open_prices
from prov_corpus.prices.table import money, read_table
from stratumops.errors import InvalidInputError, NotFoundError

HEADER = ",".join(COMPUTE_COLUMNS)
GOOD = "aws,us-east-1,t3.micro,2,1.0,0.0104,,USD,2026-07-20,list"
SECOND = "aws,us-east-1,t3.small,2,2.0,0.0208,,USD,2026-07-20,list"


def table(folder: Path, *lines: str) -> Path:
    path = folder / "prices.csv"
    path.write_text("\n".join((HEADER, *lines)) + "\n", encoding="utf-8")
    return path


def read(path: Path) -> list[tuple[object, ...]]:
    return read_table(path, COMPUTE_COLUMNS, key=("provider", "region", "sku"), groups=PROVIDERS)


def test_a_good_row_is_read_with_exact_money_and_a_real_date(tmp_path):
    rows = read(table(tmp_path, GOOD))
    assert rows == [
        ("aws", "us-east-1", "t3.micro", 2, 1.0, Decimal("0.0104"), None, "USD", date(2026, 7, 20), "list"),
    ]


def test_blank_memory_and_vcpu_are_unknown_and_not_zero(tmp_path):
    (row,) = read(table(tmp_path, "azure,eastus,Standard_L16s_v3,,,1.2,,USD,2026-06-18,list"))
    assert row[3] is None
    assert row[4] is None


@pytest.mark.parametrize(
    ("damaged", "column"),
    [
        (GOOD.replace("aws,", "oracle,"), "provider"),
        (GOOD.replace("aws,", ","), "provider"),
        (GOOD.replace("us-east-1", ""), "region"),
        (GOOD.replace("t3.micro", " t3.micro"), "sku"),
        (GOOD.replace(",2,", ",two,"), "vcpu"),
        (GOOD.replace(",2,", ",0,"), "vcpu"),
        (GOOD.replace(",2,", ",2.5,"), "vcpu"),
        (GOOD.replace("1.0,", "0,"), "memory_gb"),
        (GOOD.replace("1.0,", "-1,"), "memory_gb"),
        (GOOD.replace("1.0,", "nan,"), "memory_gb"),
        (GOOD.replace("0.0104", ""), "hourly"),
        (GOOD.replace("0.0104", "0"), "hourly"),
        (GOOD.replace("0.0104", "-0.0104"), "hourly"),
        (GOOD.replace("0.0104", "1e3"), "hourly"),
        (GOOD.replace("0.0104", "NaN"), "hourly"),
        (GOOD.replace("0.0104", "٣"), "hourly"),
        (GOOD.replace("0.0104,,", "0.0104,0,"), "monthly_cap"),
        (GOOD.replace("USD", "usd"), "currency"),
        (GOOD.replace("USD", ""), "currency"),
        (GOOD.replace("USD", "XXX"), "currency"),
        (GOOD.replace("2026-07-20", "20.07.2026"), "as_of"),
        (GOOD.replace("2026-07-20", "20260720"), "as_of"),
        (GOOD.replace("2026-07-20", "2026-02-30"), "as_of"),
        (GOOD.replace(",list", ","), "source"),
    ],
)
def test_a_damaged_cell_is_refused_with_file_line_and_column(tmp_path, damaged, column):
    with pytest.raises(InvalidInputError) as caught:
        read(table(tmp_path, SECOND, damaged))
    assert caught.value.details == {"file": "prices.csv", "line": 3, "column": column}
    assert f"prices.csv, line 3, column {column}" in caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize(
    "damaged", [GOOD + ",more", GOOD.removesuffix(",list"), "aws,", 'aws,"us-east-1', 'aws,"a"b' + GOOD[3:], "aws"]
)
def test_a_line_with_the_wrong_number_of_cells_or_bad_quotes_is_refused_by_its_number(tmp_path, damaged):
    with pytest.raises(InvalidInputError) as caught:
        read(table(tmp_path, SECOND, damaged, GOOD))
    assert caught.value.details["line"] == 3


def test_a_quoted_cell_may_hold_a_comma(tmp_path):
    plain, quoted = read(table(tmp_path, GOOD, SECOND.replace(",list", ',"list, net"')))
    assert (plain[-1], quoted[-1]) == ("list", "list, net")
    assert quoted[:-1] == read(table(tmp_path, SECOND))[0][:-1]


def test_a_quoted_cell_is_read_in_a_block_too(tmp_path):
    opened = open_prices(table(tmp_path, GOOD, SECOND.replace(",list", ',"list, net"')))
    assert opened.block("aws", "us-east-1")["source"] == ["list", "list, net"]


@pytest.mark.parametrize(("damaged", "cells"), [(GOOD + ",more", 11), (GOOD.removesuffix(",list"), 9), (GOOD + ',"mo,re"', 11)])
def test_a_line_of_a_block_with_too_many_or_few_cells_is_refused_with_their_number(tmp_path, damaged, cells):
    with pytest.raises(InvalidInputError, match=rf"line 3: has {cells} cells, expected 10"):
        open_prices(table(tmp_path, SECOND, damaged)).block("aws", "us-east-1")


def test_two_wrong_lines_that_make_up_for_each_other_are_refused(tmp_path):
    with pytest.raises(InvalidInputError, match="line 2"):
        open_prices(table(tmp_path, GOOD + ",more", SECOND.removesuffix(",list"))).block("aws", "us-east-1")


def test_a_blank_line_is_refused(tmp_path):
    with pytest.raises(InvalidInputError, match=r"line 3"):
        read(table(tmp_path, GOOD, "", SECOND))


def test_the_line_is_right_when_only_one_provider_is_read(tmp_path):
    path = table(tmp_path, "gcp,us-central1,e2-micro,2,1,0.008,,USD,2026-08-03,list", GOOD, SECOND.replace("USD", "US"))
    opened = open_prices(path)
    with pytest.raises(InvalidInputError) as caught:
        opened.block("aws", "us-east-1")
    assert caught.value.details["line"] == 4
    assert opened.block("gcp", "us-central1").index == {"e2-micro": 0}


def test_rows_of_a_region_may_stand_apart_and_keep_their_lines(tmp_path):
    elsewhere = GOOD.replace("us-east-1", "eu-west-1")
    opened = open_prices(table(tmp_path, GOOD, elsewhere, SECOND))
    assert list(opened.block("aws", "us-east-1").index) == ["t3.micro", "t3.small"]
    assert opened.blocks == (("aws", "us-east-1"), ("aws", "eu-west-1"))
    with pytest.raises(InvalidInputError) as caught:
        open_prices(table(tmp_path, GOOD, elsewhere, SECOND.replace("0.0208", "free"))).block("aws", "us-east-1")
    assert caught.value.details == {"file": "prices.csv", "line": 4, "column": "hourly"}


def test_a_region_that_the_table_does_not_have_has_no_rows(tmp_path):
    assert not open_prices(table(tmp_path, GOOD)).block("aws", "moon-1").index


@pytest.mark.parametrize("region", [" us-east-1", '"us-east-1"', ""])
def test_a_damaged_region_is_refused_when_the_table_is_opened(tmp_path, region):
    with pytest.raises(InvalidInputError) as caught:
        open_prices(table(tmp_path, SECOND, GOOD.replace("us-east-1", region)))
    assert caught.value.details == {"file": "prices.csv", "line": 3, "column": "region"}


def test_lines_may_end_as_windows_ends_them(tmp_path):
    path = table(tmp_path, GOOD, SECOND)
    plain = read(path)
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert read(path) == plain


def test_an_unknown_provider_is_refused_even_when_another_one_is_read(tmp_path):
    with pytest.raises(InvalidInputError, match=r"line 3, column provider"):
        open_prices(table(tmp_path, GOOD, "azur" + GOOD[3:]))


def test_the_same_sku_twice_in_a_region_is_refused(tmp_path):
    with pytest.raises(InvalidInputError, match=r"line 4.*aws / us-east-1 / t3.micro is there twice"):
        read(table(tmp_path, GOOD, SECOND, GOOD.replace("0.0104", "0.0105")))


@pytest.mark.parametrize("header", ["", HEADER.replace("hourly", "price"), HEADER + ",extra", "\ufeff" + HEADER])
def test_other_columns_are_refused(tmp_path, header):
    path = tmp_path / "prices.csv"
    path.write_text(f"{header}\n{GOOD}\n", encoding="utf-8")
    with pytest.raises(InvalidInputError, match=r"line 1: the columns must be provider,region"):
        read(path)


def test_bytes_that_are_no_text_are_refused_with_their_line(tmp_path):
    path = tmp_path / "prices.csv"
    path.write_bytes(f"{HEADER}\n{GOOD}\n".encode() + b"aws,\xff\n")
    with pytest.raises(InvalidInputError, match=r"line 3: is not UTF-8"):
        read(path)


def test_a_missing_table_is_not_found(tmp_path):
    with pytest.raises(NotFoundError):
        read(tmp_path / "prices.csv")


def test_a_table_without_rows_is_empty(tmp_path):
    assert read(table(tmp_path)) == []


@given(st.decimals(min_value="0.000000001", max_value="100000", allow_nan=False, allow_infinity=False, places=9))
def test_money_is_read_back_exactly(amount):
    assert money(f"{amount:f}") == amount


def test_every_row_of_the_shipped_tables_passes_the_guards():
    prices = read(COMPUTE_TABLE)
    opened = open_prices(COMPUTE_TABLE)
    assert len(prices) == sum(len(opened.block(*named).index) for named in opened.blocks)
    assert len(prices) > 18_000
    assert {row[0] for row in prices} == set(PROVIDERS) - {"local"}
    assert read_table(SPECS_TABLE, SPECS_COLUMNS, key=("provider", "sku"), groups=PROVIDERS)


def test_the_shipped_prices_are_what_the_csv_reader_sees():
    opened = open_prices(COMPUTE_TABLE)
    with COMPUTE_TABLE.open(encoding="utf-8", newline="") as stream:
        for number, row in enumerate(csv.DictReader(stream), 2):
            block = opened.block(row["provider"], row["region"])
            at = block.index[row["sku"]]
            assert (block["hourly"][at], block["currency"][at]) == (Decimal(row["hourly"]), row["currency"]), number
            assert block["monthly_cap"][at] == (Decimal(row["monthly_cap"]) if row["monthly_cap"] else None), number


def test_prices_of_one_region_are_in_one_currency():
    currencies: dict[tuple[object, object], set[object]] = {}
    for row in read(COMPUTE_TABLE):
        currencies.setdefault((row[0], row[1]), set()).add(row[7])
    assert all(len(found) == 1 for found in currencies.values())
