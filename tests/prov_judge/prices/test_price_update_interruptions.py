"""Updates that are interrupted: busy hosts, broken connections, Ctrl-C, and how the next one goes on (see `price_lists`)."""

import json
from datetime import timedelta

import pytest

from price_lists import Answer, Vendor, aws_machine
from price_updates import AZURE, EC2, ITEMS, MACHINES, TODAY, Waits, amounts, run
from prov_judge.prices.store import partial_path, updated_path
from prov_judge.prices.update.run import update
from prov_judge.prices.update.source import ATTEMPTS
from stratumops.errors import UnavailableError
from stratumops.workspace import Workspace


def test_a_busy_host_is_asked_again_after_the_time_that_it_names(workspace: Workspace, vendor: Vendor, waits: Waits):
    vendor.put_azure(ITEMS)
    vendor.fault(AZURE, Answer(429, headers={"Retry-After": "7"}), Answer(503))
    assert run(workspace, vendor, "azure", waits).prices == 5
    assert waits == [7.0, 2.0]


def test_a_host_that_stays_busy_is_given_up_and_what_was_fetched_is_kept(workspace: Workspace, vendor: Vendor, waits: Waits):
    vendor.put_azure(ITEMS)
    page = vendor.pages[AZURE]
    vendor.pages[AZURE] = lambda path, headers: Answer(429) if "skip=2" in path else page(path, headers)
    with pytest.raises(UnavailableError, match="429") as caught:
        run(workspace, vendor, "azure", waits)
    assert "same command" in caught.value.hint
    assert len(waits) == ATTEMPTS - 1
    assert not updated_path(workspace, "azure").exists()
    asked_before = len(vendor.asked)
    vendor.pages[AZURE] = page
    done = run(workspace, vendor, "azure", waits)
    assert (done.prices, done.was_resumed) == (5, True)
    first_again = vendor.asked[asked_before][0]
    assert "skip=2" in first_again


def test_a_host_that_asks_for_too_long_a_wait_is_not_waited_for(workspace: Workspace, vendor: Vendor, waits: Waits):
    vendor.fault(AZURE, Answer(429, headers={"Retry-After": "86400"}))
    with pytest.raises(UnavailableError, match="86,400 seconds"):
        run(workspace, vendor, "azure", waits)
    assert waits == []


def test_a_retry_date_that_has_passed_means_now(workspace: Workspace, vendor: Vendor, waits: Waits):
    vendor.put_azure(ITEMS)
    vendor.fault(AZURE, Answer(503, headers={"Retry-After": "Wed, 01 Jan 2020 00:00:00 GMT"}))
    run(workspace, vendor, "azure", waits)
    assert waits == [0.0]


def test_a_page_whose_end_is_missing_is_asked_for_again(workspace: Workspace, vendor: Vendor, waits: Waits):
    vendor.put_azure(ITEMS)
    vendor.fault(AZURE, Answer(cut=40))
    assert run(workspace, vendor, "azure", waits).prices == 5
    assert waits == [1.0]


def test_a_price_file_that_breaks_off_goes_on_where_it_broke(workspace: Workspace, vendor: Vendor, waits: Waits):
    vendor.put_aws({"us-east-1": MACHINES})
    size = len(vendor.pages[EC2](EC2, {}).body)
    vendor.fault(EC2, Answer(cut=size - 100))
    assert run(workspace, vendor, "aws", waits).prices == 3
    ranges = [headers.get("range") for path, headers in vendor.asked if path == EC2]
    assert ranges[0] is None
    start = int(ranges[1].removeprefix("bytes=").rstrip("-"))
    assert 0 < start <= size - 100


def test_an_interrupted_price_file_is_taken_up_by_the_next_command(workspace: Workspace, vendor: Vendor, waits: Waits):
    vendor.put_aws({"us-east-1": MACHINES})
    size = len(vendor.pages[EC2](EC2, {}).body)
    # Each attempt gets no further than the one before, until they are given up.
    vendor.fault(EC2, Answer(cut=size - 100), *(Answer(cut=0) for _ in range(ATTEMPTS)))
    with pytest.raises(UnavailableError, match="broke"):
        run(workspace, vendor, "aws", waits)
    kept = json.loads(partial_path(workspace, "aws").read_text())
    assert kept["cursor"]["offset"] > 0
    assert len(kept["prices"]) == 2
    done = run(workspace, vendor, "aws", waits)
    assert (done.prices, done.was_resumed) == (3, True)
    last = [headers for path, headers in vendor.asked if path == EC2][-1]
    assert last["range"] == f"bytes={kept['cursor']['offset']}-"


