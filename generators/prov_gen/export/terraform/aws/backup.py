"""Backups: of one resource, and plans for several."""

import re
from typing import Any

from prov_corpus import catalogue
from prov_gen.export.terraform.aws.roles import role
from prov_gen.export.terraform.document import Body, Expression, reference
from prov_gen.export.terraform.item import Item
from prov_gen.export.terraform.rows import Refers, Special, Tags, find
from prov_gen.export.terraform.table import Found, Main

_SHORT = {"@hourly": "0 * * * *", "@daily": "0 0 * * *", "@weekly": "0 0 * * 0", "@monthly": "0 0 1 * *"}
_LONG = {text: name for name, text in _SHORT.items()}
_ARNS = {
    "server": "aws_instance",
    "database": "aws_db_instance",
    "volume": "aws_ebs_volume",
    "file_system": "aws_efs_file_system",
    "bucket": "aws_s3_bucket",
}


def schedule(cron: str) -> str | None:
    """A cron expression as AWS writes it: six fields, the week starts with 1, one day is `?`. None where it has no such."""
    fields = _SHORT.get(cron, cron).split()
    if not all(re.fullmatch(r"[0-9*/,-]+", field) for field in fields):
        return None
    minute, hour, day, month, weekday = fields
    if weekday == "*":
        return f"cron({minute} {hour} {day} {month} ? *)"
    if day != "*" or not re.fullmatch("[0-6]", weekday):
        return None
    return f"cron({minute} {hour} ? {month} {int(weekday) + 1} *)"


def cron_of(text: object) -> str | None:
    """The inverse of `schedule`."""
    found = re.fullmatch(r"cron\((\S+) (\S+) (\S+) (\S+) (\S+) \*\)", text) if isinstance(text, str) else None
    if not found:
        return None
    minute, hour, day, month, weekday = found.groups()
    if weekday == "?":
        cron = f"{minute} {hour} {day} {month} *"
    elif day == "?" and re.fullmatch("[1-7]", weekday):
        cron = f"{minute} {hour} * {month} {int(weekday) - 1}"
    else:
        return None
    return _LONG.get(cron, cron)


def _plan(item: Item, label: str, vault: Expression, dotted: str, arns: list[Expression], copy: Expression | None = None) -> None:
    prefix = f"{dotted}." if dotted else ""
    when = schedule(item.get(f"{prefix}schedule"))
    if when is None:
        item.leave(f"{prefix}schedule", "AWS Backup has no such schedule")
    rule: Body = {"rule_name": "scheduled", "target_vault_name": vault, "schedule": when or schedule("@daily")}
    rule["lifecycle"] = {"delete_after": item.get(f"{prefix}retention_days")}
    if copy:
        rule["copy_action"] = {"destination_vault_arn": copy}
    tags: Body = {}
    if not dotted:
        Tags().write(item, tags)
    item.put("aws_backup_plan", label, {"name": label, "rule": [rule]} | tags)
    if arns:
        selection = {
            "name": label,
            "plan_id": reference("aws_backup_plan", label),
            "iam_role_arn": role(item, "backup"),
            "resources": arns,
        }
        item.put("aws_backup_selection", label, selection)


def back_up(item: Item, kind: str, arn: Expression) -> None:
    """A resource's own backup, as a plan that selects it alone."""
    backup = item.raw.backup
    if backup is None:
        return
    if not backup.enabled:
        item.leave("backup", "backups that are off are no plan at all")
        return
    item.get("backup")
    item.document.share("resource", "aws_backup_vault", "_own", {"name": f"{item.config.name}-own"})
    _plan(item, f"{kind}_{item.label}", reference("aws_backup_vault", "_own", "name"), "backup", [arn])


def recover_backup(label: str, found: Found, record: dict[str, Any]) -> None:
    """A resource's own backup from the plan of that label."""
    plan = found("aws_backup_plan").get(label)
    if plan:
        record["backup"] = _read_rule(plan)


def _read_rule(plan: Body) -> dict[str, Any]:
    cron, days = cron_of(find(plan, "rule.schedule")), find(plan, "rule.lifecycle.delete_after")
    return ({"schedule": cron} if cron else {}) | ({"retention_days": days} if days else {})


def _write_vault(item: Item, body: Body) -> None:
    body["name"] = item.get("name")
    if not item.get("encrypted"):
        item.leave("encrypted", "AWS Backup encrypts every vault")


def _more(item: Item) -> None:
    arns = []
    for index, name in enumerate(item.get("targets")):
        expressions = [found for kind in _ARNS if (found := item.refer(kind, name, "arn"))]
        arns += expressions[:1]
        if not expressions:
            item.leave(f"targets.{index}", "no resource of this configuration that AWS Backup selects")
    item.leave("restore_test_days", "tests of a restore are not written")
    region, copy = item.get("copy_to"), None
    if region in catalogue.regions("aws"):
        alias = region.replace("-", "_")
        body = {"provider": Expression(f"aws.{alias}"), "name": f"{item.raw.name}-copy"}
        item.document.put("aws_backup_vault", f"{item.label}_copy", body, item.path)
        copy = reference("aws_backup_vault", f"{item.label}_copy", "arn")
    elif region:
        item.leave("copy_to", "no region of AWS")
    _plan(item, item.label, reference("aws_backup_vault", item.label, "name"), "", arns, copy)


def _recover(label: str, _body: Body, found: Found, record: dict[str, Any]) -> None:
    plan = found("aws_backup_plan").get(label, {})
    record |= _read_rule(plan)
    Tags().read(plan, record)
    chosen = found("aws_backup_selection").get(label, {}).get("resources", [])
    names = [Refers("", "", "").named(arn) for arn in chosen] if isinstance(chosen, list) else []
    record["targets"] = [name for name in names if name]
    copy = found("aws_backup_vault").get(f"{label}_copy", {}).get("provider")
    if isinstance(copy, str):
        record["copy_to"] = copy.removeprefix("aws.").replace("_", "-")


BACKUP = Main(
    "backup",
    "aws_backup_vault",
    (Special(_write_vault), Refers("kms_key", "kms_key_arn", "kms_key", "arn")),
    more=_more,
    recover=_recover,
    name_attribute="name",
)
