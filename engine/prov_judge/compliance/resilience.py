"""Predicates about backups and zones."""

from prov_corpus import catalogue
from prov_gen.effective import provider_of, region_of
from prov_judge.compliance.evidence import Evidence, failing, holding, value_in_words
from prov_judge.compliance.scope import Subject, World


def keeps_data(_subject: Subject, world: World) -> Evidence:
    """Whether the configuration describes anything that keeps data, or backups of it."""
    config = world.config
    for field in ("databases", "clusters", "volumes", "file_systems", "backup_plans"):
        if getattr(config, field):
            return holding((field,), field, f"it has {field}")
    for index, server in enumerate(config.servers):
        if server.stateful:
            return holding(("servers", index, "stateful"), "true", f"{server.name} keeps data")
    return failing((), "nothing", "it describes nothing that keeps data")


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
    """Whether a backup plan sends a copy to another place than its targets' (for the configuration: any plan)."""
    plans = enumerate(world.config.backup_plans) if subject.path == () else world.plans.get(subject.record.name, ())
    region = region_of(subject.record if subject.path else None, world.config)
    for index, plan in plans:
        if plan.copy_to and plan.copy_to != region:
            return holding(("backup_plans", index, "copy_to"), plan.copy_to, f"{plan.name} copies to {plan.copy_to}")
    return failing(("backup_plans",), "no copy", f"no backup plan sends a copy away from {region}")


def spread_over_zones(subject: Subject, _world: World, *, least: int) -> Evidence:
    """Whether the cluster's workers run in several zones."""
    cluster = subject.record
    zones = {zone for group in (cluster.workers, *cluster.node_groups) for zone in group.zones}
    path = (*subject.path, "workers", "zones")
    shown = ", ".join(sorted(zones)) or "not stated"
    return Evidence(len(zones) >= least, path, shown, f"its workers run in {len(zones)} named zones ({shown})")


def region_has_zones(subject: Subject, world: World) -> Evidence:
    """Whether the resource's region has several zones, as far as the catalogue knows."""
    region = catalogue.regions(provider_of(subject.record, world.config)).get(region_of(subject.record, world.config))
    count = len(region.zones) if region else 0
    return Evidence(count > 1, (*subject.path, "region"), str(count), f"the catalogue knows {count} zones of the region")
