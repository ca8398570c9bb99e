"""`prov prices`: what a person does with price lists, over loopback (the server is described in `price_lists`)."""

import json
from pathlib import Path

import pytest

from price_lists import Answer, Vendor, aws_machine, azure_item, serving
from prov_judge.prices.overlay import COLUMNS
from prov_judge.prices.update.run import FETCHERS
from prov_server.cli.commands.prices import _COLUMNS, REFRESHED

HEADER = "provider,region,service,item,unit,unit_price,currency,as_of,source\n"
OURS = "aws,us-east-1,compute,m5.large,hours,0.05,USD,2026-11-01,contract 7\n"
AZURE = "/api/retail/prices"


@pytest.fixture
def vendor():
    with serving() as found:
        yield found


@pytest.fixture
def ours(workspace: Path) -> Path:
    path = workspace / "ours.csv"
    path.write_text(HEADER + OURS, encoding="utf-8")
    return path


def lists(prov) -> dict[tuple[str, str], dict]:
    return {(row["provider"], row["origin"]): row for row in json.loads(prov("prices", "status", "--json").out)["lists"]}


def kept(workspace: Path) -> Path:
    return workspace / ".prov" / "prices" / "negotiated.csv"


def update(prov, vendor: Vendor, *words: str):
    return prov("prices", "update", "--provider", "azure", "--region", "westeurope", "--base-url", vendor.base_url, *words)


def test_the_shipped_lists_have_a_status(prov):
    rows = lists(prov)
    assert {provider for provider, _ in rows} >= {"aws", "azure", "gcp", "hetzner", "upcloud"}
    assert {origin for _, origin in rows} == {"list"}
    assert rows["aws", "list"]["oldest"] <= rows["aws", "list"]["newest"]


def test_an_import_tells_what_is_new_and_what_changed(prov, workspace: Path, ours: Path):
    first = prov("prices", "import", "ours.csv")
    assert first.code == 0, first.err
    assert "negotiated 1 price: 1 new, 0 changed" in first.out
    assert kept(workspace).stat().st_mode & 0o777 == 0o600
    ours.write_text(HEADER + OURS.replace("0.05", "0.06") + "aws,,nat,gateway,hours,0.03,USD,,\n", encoding="utf-8")
    second = json.loads(prov("prices", "import", "ours.csv", "--json").out)
    assert (second["imported"], second["new"], second["changed"], second["kept"]) == (2, 1, 1, 0)
    assert lists(prov)["aws", "negotiated"]["prices"] == 2


def test_an_import_keeps_earlier_prices_and_replace_drops_them(prov, workspace: Path, ours: Path):
    prov("prices", "import", "ours.csv")
    ours.write_text(HEADER + OURS.replace("m5.large", "m5.xlarge"), encoding="utf-8")
    assert "1 new, 0 changed, 1 kept" in prov("prices", "import", "ours.csv").out
    assert "0 new, 0 changed, 1 removed" in prov("prices", "import", "ours.csv", "--replace").out
    assert kept(workspace).read_text() == ours.read_text()


@pytest.mark.parametrize("line", [OURS, "aws,us-east-1,compute,m5.xlarge,hours,-1,USD,,\n", "words\n"])
def test_a_bad_file_changes_nothing_and_names_the_cell(prov, workspace: Path, ours: Path, line: str):
    prov("prices", "import", "ours.csv")
    before = kept(workspace).read_bytes()
    ours.write_text(HEADER + OURS + line, encoding="utf-8")
    done = prov("prices", "import", "ours.csv")
    assert done.code == 2
    assert "ours.csv, line 3" in done.err
    assert kept(workspace).read_bytes() == before


def test_a_file_without_prices_and_one_that_is_not_there_are_errors(prov, ours: Path):
    ours.write_text(HEADER, encoding="utf-8")
    assert prov("prices", "import", "ours.csv").code == 2
    assert prov("prices", "import", "nothing.csv").code == 3


def test_the_home_of_nobody_is_no_place_to_import_from(prov):
    done = prov("prices", "import", "~nobody-of-this-name/x.csv")
    assert done.code == 2
    assert "is no path here" in done.err


def test_a_link_that_leads_nowhere_is_no_price_file(prov, workspace: Path, ours: Path):
    prov("prices", "import", "ours.csv")
    (kept(workspace).parent / "updated-aws.csv").symlink_to("nowhere.csv")
    (kept(workspace).parent / "another.csv").symlink_to("nowhere.csv")
    assert lists(prov)["aws", "negotiated"]["prices"] == 1


def test_prices_that_can_be_refreshed_are_those_that_can_be_fetched():
    assert list(FETCHERS) == list(REFRESHED)


def test_an_unknown_machine_size_is_imported_with_a_warning(prov, workspace: Path, ours: Path):
    ours.write_text(HEADER + OURS.replace("m5.large", "m5.lrage"), encoding="utf-8")
    done = prov("prices", "import", "ours.csv")
    assert done.code == 0
    assert "m5.large" in done.err
    assert "m5.lrage" in kept(workspace).read_text()


