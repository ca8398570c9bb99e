"""How often a schedule runs, and what that means for stored backups."""

from decimal import Decimal

import pytest
from pydantic import ValidationError

from prov_gen.model.base import Backup
from prov_judge.cost.amount import Amount
from prov_judge.cost.schedule import runs_a_day
from prov_judge.cost.storage import kept


@pytest.mark.parametrize(
    ("schedule", "runs"),
    [
        ("@daily", 1),
        ("@hourly", 24),
        ("0 3 * * *", 1),
        ("0 */6 * * *", 4),
        ("*/15 * * * *", 96),
        ("0 1,13 * * *", 2),
        ("0 9-17 * * *", 9),
        ("30 2 * * 1-5", Decimal(5) / 7),
        ("0 0 1 * *", Decimal(1) / 30),
        ("@weekly", Decimal(1) / 7),
        ("0 3 * * MON-FRI", Decimal(5) / 7),
        ("0 3 * * fri-mon", Decimal(4) / 7),
        ("0 3 * * sat,sun", Decimal(2) / 7),
        ("0 3 ? * mon", Decimal(1) / 7),
        ("0 0 1 1 *", Decimal(1) / 360),
        ("0 0 1 */3 *", Decimal(1) / 90),
        ("0 0 * jan-mar *", Decimal(1) / 4),
        ("0 0 15 * mon", Decimal(1) / 30 + Decimal(1) / 7 - Decimal(1) / 210),
    ],
)
def test_a_schedule_runs_so_often_a_day(schedule, runs):
    assert round(runs_a_day(schedule), 20) == round(Decimal(runs), 20)


def test_a_schedule_of_a_configuration_is_short_and_few_are_remembered():
    with pytest.raises(ValidationError):
        Backup(schedule="0 0 * * " + ",".join(["1"] * 100))
    for minute in range(60):
        for hour in range(24):
            runs_a_day(f"{minute} {hour} * * *")
    assert runs_a_day.cache_info().currsize <= 1024


@pytest.mark.parametrize(
    "schedule", ["x y z a b", "- - - - -", "*/0 * * * *", "9" * 5000 + " * * * *", "\u00b2 * * * *", "/ , -, */x 5-"]
)
def test_a_schedule_that_nobody_understands_still_has_a_price(schedule):
    assert 0 < runs_a_day(schedule) <= 24 * 60


def test_backups_keep_the_whole_once_and_then_what_changes():
    # 100 GB, and 1, 3 or 5 % of it for 9 further days
    assert kept(Amount.of(100), "@daily", 10).range == {"small": 109, "medium": 127, "large": 145}
    # One backup a week for four weeks: three times what changes in a week.
    assert kept(Amount.of(100), "@weekly", 28).range == {"small": 121, "medium": 163, "large": 205}
    assert kept(Amount.of(100), "@weekly", 1).range == {"small": 100, "medium": 100, "large": 100}
