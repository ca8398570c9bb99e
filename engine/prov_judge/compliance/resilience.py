"""Predicates about backups: kept long enough, copied elsewhere, tried."""

from collections.abc import Iterator

from prov_gen.effective import provider_of, region_of
from prov_gen.model.operations import BackupPlan
from prov_judge.compliance.evidence import Evidence, failing, holding, unknown, value_in_words
from prov_judge.compliance.model import Path
from prov_judge.compliance.places import is_elsewhere
from prov_judge.compliance.scope import Subject, World


def backed_up(subject: Subject, world: World, *, min_days: int) -> Evidence:
    """Whether backups are kept for at least so many days: its own, or those of a plan that names it."""
    own = getattr(subject.record, "backup", None)
    if own is not None and own.enabled and own.retention_days >= min_days:
        path = (*subject.path, "backup", "retention_days")
        words = value_in_words(own.retention_days, is_default="retention_days" not in own.model_fields_set)
        return holding(path, words, f"its backups are kept for {words} days")
    plans = world.plans.get(subject.record.name, ())
    for index, plan in plans:
        if plan.retention_days >= min_days:
            path = ("backup_plans", index, "retention_days")
            return holding(path, str(plan.retention_days), f"the plan {plan.name} keeps it for {plan.retention_days} days")
    if own is None or not own.enabled:
        if plans:
            index, plan = plans[0]
            words = f"the plan {plan.name} keeps it for {plan.retention_days} days; it should be at least {min_days}"
            return failing(("backup_plans", index, "retention_days"), str(plan.retention_days), words)
        path = (*subject.path, "backup") if own is None else (*subject.path, "backup", "enabled")
        return failing(path, "not stated" if own is None else "false", "nothing backs it up")
    words = value_in_words(own.retention_days, is_default="retention_days" not in own.model_fields_set)
    sentence = f"its backups are kept for {words} days; it should be at least {min_days}"
    return failing((*subject.path, "backup", "retention_days"), words, sentence)


def copied_elsewhere(subject: Subject, world: World) -> Evidence:
    """Whether a copy of the resource goes to another region or provider: its own replica, or that of a plan that names it."""
    doubt: Evidence | None = None
    nearby: Evidence | None = None
    here = f"{region_of(subject.record, world.config)} at {provider_of(subject.record, world.config)}"
    for place, path, who in _copies(subject, world):
        elsewhere = is_elsewhere(place, subject, world)
        if elsewhere:
            return holding(path, place, f"{who} to {place}")
        if elsewhere is None:
            doubt = doubt or unknown(path, place, f"{who} to {place}; where that lies is not known")
        else:
            nearby = nearby or failing(path, place, f"{who} to {place}, where it lies itself")
    return doubt or nearby or failing(subject.path, "no copy", f"no backup plan that names it sends a copy away from {here}")


def _copies(subject: Subject, world: World) -> Iterator[tuple[str, Path, str]]:
    if replica := getattr(subject.record, "replicate_to", None):
        yield replica, (*subject.path, "replicate_to"), "it is copied"
    for index, plan in _plans(subject, world):
        if plan.copy_to:
            yield plan.copy_to, ("backup_plans", index, "copy_to"), f"the plan {plan.name} copies it"


def restore_tested(subject: Subject, world: World, *, max_days: int) -> Evidence:
    """Whether a plan that names the resource says that restoring is tried at least so often."""
    plans = _plans(subject, world)
    for index, plan in plans:
        if plan.restore_test_days is not None and plan.restore_test_days <= max_days:
            path = ("backup_plans", index, "restore_test_days")
            words = f"the plan {plan.name} tries restoring every {plan.restore_test_days} days"
            return holding(path, str(plan.restore_test_days), words)
    if not plans:
        return failing(subject.path, "no plan", "no backup plan names it, so restoring it is never tried")
    index, plan = plans[0]
    shown = value_in_words(plan.restore_test_days)
    words = f"restore_test_days of the plan {plan.name} is {shown}; it should be at most {max_days}"
    return failing(("backup_plans", index, "restore_test_days"), shown, words)


def _plans(subject: Subject, world: World) -> tuple[tuple[int, BackupPlan], ...]:
    return world.plans.get(subject.record.name, ())
