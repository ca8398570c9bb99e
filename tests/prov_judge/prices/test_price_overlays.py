"""Prices of a workspace's own: read whole or refused whole, and what they do to the book."""

import threading
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prov_corpus.catalogue.regions import regions
from prov_corpus.prices.compute import skus
from prov_corpus.prices.table import CURRENCIES
from prov_gen.model.infrastructure import InfrastructureConfig
from prov_judge.cost.estimate import estimate
from prov_judge.prices.age import is_old
from prov_judge.prices.book import PriceBook
from prov_judge.prices.overlay import COLUMNS, MOST_LIKELY, UNITS, as_text, read_overlay, unknown_items
from prov_judge.prices.row import PriceRow
from prov_judge.prices.status import status
from prov_judge.prices.store import changing, folder, load_book, negotiated_path, updated_path, write_rows
from prov_judge.prices.update.found import Found
from stratumops.errors import InvalidInputError, NotFoundError, PermissionDeniedError
from stratumops.workspace import Workspace

HEADER = ",".join(COLUMNS)
DISKS = "aws,us-east-1,block_storage,gp3,GB,0.07,USD,2026-11-01,ours"
GOOD = "aws,us-east-1,compute,m5.large,hours,0.05,USD,2026-11-01,contract 7"


@pytest.fixture
def write(tmp_path: Path):
    def make(*lines: str, header: str = HEADER) -> Path:
        path = tmp_path / "ours.csv"
        path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
        return path

    return make


def test_a_price_is_read_exactly_with_its_origin(write):
    (row,) = read_overlay(write(GOOD), "negotiated")
    assert (row.provider, row.region, row.service, row.item, row.unit) == ("aws", "us-east-1", "compute", "m5.large", "hours")
    assert (row.amount, row.currency, row.as_of, row.source) == (Decimal("0.05"), "USD", date(2026, 11, 1), "contract 7")
    assert row.origin == "negotiated"


def test_region_date_and_source_may_be_blank(write):
    (row,) = read_overlay(write("aws,,compute,m5.large,hours,0.05,USD,,"), "negotiated")
    assert (row.region, row.as_of, row.source) == ("", None, "")


def test_a_machine_size_in_another_case_is_the_providers_own(write):
    (row,) = read_overlay(write("azure,westeurope,compute,standard_d2S_v5,hours,0.05,USD,,"), "negotiated")
    assert row.item == "Standard_D2s_v5"


@pytest.mark.parametrize(
    ("line", "column", "hint"),
    [
        ("asw,us-east-1,compute,m5.large,hours,0.05,USD,,", "provider", "aws"),
        ("aws,us-eats-1,compute,m5.large,hours,0.05,USD,,", "region", "us-east-1"),
        ("aws,us-east-1,compte,m5.large,hours,0.05,USD,,", "service", "compute"),
        ("aws,us-east-1,compute,m5.xlarge,GB,0.05,USD,,", "unit", "hours"),
        ("aws,us-east-1,compute,,hours,0.05,USD,,", "item", "correct that cell"),
        ("aws,us-east-1,compute,m5.large,hours,0,USD,,", "unit_price", "correct that cell"),
        ("aws,us-east-1,compute,m5.large,hours,-1,USD,,", "unit_price", "correct that cell"),
        ("aws,us-east-1,compute,m5.large,hours,1e3,USD,,", "unit_price", "correct that cell"),
        ("aws,us-east-1,compute,m5.large,hours,0.05,ECU,,", "currency", "correct that cell"),
        ("aws,us-east-1,compute,m5.large,hours,0.05,USD,yesterday,", "as_of", "correct that cell"),
        ("local,,compute,m5.large,hours,0.05,USD,,", "item", "vcpu"),
        ("aws,us-east-1,compute,m5.large,hours,0.05,USD", None, "correct that cell"),
    ],
)
def test_a_wrong_cell_is_named_with_file_line_and_column(write, line: str, column: str | None, hint: str):
    with pytest.raises(InvalidInputError) as caught:
        read_overlay(write(GOOD, line), "negotiated")
    assert caught.value.message.startswith("ours.csv, line 3")
    assert caught.value.details["line"] == 3
    assert caught.value.details.get("column") == column
    assert hint in caught.value.hint


def test_the_same_item_twice_is_refused(write):
    with pytest.raises(InvalidInputError, match=r"line 3.*twice"):
        read_overlay(write(GOOD, GOOD.replace("0.05", "0.06")), "negotiated")


@pytest.mark.parametrize("header", ["provider,price", HEADER.replace(",", ";"), "", HEADER.upper()])
def test_wrong_columns_are_refused_with_the_right_ones(write, header: str):
    with pytest.raises(InvalidInputError) as caught:
        read_overlay(write(GOOD, header=header), "negotiated")
    assert HEADER in caught.value.hint


