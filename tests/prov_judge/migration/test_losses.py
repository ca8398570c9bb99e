"""What an update or a deletion destroys is said, saved before where it can be, and never said to come back as it was."""

import pytest

from model_paths import patterns
from prov_gen.model.infrastructure import InfrastructureConfig
from prov_gen.model.kinds import KINDS
from prov_judge.changes.replacement import Rule
from prov_judge.migration.conversion import copying
from prov_judge.migration.model import Step
from prov_judge.migration.plan import plan_steps
from prov_judge.migration.risk import risks


def steps(before: dict, after: dict) -> dict[str, Step]:
    plan = plan_steps(InfrastructureConfig.model_validate(before), InfrastructureConfig.model_validate(after))
    return {step.id: step for step in plan.steps}


@pytest.mark.parametrize(
    ("field", "before", "after", "lost"),
    [
        ("buckets", {}, {"lifecycle": {"expire_days": 1}}, "objects older than 1 day"),
        ("buckets", {"lifecycle": {"expire_days": 90}}, {"lifecycle": {"expire_days": 30}}, "objects older than 30 days"),
        ("log_groups", {"retention_days": 365}, {"retention_days": 7}, "logs older than 7 days"),
        ("queues", {"retention_days": 14}, {"retention_days": 1}, "messages older than 1 day"),
        ("backup_plans", {"retention_days": 90}, {"retention_days": 7}, "backups older than 7 days"),
        ("databases", {"backup": {"retention_days": 30}}, {"backup": {"retention_days": 1}}, "backups older than 1 day"),
        ("databases", {}, {"backup": {"enabled": False}}, "the backups that were made so far"),
        ("databases", {}, {"retention_days": 30}, "personal data older than 30 days"),
        ("volumes", {"backup": {}}, {}, "the backups that were made so far"),
        ("servers", {"backup": {}}, {"backup": {"enabled": False}}, "the backups that were made so far"),
        ("file_systems", {"backup": {}}, {"backup": {"retention_days": 2}}, "backups older than 2 days"),
        ("clusters", {"backup": {}}, {}, "the backups that were made so far"),
    ],
)
def test_an_update_that_deletes_data_is_irreversible_and_comes_after_a_backup(field, before, after, lost):
    found = steps({field: [{"name": "x", **before}]}, {field: [{"name": "x", **after}]})
    (update,) = [step for step in found.values() if step.action == "update"]
    assert update.data_loss == f"{lost} would be lost without the backup"
    assert update.is_irreversible
    assert update.rollback == f"irreversible: {lost} are deleted; what was saved is in backup:{update.address}"
    saved = found[f"backup:{update.address}"]
    assert saved.wave < update.wave
    assert saved.title.startswith(f"Save {lost} ({update.address}): ")


@pytest.mark.parametrize(
    ("field", "before", "after"),
    [
        ("log_groups", {"retention_days": 7}, {"retention_days": 365}),
        ("buckets", {"lifecycle": {"expire_days": 30}}, {}),
        ("databases", {"backup": {"enabled": False}}, {"backup": {"enabled": True, "retention_days": 30}}),
        ("volumes", {"backup": {"enabled": False}}, {}),
    ],
)
def test_keeping_data_longer_loses_nothing(field, before, after):
    (update,) = steps({field: [{"name": "x", **before}]}, {field: [{"name": "x", **after}]}).values()
    assert (update.data_loss, update.is_irreversible) == ("", False)


def test_what_cannot_be_saved_is_said_to_be_lost():
    before, after = {"monitoring": {"enabled": True, "retention_days": 90}}, {"monitoring": {"enabled": True}}
    (update,) = steps(before, after).values()
    assert update.data_loss == "metrics older than 30 days are lost"
    assert update.rollback == "irreversible: metrics older than 30 days are deleted"


@pytest.mark.parametrize(
    ("field", "record", "kept"),
    [
        ("backup_plans", {}, "the backups that it made"),
        ("secrets", {"handle": "vault:secret/app#key"}, "its value"),
        ("queues", {}, "messages that wait in it"),
        ("kms_keys", {}, "everything that is encrypted with it"),
    ],
)
def test_a_deletion_of_what_no_configuration_holds_is_irreversible(field, record, kept):
    found = steps({field: [{"name": "x", **record}]}, {})
    (deletion,) = [step for step in found.values() if step.action == "delete"]
    assert deletion.is_irreversible
    assert deletion.data_loss == f"{kept} would be lost without the backup"
    assert found[f"backup:{deletion.address}"].wave < deletion.wave


def test_nothing_with_contents_comes_back_as_it_was():
    (deletion,) = steps({"caches": [{"name": "x"}]}, {}).values()
    assert deletion.rollback == "create cache.x again; its contents are lost; they fill again"


def test_a_shrunken_volume_of_shorter_backups_is_saved_for_both_reasons():
    before = {"databases": [{"name": "x", "storage_gb": 50, "backup": {"retention_days": 30}}]}
    after = {"databases": [{"name": "x", "storage_gb": 80, "backup": {"retention_days": 3}}]}
    title = steps(before, after)["backup:database.x"].title
    assert "Save its databases (database.x)" in title
    assert "backups older than 3 days (database.x)" in title


def ageing() -> set[tuple[str, str]]:
    """Every field of every kind that says how long something is kept."""
    ends = ("retention_days", "expire_days")
    return {(kind.name, path) for kind in KINDS for path in patterns(kind.model) if path.endswith(ends)}


def test_every_field_that_says_how_long_something_is_kept_has_a_row():
    every = risks()["every_kind"]["loses"]
    covered = {
        (kind, path)
        for kind, path in ageing()
        for row in (*risks().get(kind, {}).get("loses", ()), *every)
        if row["when"] == "shrink" and Rule(tuple(row["fields"]), "none").covers(path)
    }
    assert ageing() == covered
    assert len(covered) >= 12


def test_all_that_is_kept_can_be_saved_and_copied():
    keeping = {kind for kind, entry in risks().items() if "keeps" in entry}
    assert {kind for kind in keeping if "backup" not in risks()[kind]} == set()
    # A secret is at no provider, so none ever moves.
    assert keeping - {"secret"} <= copying().keys()
