"""Whether an account works, and what it can use."""

from dataclasses import replace

import pytest
from tests.provisioning.upcloud.fake import FakeUpCloud, Fault
from tests.provisioning.upcloud.fake_store import RefusedError

from provisioning.providers.base import Account
from provisioning.providers.upcloud import disks
from provisioning.providers.upcloud.provider import UpCloud


def test_a_working_account_passes_every_check(provider: UpCloud):
    checks = provider.test()
    assert {check.verdict for check in checks} == {"ok"}
    assert {check.name for check in checks} >= {"account", "region", "servers", "load balancers"}


def test_an_account_without_credits_is_warned_of(fake: FakeUpCloud, provider: UpCloud):
    fake.store.credits = 0
    first = provider.test()[0]
    assert first.verdict == "warning"
    assert "no credits" in first.said
    assert "credits" in first.hint


def test_a_missing_permission_is_named(fake: FakeUpCloud, provider: UpCloud):
    fake.faults = [Fault("GET", "/load-balancer", 403, RefusedError(403, "INSUFFICIENT_PERMISSIONS", "Not permitted.").body)]
    (failed,) = (check for check in provider.test() if check.verdict == "failed")
    assert failed.name == "load balancers"
    assert "Not permitted" in failed.said
    assert "sub-account" in failed.hint


def test_a_region_that_is_not_there_is_named_with_those_that_are(account: Account):
    made = UpCloud(replace(account, region="xx-nowhere1"))
    (failed,) = (check for check in made.test() if check.verdict == "failed")
    assert "xx-nowhere1" in failed.said
    assert "fi-hel1" in failed.hint
    made.close()


def test_the_catalogue_is_in_the_words_of_the_configuration(provider: UpCloud):
    catalogue = provider.catalogue("fi-hel1")
    assert "uk-lon1" in catalogue.regions
    assert "uk-tst1" not in catalogue.regions  # not public
    assert catalogue.zones == ("fi-hel1",)
    assert "2xCPU-4GB" in catalogue.plans
    assert catalogue.images == ("alpine-3.22", "debian-12", "debian-13", "rocky-9", "ubuntu-24.04")
    assert provider.catalogue().zones == catalogue.regions


@pytest.mark.parametrize(
    ("schedule", "rule"),
    [
        ("@daily", ("daily", "0000")),
        ("@weekly", ("sun", "0000")),
        ("5 23 * * *", ("daily", "2305")),
        ("0 3 * * 1", ("mon", "0300")),
        ("0 3 * * 7", ("sun", "0300")),
        ("0 3 * * FRI", ("fri", "0300")),
    ],
)
def test_a_schedule_is_a_rule_and_a_rule_is_the_schedule_again(schedule, rule):
    backup = {"enabled": True, "schedule": schedule, "retention_days": 9}
    made = disks.backup_rule(backup)
    assert (made["interval"], made["time"]) == rule
    expected = {"backup.enabled": True, "backup.schedule": schedule, "backup.retention_days": 9}
    assert disks.backup_values(made, backup) == expected


def test_a_rule_that_nobody_wanted_is_told_as_a_schedule():
    found = disks.backup_values({"interval": "mon", "time": "0430", "retention": "30"}, None)
    assert found == {"backup.enabled": True, "backup.schedule": "30 4 * * 1", "backup.retention_days": 30}
    assert disks.backup_values({}, {"enabled": True}) == {"backup.enabled": False}
    assert disks.backup_values({}, None) == {}
    odd = disks.backup_values({"interval": "daily", "time": "0000", "retention": "7"}, {"enabled": True, "schedule": "@monthly"})
    assert odd["backup.schedule"] == "0 0 * * *"


@pytest.mark.parametrize("disabled", [None, {}, {"enabled": False, "schedule": "@hourly"}])
def test_no_backup_is_no_rule(disabled):
    assert disks.backup_rule(disabled) == {}


@pytest.mark.parametrize(
    ("tier", "known", "kind"),
    [("maxiops", None, "ssd"), ("maxiops", "io2", "io2"), ("standard", "ssd", "gp3"), ("new", "ssd", "new")],
)
def test_a_tier_is_the_known_kind_where_it_can_be(tier, known, kind):
    assert disks.kind_of(tier, known) == kind