def test_a_byte_order_mark_is_called_by_its_name(write):
    path = write(GOOD)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    with pytest.raises(InvalidInputError, match="byte-order mark"):
        read_overlay(path, "negotiated")


def test_line_ends_of_other_systems_are_read(write):
    path = write(GOOD)
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert len(read_overlay(path, "negotiated")) == 1


def test_what_is_no_file_is_an_error(tmp_path: Path):
    with pytest.raises(NotFoundError):
        read_overlay(tmp_path / "nothing.csv", "negotiated")
    with pytest.raises(InvalidInputError, match="not a file"):
        read_overlay(tmp_path, "negotiated")


def test_an_unknown_machine_size_is_kept_and_told_with_the_nearest(write):
    rows = read_overlay(write(GOOD, "aws,us-east-1,compute,m5.lrage,hours,0.05,USD,,"), "negotiated")
    assert len(rows) == 2
    (said,) = unknown_items(rows, PriceBook.shipped())
    assert "'m5.lrage'" in said
    assert "m5.large" in said


def prices():
    def of(provider: str):
        items = st.sampled_from(["standard", "gp3", "m5.large", "a,b", 'with "quotes"', "ünïcode"])
        services = st.sampled_from(
            [(service, unit) for service, units in UNITS.items() for unit in units if service != "compute"]
        )
        amounts = st.decimals(min_value="0.000001", max_value=10**6, places=6, allow_nan=False)
        return st.builds(
            lambda service, **words: PriceRow(
                provider=provider, service=service[0], unit=service[1], origin="negotiated", **words
            ),
            service=services,
            region=st.sampled_from(["", *regions(provider)]),
            item=items,
            amount=amounts,
            currency=st.sampled_from(sorted(CURRENCIES)),
            as_of=st.none() | st.dates(),
            source=st.sampled_from(["", "contract 7", "a, b"]),
        )

    return st.one_of([of(provider) for provider in ("aws", "azure", "gcp", "hetzner", "upcloud", "local")])


@given(st.lists(prices(), max_size=12, unique_by=lambda row: (row.provider, row.region, row.service, row.item)))
def test_what_is_written_is_read_again_as_it_was(tmp_path_factory, rows: list[PriceRow]):
    path = tmp_path_factory.mktemp("prices") / "own.csv"
    path.write_text(as_text(rows), encoding="utf-8")

    def order(row: PriceRow) -> tuple[str, ...]:
        return row.provider, row.region, row.service, row.item

    assert sorted(read_overlay(path, "negotiated"), key=order) == sorted(rows, key=order)


@pytest.mark.parametrize("amount", ["9" * 32, "10000000000", "0.0000000000001", "1." + "0" * 40])
def test_an_amount_that_no_price_has_is_refused(write, amount: str):
    with pytest.raises(InvalidInputError, match="line 2, column unit_price"):
        read_overlay(write(GOOD.replace("0.05", amount)), "negotiated")


def test_of_many_unknown_names_the_first_are_told_with_the_nearest(write):
    lines = [f"aws,us-east-1,compute,m5.lrage{number},hours,0.05,USD,," for number in range(40)]
    lines += [f"aws,,nat,gatewya{number},hours,0.05,USD,," for number in range(40)]
    said = unknown_items(read_overlay(write(*lines), "negotiated"), PriceBook.shipped())
    assert len(said) == 80
    assert sum("known are" in one for one in said) == MOST_LIKELY
    assert "'gatewya39' is not a known item of nat of aws" in said


items = st.text(max_size=12) | st.sampled_from(["m5.large ", "a,b", 'with "quotes"', "\u2028", "x\ny"])


@given(st.lists(items, max_size=6, unique=True), st.decimals("1e-15", "1e12"))
def test_what_an_update_finds_is_kept_as_it_can_be_read_again(tmp_path_factory, names: list[str], amount: Decimal):
    folder = tmp_path_factory.mktemp("found")
    found = Found(path=folder / "partial.json", base_url="", regions=("us-east-1",), started=date(2026, 11, 23))
    for name in names:
        found.add(("us-east-1", "nat", name), "hours", amount)
    rows = [
        PriceRow("aws", region, service, item, unit, price, "USD", found.started, "", origin="updated")
        for (region, service, item), (unit, price) in found.prices.items()
    ]
    path = folder / "updated.csv"
    path.write_text(as_text(rows), encoding="utf-8", newline="")
    assert {row.item: row.amount for row in read_overlay(path, "updated")} == {row.item: row.amount for row in rows}
    assert {key[2] for key in found.unclear} == set(names) - {row.item for row in rows}