def test_negotiated_prices_can_be_forgotten(prov, workspace: Path, ours: Path):
    prov("prices", "import", "ours.csv")
    assert prov("prices", "forget", "--negotiated").code == 0
    assert not kept(workspace).exists()
    again = prov("prices", "forget", "--negotiated")
    assert again.code == 3
    assert "prov prices status" in again.err


def test_forgetting_nothing_in_particular_is_an_error(prov):
    done = prov("prices", "forget")
    assert done.code == 2
    assert "--negotiated" in done.err


def test_a_damaged_file_is_named_with_the_command_that_removes_it(prov, workspace: Path, ours: Path):
    kept(workspace).parent.mkdir(parents=True)
    kept(workspace).write_text("damaged", encoding="utf-8")
    done = prov("prices", "import", "ours.csv")
    assert done.code == 2
    assert "prov prices forget --negotiated" in done.err
    assert prov("prices", "import", "ours.csv", "--replace").code == 0
    assert kept(workspace).read_text() == ours.read_text()


def test_an_update_tells_what_it_fetched(prov, vendor: Vendor):
    vendor.put_azure([azure_item("Standard_D2s_v5", 0.1), azure_item("Standard_D4s_v5", 0.2)])
    done = update(prov, vendor)
    assert done.code == 0, done.err
    assert "azure 2 prices in 1 region: 2 new, 0 changed" in done.out
    assert lists(prov)["azure", "updated"]["prices"] == 2
    assert prov("prices", "forget", "--updated", "azure").code == 0
    assert ("azure", "updated") not in lists(prov)


def test_an_update_in_json_is_a_list_of_what_was_done(prov, vendor: Vendor):
    vendor.put_aws({"us-east-1": [aws_machine("m5.large", "0.0961"), aws_machine("t3.micro", "1"), aws_machine("t3.micro", "2")]})
    words = ("--provider", "aws", "--region", "us-east-1", "--base-url", vendor.base_url, "--json")
    (one,) = json.loads(prov("prices", "update", *words).out)
    assert (one["provider"], one["prices"], one["new"], one["resumed"]) == ("aws", 1, 1, False)
    assert one["unclear"] == ["us-east-1 compute t3.micro"]


def test_an_update_that_failed_is_gone_on_from(prov, vendor: Vendor):
    vendor.put_azure([azure_item(f"Standard_D{n}s_v5", n) for n in (2, 4, 8)])
    page = vendor.pages[AZURE]
    busy = Answer(429, headers={"Retry-After": "9999"})
    vendor.pages[AZURE] = lambda path, headers: busy if "skip=2" in path else page(path, headers)
    failed = update(prov, vendor)
    assert failed.code == 8
    assert "same command again" in failed.err
    vendor.pages[AZURE] = page
    assert "going on from an interrupted update" in update(prov, vendor).out


@pytest.mark.parametrize("words", [("--region", "us-east-1"), ("--base-url", "https://example.com")])
def test_options_about_one_provider_ask_for_it(prov, words: tuple[str, str]):
    done = prov("prices", "update", *words)
    assert done.code == 2
    assert "--provider" in done.err


def test_a_provider_whose_prices_are_not_published_is_refused(prov):
    assert prov("prices", "update", "--provider", "hetzner").code == 2


def test_plain_http_to_another_host_is_refused(prov):
    done = prov("prices", "update", "--provider", "aws", "--base-url", "http://example.com")
    assert done.code == 2
    assert "https" in done.err


def test_a_price_of_a_day_that_has_not_come_is_refused_with_its_line(prov, workspace: Path, ours: Path):
    ours.write_text(HEADER + OURS + OURS.replace("m5.large", "m5.xlarge").replace("2026-11-01", "9999-01-01"), encoding="utf-8")
    done = prov("prices", "import", "ours.csv")
    assert done.code == 2
    assert "line 3, column as_of: 9999-01-01 has not come yet" in done.err
    assert not kept(workspace).exists()


def test_a_price_in_another_currency_than_the_providers_list_is_taken_with_a_warning(prov, workspace: Path, ours: Path):
    ours.write_text(HEADER + OURS.replace("USD", "EUR"), encoding="utf-8")
    done = prov("prices", "import", "ours.csv")
    assert done.code == 0
    assert "1 price of aws in EUR, its list is in USD" in " ".join(done.err.split())
    assert "EUR" in kept(workspace).read_text()
    ours.write_text(HEADER + "local,,compute,vcpu,hours,0.004,EUR,,\n", encoding="utf-8")
    assert "warning" not in prov("prices", "import", "ours.csv").err


def test_the_help_names_the_columns_of_the_file():
    assert tuple(COLUMNS) == _COLUMNS
