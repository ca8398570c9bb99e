"""What holds for the account: its audit trail, threat detection, policies, users, the budget."""

import re
from typing import Any

from prov_gen.export.cloudformation.scope import PROVIDER, Scope
from prov_gen.export.cloudformation.storage import PUBLIC_ACCESS
from prov_gen.export.cloudformation.template import Value, get_att, policy, ref, sub
from prov_gen.export.tracking import path_of

_ACTION = re.compile(r"\*|[a-z0-9-]+:[A-Za-z0-9*?]+")
_RESOURCE = re.compile(r"\*|arn:[a-z-]+:[a-z0-9-]+:[a-z0-9-]*:[0-9]*:[!-~]+")


def build_account(scope: Scope) -> None:
    """The account's own protections, where the configuration is AWS's."""
    for field in ("security", "limits"):
        if getattr(scope.config, field) is not None and scope.config.provider != PROVIDER:
            scope.ledger.leave((field,), f"{scope.config.provider} is no provider that CloudFormation knows")
            return
    if scope.config.security is not None:
        security = scope.root.security
        if security.audit_logging.enabled:
            _trail(scope, security.audit_logging)
        if security.threat_detection:
            scope.template.add("GuardDuty::Detector", {"Enable": True}, "threat", "detection")
        for record in security.iam_policies:
            _policy(scope, record)
        for user in security.iam_users:
            _user(scope, user)
    if scope.config.limits is not None and scope.config.limits.monthly_budget is not None:
        _budget(scope, scope.root.limits)


def _trail(scope: Scope, audit: Any) -> None:
    """The audit trail, and the bucket that keeps it for as long as is stated."""
    template = scope.template
    closed = dict.fromkeys(PUBLIC_ACCESS, True)
    expire = {"Id": "age", "Status": "Enabled", "ExpirationInDays": audit.retention_days}
    properties = {
        "PublicAccessBlockConfiguration": closed,
        "VersioningConfiguration": {"Status": "Enabled"},
        "LifecycleConfiguration": {"Rules": [expire]},
    }
    bucket = template.add("S3::Bucket", properties, "audit", "bucket", keep="Retain")
    service = {"Effect": "Allow", "Principal": {"Service": "cloudtrail.amazonaws.com"}}
    account = {"StringEquals": {"aws:SourceAccount": ref("AWS::AccountId")}}
    write = service | {
        "Action": "s3:PutObject",
        "Resource": sub(f"${{{bucket}.Arn}}/AWSLogs/${{AWS::AccountId}}/*"),
        "Condition": account,
    }
    look = service | {"Action": "s3:GetBucketAcl", "Resource": get_att(bucket, "Arn"), "Condition": account}
    allowed = template.add("S3::BucketPolicy", {"Bucket": ref(bucket), "PolicyDocument": policy(look, write)}, "audit", "policy")
    trail = {
        "IsLogging": True,
        "S3BucketName": ref(bucket),
        "IsMultiRegionTrail": audit.all_regions,
        "IncludeGlobalServiceEvents": True,
        "EnableLogFileValidation": audit.tamper_protection,
    }
    template.add("CloudTrail::Trail", trail, "audit", "trail", after=allowed)


def _policy(scope: Scope, record: Any) -> None:
    where = path_of(record)
    logical_id = scope.reserve("iam_policies", record.name)
    statements = [made for one in record.statements if (made := _statement(scope, one))]
    if logical_id is None or not statements:
        reason = f"another policy is called {record.name}" if logical_id is None else "it has no statement that AWS takes"
        scope.ledger.leave(where, reason)
        return
    scope.ledger.leave((*where, "tags"), "CloudFormation gives a policy no tags")
    document = {"PolicyDocument": policy(*statements), "Description": record.name}
    scope.template.add("IAM::ManagedPolicy", document, logical_id=logical_id)


def _statement(scope: Scope, statement: Any) -> dict[str, Value] | None:
    where = path_of(statement)
    kept: dict[str, list[str]] = {}
    for field, form in (("actions", _ACTION), ("resources", _RESOURCE)):
        kept[field] = []
        for index, text in enumerate(getattr(statement, field)):
            if form.fullmatch(text) and scope.text(text, (*where, field, index)):
                kept[field].append(text)
            else:
                scope.ledger.leave((*where, field, index), f"no {field[:-1]} of AWS")
    if not kept["actions"] or not kept["resources"]:
        scope.ledger.leave(where, "it has no actions or no resources of AWS")
        return None
    unique = {field: list(dict.fromkeys(texts)) for field, texts in kept.items()}
    return {"Effect": statement.effect.capitalize(), "Action": unique["actions"], "Resource": unique["resources"]}


def _user(scope: Scope, user: Any) -> None:
    where = path_of(user)
    logical_id = scope.reserve("iam_users", user.name)
    if logical_id is None:
        scope.ledger.leave(where, f"another user is called {user.name}")
        return
    for field, reason in (
        ("console", "a password is a secret: set it by hand"),
        ("access_key_rotation_days", "CloudFormation rotates no keys"),
    ):
        scope.ledger.leave((*where, field), reason)
    if user.mfa:
        scope.ledger.tell((*where, "mfa"), "a second factor is registered by its owner")
    policies = []
    for index, name in enumerate(user.policies):
        found = scope.id_of("iam_policies", name)
        if found and found in scope.template.resources:
            policies.append(ref(found))
        else:
            scope.ledger.leave((*where, "policies", index), f"no policy in this template is called {name}")
    unique = [one for index, one in enumerate(policies) if one not in policies[:index]]
    scope.template.add("IAM::User", {"ManagedPolicyArns": unique or None, "Tags": scope.tags(user)}, logical_id=logical_id)


def _budget(scope: Scope, limits: Any) -> None:
    if limits.currency != "USD":
        scope.ledger.leave(("limits", "monthly_budget"), "AWS counts a budget in USD")
        scope.ledger.leave(("limits", "currency"), "AWS counts a budget in USD")
        return
    budget = {
        "BudgetType": "COST",
        "TimeUnit": "MONTHLY",
        "BudgetLimit": {"Amount": limits.monthly_budget, "Unit": limits.currency},
    }
    scope.template.add("Budgets::Budget", {"Budget": budget}, "monthly", "budget")