def test_of_two_changes_of_the_prices_at_once_the_second_waits(workspace: Workspace):
    order: list[str] = []
    begun = threading.Event()

    def second() -> None:
        begun.set()
        with changing(workspace):
            order.append("second")

    other = threading.Thread(target=second)
    with changing(workspace):
        other.start()
        begun.wait()
        order.append("first")
    other.join()
    assert order == ["first", "second"]


def test_a_file_that_cannot_be_read_says_how_to_be_rid_of_it(workspace: Workspace):
    folder(workspace, make=True)
    negotiated_path(workspace).mkdir()
    with pytest.raises(InvalidInputError) as caught:
        load_book(workspace)
    assert "prov prices forget --negotiated" in caught.value.hint


def test_negotiated_prices_win_over_updated_ones_and_those_over_the_list(workspace: Workspace, write):
    folder(workspace, make=True)
    shipped = load_book(workspace).machine("aws", "us-east-1", "m5.large")
    assert shipped is not None
    assert shipped.origin == "list"
    write_rows(updated_path(workspace, "aws"), read_overlay(write(GOOD.replace("0.05", "0.09")), "updated"))
    updated = load_book(workspace).machine("aws", "us-east-1", "m5.large")
    assert updated is not None
    assert (updated.origin, updated.amount) == ("updated", Decimal("0.09"))
    write_rows(negotiated_path(workspace), read_overlay(write(GOOD), "negotiated"))
    negotiated = load_book(workspace).machine("aws", "us-east-1", "m5.large")
    assert negotiated is not None
    assert (negotiated.origin, negotiated.amount) == ("negotiated", Decimal("0.05"))
    assert PriceBook.shipped().machine("aws", "us-east-1", "m5.large") == shipped


def test_a_damaged_file_of_the_workspace_is_named_with_the_way_to_be_rid_of_it(workspace: Workspace):
    folder(workspace, make=True)
    negotiated_path(workspace).write_text("damaged")
    with pytest.raises(InvalidInputError, match=r"negotiated\.csv") as caught:
        load_book(workspace)
    assert "prov prices forget --negotiated" in caught.value.hint
    negotiated_path(workspace).unlink()
    updated_path(workspace, "azure").write_text("damaged")
    with pytest.raises(InvalidInputError) as caught:
        load_book(workspace)
    assert "prov prices forget --updated azure" in caught.value.hint


def test_a_file_that_cannot_be_written_leaves_the_old_one(workspace: Workspace, write, monkeypatch: pytest.MonkeyPatch):
    folder(workspace, make=True)
    path = negotiated_path(workspace)
    rows = read_overlay(write(GOOD), "negotiated")
    write_rows(path, rows)
    before = path.read_bytes()
    monkeypatch.setattr("os.fsync", _no_space)
    with pytest.raises(PermissionDeniedError, match=r"negotiated\.csv"):
        write_rows(path, [])
    assert path.read_bytes() == before
    assert [one.name for one in path.parent.iterdir()] == [path.name]


def _no_space(_handle: int) -> None:
    raise OSError(28, "No space left on device")


def test_the_status_tells_age_and_origin_of_every_list(workspace: Workspace, write):
    folder(workspace, make=True)
    write_rows(negotiated_path(workspace), read_overlay(write(GOOD, "aws,,nat,gateway,hours,0.03,EUR,2026-11-13,"), "negotiated"))
    lists = {(one.provider, one.origin): one for one in status(load_book(workspace), date(2026, 11, 23))}
    ours = lists["aws", "negotiated"]
    assert (ours.prices, ours.regions, ours.currencies) == (2, 1, ("EUR", "USD"))
    assert (ours.oldest, ours.newest, ours.age_days) == (date(2026, 11, 1), date(2026, 11, 13), 22)
    shipped = lists["aws", "list"]
    assert shipped.prices > len(skus("aws")) / 2
    assert {provider for provider, _ in lists} >= {"aws", "azure", "gcp", "hetzner", "upcloud"}
    assert ("azure", "updated") not in lists


@pytest.mark.parametrize(("days", "is_pointed_out"), [(180, False), (181, True)])
def test_estimates_and_the_status_agree_on_when_a_price_is_old(write, days: int, is_pointed_out: bool):
    today = date(2026, 11, 1) + timedelta(days=days)
    book = PriceBook.shipped().with_rows(read_overlay(write(DISKS), "negotiated"))
    config = InfrastructureConfig.model_validate({"provider": "aws", "region": "us-east-1", "volumes": [{"name": "v"}]})
    notes = estimate(config, book=book, today=today).notes
    assert any("prices older than 180 days" in note for note in notes) is is_pointed_out
    (row,) = (one for one in status(book, today) if one.origin == "negotiated")
    assert row.age_days is not None
    assert is_old(row.age_days) is is_pointed_out
