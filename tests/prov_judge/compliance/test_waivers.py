"""Waivers hold for what they name, until their day, and say so when they do nothing."""

from datetime import date
from typing import Any

from prov_gen.model.infrastructure import InfrastructureConfig
from prov_judge.compliance.assess import assess
from prov_judge.compliance.model import Assessment

TODAY = date(2026, 11, 23)
PUBLIC = [{"name": name, "networking": {"public_ip": True}} for name in ("web", "api")]


def judge(*waivers: dict[str, Any], framework: Any = "soc2") -> Assessment:
    filled = [{"check": "NET-07", "reason": "the balancer comes in March", "expires": "2027-03-31"} | one for one in waivers]
    config = InfrastructureConfig.model_validate({"servers": PUBLIC, "waivers": filled})
    return assess(config, framework, today=TODAY)


def failing(found: Assessment, check: str = "NET-07") -> list[str]:
    return [result.address for result in found.failed if result.check == check]


def test_a_waiver_without_a_resource_holds_for_all() -> None:
    found = judge({"approved_by": "ana"})
    assert failing(found) == []
    waived = [result.waived for result in found.results if result.waived]
    assert [(one.reason, one.expires, one.approved_by) for one in waived] == [
        ("the balancer comes in March", date(2027, 3, 31), "ana")
    ] * 2
    assert found.notes == ()


def test_a_waiver_names_a_resource_by_its_name_or_its_address() -> None:
    assert failing(judge({"resource": "web"})) == ["server.api"]
    assert failing(judge({"resource": "server.web"})) == ["server.api"]


def test_a_waived_result_still_says_that_it_fails() -> None:
    assert {result.status for result in judge({}).results if result.waived} == {"fail"}


def test_a_waiver_holds_on_its_last_day_and_not_after_it() -> None:
    assert failing(judge({"expires": "2026-11-23"})) == []
    found = judge({"expires": "2026-11-22"})
    assert failing(found) == ["server.web", "server.api"]
    assert found.notes == ("waivers[0] (NET-07): expired on 2026-11-22, so it does not hold for 2 failures",)


def test_a_day_that_does_not_exist_holds_nothing() -> None:
    found = judge({"expires": "2027-02-30"})
    assert failing(found) == ["server.web", "server.api"]
    assert "no day of the calendar" in found.notes[0]


def test_a_check_that_does_not_exist_is_told_with_likely_ones() -> None:
    (note,) = judge({"check": "NET-70"}).notes
    assert "there is no such check; did you mean NET-" in note


def test_a_resource_that_does_not_exist_is_told_with_likely_ones() -> None:
    found = judge({"resource": "wbe"})
    assert failing(found) == ["server.web", "server.api"]
    assert "there is no resource wbe; did you mean web" in found.notes[0]


def test_a_waiver_for_what_passes_is_told() -> None:
    (note,) = judge({"check": "IAM-07"}).notes
    assert "nothing fails that it could hold for" in note


def test_a_waiver_for_another_framework_is_left_alone() -> None:
    assert judge({"check": "AVL-01"}, framework="pci").notes == ()


def test_the_first_waiver_that_fits_holds() -> None:
    found = judge({"reason": "the first of two reasons"}, {"reason": "the second of two reasons"})
    assert {result.waived.reason for result in found.results if result.waived} == {"the first of two reasons"}


def test_a_waiver_that_comes_first_holds_whether_it_names_a_resource_or_not() -> None:
    found = judge({"resource": "web", "reason": "the one about web"}, {"reason": "the one about all"})
    reasons = {result.address: result.waived.reason for result in found.results if result.waived}
    assert reasons == {"server.web": "the one about web", "server.api": "the one about all"}


def test_many_waivers_that_do_nothing_are_told_up_to_a_limit() -> None:
    found = judge(*({"resource": f"absent-{number}"} for number in range(300)))
    assert len(found.notes) == 100
    assert failing(found) == ["server.web", "server.api"]


def test_one_failure_is_one_failure() -> None:
    found = judge({"expires": "2026-11-22", "resource": "web"})
    assert found.notes == ("waivers[0] (NET-07): expired on 2026-11-22, so it does not hold for 1 failure",)


def test_a_waiver_for_ever_holds_and_is_told() -> None:
    found = judge({"expires": "9999-12-31"})
    assert failing(found) == []
    (note,) = found.notes
    assert "it holds until 9999-12-31, for more than 366 days" in note
    assert judge({"expires": "2027-11-24"}).notes == ()


def test_a_name_that_several_resources_bear_is_told() -> None:
    waiver = {"check": "GOV-01", "resource": "web", "reason": "an owner is found in March", "expires": "2027-03-31"}
    resources = {"servers": [{"name": "web"}], "buckets": [{"name": "web"}]}
    found = assess(InfrastructureConfig.model_validate(resources | {"waivers": [waiver]}), "soc2", today=TODAY)
    assert {result.address for result in found.results if result.waived} == {"server.web", "bucket.web"}
    assert found.notes == (
        "waivers[0] (GOV-01): web names bucket.web and server.web; write the address of the one that is meant",
    )
    exact = waiver | {"resource": "server.web"}
    found = assess(InfrastructureConfig.model_validate(resources | {"waivers": [exact]}), "soc2", today=TODAY)
    assert found.notes == ()
