"""Answers that are no price list, and addresses that prices are not fetched from: refused, and nothing is changed."""

import pytest

from price_lists import Answer, Vendor, aws_machine, azure_item
from price_updates import AZURE, INDEX, ITEMS, MACHINES, Waits, amounts, run
from prov_judge.prices.store import load_book, updated_path
from prov_judge.prices.update.source import Source
from stratumops.errors import ExternalError, InvalidInputError
from stratumops.workspace import Workspace


@pytest.mark.parametrize(
    "body", [b"<html>", b"[]", b'{"Items": 3}', b'{"Items": [4]}', b'{"Items": [], "NextPageLink": 5}', b"[" * 9000]
)
def test_nonsense_is_an_error_and_changes_nothing(workspace: Workspace, vendor: Vendor, waits: Waits, body: bytes):
    vendor.put_azure(ITEMS)
    run(workspace, vendor, "azure", waits)
    before = updated_path(workspace, "azure").read_bytes()
    vendor.fault(AZURE, Answer(body=body))
    with pytest.raises(ExternalError) as caught:
        run(workspace, vendor, "azure", waits)
    assert "--base-url" in caught.value.hint
    assert updated_path(workspace, "azure").read_bytes() == before


@pytest.mark.parametrize(
    "text",
    ["", "no price list\n" * 20, '"SKU","TermType"\n', "SKU\n", "\xff" * 70_000, '"SKU" x,"\n'],
    ids=["empty", "text", "columns missing", "one column", "one long line", "not CSV"],
)
def test_a_price_file_that_is_none_is_an_error(workspace: Workspace, vendor: Vendor, waits: Waits, text: str):
    vendor.put_aws({"us-east-1": MACHINES}, AmazonEC2=text)
    with pytest.raises(ExternalError, match="AmazonEC2/us-east-1"):
        run(workspace, vendor, "aws", waits)
    assert not updated_path(workspace, "aws").exists()


@pytest.mark.parametrize("amount", ["abc", "-1", "NaN", "Infinity", "1e99", ""])
def test_a_price_that_is_none_is_an_error(workspace: Workspace, vendor: Vendor, waits: Waits, amount: str):
    vendor.put_aws({"us-east-1": [aws_machine("m5.large", amount)]})
    with pytest.raises(ExternalError, match="price that is none"):
        run(workspace, vendor, "aws", waits)


def test_prices_in_another_currency_are_refused(workspace: Workspace, vendor: Vendor, waits: Waits):
    vendor.put_aws({"us-east-1": [aws_machine("m5.large", "0.7", Currency="CNY")]})
    with pytest.raises(ExternalError, match="CNY, expected USD"):
        run(workspace, vendor, "aws", waits)
    vendor.put_azure([azure_item("Standard_D2s_v5", 0.1, currencyCode="EUR")])
    with pytest.raises(ExternalError, match="EUR, expected USD"):
        run(workspace, vendor, "azure", waits)


def test_a_page_that_is_too_large_is_refused(vendor: Vendor, waits: Waits):
    vendor.fault(INDEX, Answer(body=b"[]" + b" " * 98), Answer(body=b"[]" + b" " * 99))
    with Source(vendor.base_url, pause=waits, most_bytes=100) as source:
        assert source.document(INDEX) == []
        with pytest.raises(ExternalError, match="more than 100 bytes"):
            source.document(INDEX)


@pytest.mark.parametrize("name", ["m9.large ", " m9.large", "m9\x00", "m9\u202elarge"])
def test_a_name_that_could_not_be_read_again_is_left_out_and_told(workspace: Workspace, vendor: Vendor, waits: Waits, name: str):
    vendor.put_aws({"us-east-1": [*MACHINES, aws_machine(name, "0.5")]})
    done = run(workspace, vendor, "aws", waits)
    assert (done.prices, done.unclear) == (3, (f"us-east-1 compute {name}",))
    assert len(amounts(workspace, "aws")) == 3
    assert load_book(workspace).machine("aws", "us-east-1", "m5.large").origin == "updated"


def test_a_redirect_on_the_host_is_followed(workspace: Workspace, vendor: Vendor, waits: Waits):
    vendor.put_azure(ITEMS)
    page = vendor.pages[AZURE]
    vendor.pages["/moved"] = page
    vendor.pages[AZURE] = lambda path, _headers: Answer(302, headers={"Location": path.replace(AZURE, "/moved")})
    assert run(workspace, vendor, "azure", waits).prices == 5


@pytest.mark.parametrize("place", ["https://example.com/x", "//example.com/x", "http://127.0.0.1:1/x", "file:///etc/passwd"])
def test_a_redirect_to_another_host_is_refused(workspace: Workspace, vendor: Vendor, waits: Waits, place: str):
    vendor.fault(AZURE, Answer(302, headers={"Location": place}))
    with pytest.raises(ExternalError, match="another host"):
        run(workspace, vendor, "azure", waits)


def test_a_redirect_that_never_ends_is_given_up(workspace: Workspace, vendor: Vendor, waits: Waits):
    vendor.pages[AZURE] = lambda _path, _headers: Answer(302, headers={"Location": AZURE})
    with pytest.raises(ExternalError, match="302"):
        run(workspace, vendor, "azure", waits)


def test_a_next_page_on_another_host_is_refused(workspace: Workspace, vendor: Vendor, waits: Waits):
    vendor.put_azure(ITEMS, NextPageLink="https://example.com/api/retail/prices")
    with pytest.raises(ExternalError, match="another host"):
        run(workspace, vendor, "azure", waits)


def test_a_page_that_leads_to_itself_is_refused(workspace: Workspace, vendor: Vendor, waits: Waits):
    page = {"Items": [], "NextPageLink": f"{vendor.base_url}{AZURE}?again"}
    vendor.put(AZURE, page)
    with pytest.raises(ExternalError, match="names itself"):
        run(workspace, vendor, "azure", waits)


def test_a_host_without_prices_changes_nothing(workspace: Workspace, vendor: Vendor, waits: Waits):
    vendor.put_azure([])
    with pytest.raises(ExternalError, match="no prices"):
        run(workspace, vendor, "azure", waits)
    assert not updated_path(workspace, "azure").exists()


def test_an_unknown_region_and_an_unknown_provider_are_named_before_anything_is_asked(
    workspace: Workspace, vendor: Vendor, waits: Waits
):
    with pytest.raises(InvalidInputError) as caught:
        run(workspace, vendor, "aws", waits, region="us-eats-1")
    assert "us-east-1" in caught.value.hint
    with pytest.raises(InvalidInputError, match="hetzner"):
        run(workspace, vendor, "hetzner", waits, region="fsn1")
    assert vendor.asked == []


@pytest.mark.parametrize(
    "address",
    [
        "http://example.com",
        "ftp://127.0.0.1",
        "https://user:word@example.com",
        "nonsense",
        "",
        "http://",
        "http://127.0.0.1@example.com",
    ],
)
def test_prices_are_fetched_over_https_or_from_loopback_only(address: str):
    with pytest.raises(InvalidInputError, match="no address"):
        Source(address)