def test_a_price_file_that_broke_off_at_its_very_end_is_begun_again(workspace: Workspace, vendor: Vendor, waits: Waits):
    vendor.put_aws({"us-east-1": MACHINES})
    whole = vendor.pages[EC2](EC2, {})
    at_the_end = f"bytes={len(whole.body)}-"
    page = vendor.pages[EC2]
    # The last byte arrives, the end of the transfer does not; from there on a host has nothing more to give.
    vendor.fault(EC2, Answer(200, whole.body, whole.headers | {"Content-Length": str(len(whole.body) + 1)}, cut=len(whole.body)))
    vendor.pages[EC2] = lambda path, headers: Answer(416) if headers.get("range") == at_the_end else page(path, headers)
    assert run(workspace, vendor, "aws", waits).prices == 3
    assert [headers.get("range") for path, headers in vendor.asked if path == EC2] == [None, at_the_end, None]


def test_a_list_that_changed_since_begins_again(workspace: Workspace, vendor: Vendor, waits: Waits):
    vendor.put_aws({"us-east-1": MACHINES})
    size = len(vendor.pages[EC2](EC2, {}).body)
    vendor.fault(EC2, Answer(cut=size - 100), *(Answer(cut=0) for _ in range(ATTEMPTS)))
    with pytest.raises(UnavailableError):
        run(workspace, vendor, "aws", waits)
    vendor.put_aws({"us-east-1": [aws_machine("m5.large", "0.3")]}, "20260801000000")
    assert run(workspace, vendor, "aws", waits).prices == 1
    assert amounts(workspace, "aws") == {"compute/m5.large": "0.3 USD hours"}


def test_a_file_replaced_under_its_own_name_begins_again(workspace: Workspace, vendor: Vendor, waits: Waits):
    vendor.put_aws({"us-east-1": MACHINES})
    size = len(vendor.pages[EC2](EC2, {}).body)
    vendor.fault(EC2, Answer(cut=size - 100), *(Answer(cut=0) for _ in range(ATTEMPTS)))
    with pytest.raises(UnavailableError):
        run(workspace, vendor, "aws", waits)
    vendor.put_file(EC2, vendor.pages[EC2](EC2, {}).body.decode().replace("0.1940000000", "0.2222222222"), '"another"')
    run(workspace, vendor, "aws", waits)
    assert amounts(workspace, "aws")["compute/m5.xlarge"] == "0.2222222222 USD hours"


def test_ctrl_c_keeps_what_was_fetched(workspace: Workspace, vendor: Vendor, waits: Waits):
    vendor.put_azure(ITEMS)

    def stop(words: str) -> None:
        if "page 2" in words:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        update(workspace, "azure", today=TODAY, chosen=["westeurope"], base_url=vendor.base_url, report=stop, pause=waits)
    done = run(workspace, vendor, "azure", waits)
    assert (done.prices, done.was_resumed) == (5, True)
    assert [path for path, _ in vendor.asked if "skip=2" in path and "Machines" in path] != []
    assert len([path for path, _ in vendor.asked if "Machines" in path]) == 3


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format": 9}', '{"format": 1, "prices": 3}', "\x00"])
def test_a_damaged_remainder_is_begun_anew(workspace: Workspace, vendor: Vendor, waits: Waits, text: str):
    vendor.put_azure(ITEMS)
    run(workspace, vendor, "azure", waits)
    partial_path(workspace, "azure").write_text(text)
    done = run(workspace, vendor, "azure", waits)
    assert (done.prices, done.was_resumed) == (5, False)


def test_a_remainder_of_another_week_is_begun_anew(workspace: Workspace, vendor: Vendor, waits: Waits):
    vendor.put_azure(ITEMS)
    page = vendor.pages[AZURE]
    vendor.pages[AZURE] = lambda path, headers: Answer(429) if "skip=2" in path else page(path, headers)
    with pytest.raises(UnavailableError):
        run(workspace, vendor, "azure", waits)
    vendor.pages[AZURE] = page
    assert run(workspace, vendor, "azure", waits, today=TODAY + timedelta(days=7)).was_resumed is False


def test_a_host_that_is_not_there_is_unavailable(workspace: Workspace, vendor: Vendor, waits: Waits):
    with pytest.raises(UnavailableError, match="cannot be reached"):
        update(workspace, "azure", today=TODAY, chosen=["westeurope"], base_url="http://127.0.0.1:9", pause=waits)
    assert len(waits) == ATTEMPTS - 1
