"""Scheduled backups by AWS Backup: those of single resources, and backup plans.

Sources: AWS Backup Developer Guide; EventBridge "Cron expressions" for the six fields.
"""

import re
from typing import Any

from prov_gen.export.cloudformation.compute import arn
from prov_gen.export.cloudformation.scope import Scope
from prov_gen.export.cloudformation.template import Value, assumed_by, get_att, ref, sub
from prov_gen.export.tracking import path_of

_WORDS = {
    "@hourly": "cron(0 * * * ? *)",
    "@daily": "cron(0 5 * * ? *)",
    "@weekly": "cron(0 5 ? * SUN *)",
    "@monthly": "cron(0 5 1 * ? *)",
}
_NUMBER = re.compile(r"\d{1,2}")
_BOUNDS = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
_DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")
_OWN = (("servers", "instance"), ("volumes", "volume"), ("file_systems", "file system"))
_NO_PLACE = "what AWS Backup keeps follows from the vault's key"


def schedule(cron: str) -> str | None:
    """A cron expression as AWS writes it; None for one that says more than plain numbers and stars."""
    if cron in _WORDS:
        return _WORDS[cron]
    fields = cron.split(" ")
    if len(fields) != len(_BOUNDS):
        return None
    for text, (least, most) in zip(fields, _BOUNDS, strict=True):
        if text != "*" and not (_NUMBER.fullmatch(text) and least <= int(text) <= most):
            return None
    minute, hour, day, month, weekday = (text if text == "*" else str(int(text)) for text in fields)
    if weekday != "*":
        # AWS takes a day of the month or of the week; cron takes either of two.
        return None if day != "*" else f"cron({minute} {hour} ? {month} {_DAYS[int(weekday)]} *)"
    return f"cron({minute} {hour} {day} {month} ? *)"


class Backups:
    """The vault and the role that all plans of a template share; they are made when the first plan needs them."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._vault = self._role = ""

    def plan(self, name: str, cron: str, days: int, resources: list[Value], tags: dict[str, str]) -> bool:
        """Add a plan; False where AWS has no such schedule."""
        when = schedule(cron)
        if when is None:
            return False
        template = self._scope.template
        if not self._vault:
            self._vault = template.add(
                "Backup::BackupVault", {"BackupVaultName": sub("${AWS::StackName}")}, "backup", "vault", keep="Retain"
            )
            managed = [sub("arn:${AWS::Partition}:iam::aws:policy/service-role/AWSBackupServiceRolePolicyForBackup")]
            managed.append(sub("arn:${AWS::Partition}:iam::aws:policy/AWSBackupServiceRolePolicyForS3Backup"))
            role = {"AssumeRolePolicyDocument": assumed_by("backup.amazonaws.com"), "ManagedPolicyArns": managed}
            self._role = template.add("IAM::Role", role, "backup", "role")
        rule = {
            "RuleName": "scheduled",
            "TargetBackupVault": ref(self._vault),
            "ScheduleExpression": when,
            "Lifecycle": {"DeleteAfterDays": days},
        }
        properties = {"BackupPlan": {"BackupPlanName": name, "BackupPlanRule": [rule]}, "BackupPlanTags": tags}
        plan = template.add("Backup::BackupPlan", properties, name, "backup")
        selected = {"SelectionName": "targets", "IamRoleArn": get_att(self._role, "Arn"), "Resources": resources}
        template.add("Backup::BackupSelection", {"BackupPlanId": ref(plan), "BackupSelection": selected}, name, "selection")
        return True


def build_backups(scope: Scope, plans: list[Any], records: list[tuple[str, Any]]) -> None:
    """Backups of servers, volumes and file systems, and plans of several resources."""
    backups = Backups(scope)
    for field, record in records:
        backup = record.backup
        if backup is None or not backup.enabled:
            continue
        name = f"{record.name}-{field.replace('_', '-')}"[:50]
        resource = _arn(field, scope.id_of(field, record.name) or "")
        if not backups.plan(name, backup.schedule, backup.retention_days, [resource], scope.tag_map(record)):
            scope.ledger.leave(path_of(backup), "its schedule is none that AWS Backup can say")
    for plan in plans:
        where = path_of(plan)
        scope.ledger.leave((*where, "kms_key"), _NO_PLACE)
        scope.ledger.leave((*where, "encrypted"), "AWS Backup encrypts every backup")
        scope.ledger.leave((*where, "copy_to"), "a copy needs a vault in the other region")
        scope.ledger.leave(
            (*where, "restore_test_days"), "a test of a restore is a plan of its own, with resources to restore into"
        )
        resources = []
        for index, target in enumerate(plan.targets):
            found = [
                _arn(field, made)
                for field in _FIELDS
                if (made := scope.id_of(field, target)) in scope.template.resources and made
            ]
            resources += [one for one in found if one not in resources]
            if not found:
                scope.ledger.leave((*where, "targets", index), "nothing in this template that AWS Backup backs up has that name")
        if not resources or not backups.plan(plan.name[:50], plan.schedule, plan.retention_days, resources, scope.tag_map(plan)):
            reason = "its schedule is none that AWS Backup can say" if resources else "it has no target in this template"
            scope.ledger.leave(where, reason)


_FIELDS = ("servers", "databases", "volumes", "file_systems", "buckets")


def _arn(field: str, logical_id: str) -> Value:
    if field in ("servers", "volumes"):
        return arn("instance" if field == "servers" else "volume", logical_id)
    return get_att(logical_id, "DBInstanceArn" if field == "databases" else "Arn")
