"""The account's own protections: audit trail, threat detection, defaults of disks, identities, budget."""

import json
from typing import Any

from prov_gen.export.terraform.aws.replication import PUBLIC_ACCESS
from prov_gen.export.terraform.aws.roles import account, policy
from prov_gen.export.terraform.document import Body, label_of, name_of, reference, referred, unescaped
from prov_gen.export.terraform.item import Item
from prov_gen.export.terraform.rows import Tags, find
from prov_gen.export.terraform.table import Found, Main

_OWN = "main"
_ELSEWHERE = {
    "time_sync": "a setting inside the machines; those of AWS are synchronised",
    "change_approval": "who approves a change is up to the pipeline that runs Terraform",
    "kms_key_id": "it needs encryption_at_rest",
}


def _trail(item: Item) -> None:
    trail = item.inside(item.record.audit_logging, "")
    if not trail.get("enabled"):
        for name in ("retention_days", "all_regions", "tamper_protection"):
            trail.leave(name, "the audit trail is off")
        return
    bucket, name = reference("aws_s3_bucket", "_trail"), f"{item.config.name}-audit-trail"
    item.put("aws_s3_bucket", "_trail", {"bucket_prefix": name[:36]})
    item.put(
        "aws_s3_bucket_public_access_block",
        "_trail",
        {"bucket": bucket} | dict.fromkeys(PUBLIC_ACCESS, True),
    )
    item.put("aws_s3_bucket_versioning", "_trail", {"bucket": bucket, "versioning_configuration": {"status": "Enabled"}})
    rule = {"id": "age", "status": "Enabled", "filter": {}, "expiration": {"days": trail.get("retention_days")}}
    item.put("aws_s3_bucket_lifecycle_configuration", "_trail", {"bucket": bucket, "rule": [rule]})
    arn, service = reference("aws_s3_bucket", "_trail", "arn"), {"Service": "cloudtrail.amazonaws.com"}
    own = account(item)
    allow = {"Effect": "Allow", "Principal": service, "Condition": {"StringEquals": {"aws:SourceAccount": own}}}
    look = allow | {"Action": "s3:GetBucketAcl", "Resource": arn}
    write = allow | {"Action": "s3:PutObject", "Resource": f"{arn}/AWSLogs/{own}/*"}
    item.put("aws_s3_bucket_policy", "_trail", {"bucket": bucket, "policy": policy(look, write)})
    body = {"name": name, "s3_bucket_name": bucket, "include_global_service_events": True, "enable_logging": True}
    body |= {"is_multi_region_trail": trail.get("all_regions"), "enable_log_file_validation": trail.get("tamper_protection")}
    item.put("aws_cloudtrail", _OWN, body | {"depends_on": ["aws_s3_bucket_policy._trail"]})


def _detect(item: Item) -> None:
    if item.get("threat_detection"):
        item.put("aws_guardduty_detector", _OWN, {"enable": True})
        if item.get("malware_protection"):
            detector = {
                "detector_id": reference("aws_guardduty_detector", _OWN),
                "name": "EBS_MALWARE_PROTECTION",
                "status": "ENABLED",
            }
            item.put("aws_guardduty_detector_feature", _OWN, detector)
    else:
        item.leave("malware_protection", "GuardDuty scans disks only where threat detection is on")


def _identities(item: Item) -> None:
    seen = set[str]()
    for index, record in enumerate(item.get("iam_policies")):
        own = item.inside(record, label_of(record.name))
        if own.label in seen:
            item.leave(f"iam_policies.{index}", "another policy has that name")
            continue
        seen.add(own.label)
        statements = [
            {"Effect": one.get("effect").capitalize(), "Action": one.get("actions"), "Resource": one.get("resources")}
            for one in (own.inside(statement, "") for statement in own.get("statements"))
        ]
        body: Body = {"name": own.get("name"), "policy": json.dumps({"Version": "2012-10-17", "Statement": statements})}
        Tags().write(own, body)
        item.put("aws_iam_policy", own.label, body)
    users = set[str]()
    for index, record in enumerate(item.get("iam_users")):
        user = item.inside(record, label_of(record.name))
        if user.label in users:
            item.leave(f"iam_users.{index}", "another user has that name")
            continue
        users.add(user.label)
        _user(item, user, seen)


def _user(item: Item, user: Item, policies: set[str]) -> None:
    body: Body = {"name": user.get("name")}
    Tags().write(user, body)
    item.put("aws_iam_user", user.label, body)
    user.leave("console", "a login profile would write a password into Terraform's state")
    user.leave("mfa", "a second factor is enrolled by its owner")
    user.leave("access_key_rotation_days", "a key would be written into Terraform's state")
    for index, name in enumerate(user.get("policies")):
        label = label_of(name)
        if label not in policies:
            user.leave(f"policies.{index}", "no policy of this configuration has that name")
        elif name not in user.raw.policies[:index]:
            attachment = {
                "user": reference("aws_iam_user", user.label, "name"),
                "policy_arn": reference("aws_iam_policy", label, "arn"),
            }
            item.put("aws_iam_user_policy_attachment", f"{user.label}_{name}", attachment)


def _more(item: Item) -> None:
    for name, reason in _ELSEWHERE.items():
        if name != "kms_key_id" or not item.raw.encryption_at_rest:
            item.leave(name, reason)
    item.put("aws_ebs_encryption_by_default", _OWN, {"enabled": item.get("encryption_at_rest")})
    if item.raw.encryption_at_rest and (key := item.get("kms_key_id")):
        item.put("aws_ebs_default_kms_key", _OWN, {"key_arn": key})
    _trail(item)
    _detect(item)
    _identities(item)


def read_security(found: Found) -> dict[str, Any] | None:
    """The account's protections, when any of their resources is there."""
    kinds = ("aws_ebs_encryption_by_default", "aws_cloudtrail", "aws_guardduty_detector", "aws_iam_policy", "aws_iam_user")
    if not any(found(kind) for kind in kinds):
        return None
    first = {kind: next(iter(found(kind).values()), {}) for kind in (*kinds, "aws_ebs_default_kms_key")}
    trail = first["aws_cloudtrail"]
    audit: dict[str, Any] = {"enabled": bool(trail)}
    if trail:
        audit |= {
            "all_regions": trail.get("is_multi_region_trail") is True,
            "tamper_protection": trail.get("enable_log_file_validation") is True,
        }
        days = find(found("aws_s3_bucket_lifecycle_configuration").get("_trail", {}), "rule.expiration.days")
        audit |= {"retention_days": days} if days else {}
    key = first["aws_ebs_default_kms_key"].get("key_arn")
    security: dict[str, Any] = {
        "encryption_at_rest": first["aws_ebs_encryption_by_default"].get("enabled") is True,
        "audit_logging": audit,
        "threat_detection": first["aws_guardduty_detector"].get("enable") is True,
        "malware_protection": bool(found("aws_guardduty_detector_feature")),
        "iam_policies": [_read_policy(label, body) for label, body in found("aws_iam_policy").items()],
        "iam_users": [_read_user(label, body, found) for label, body in found("aws_iam_user").items()],
    }
    return security | ({"kms_key_id": unescaped(key) or key} if isinstance(key, str) else {})


def _read_policy(label: str, body: Body) -> dict[str, Any]:
    record: dict[str, Any] = {"name": name_of(label)}
    Tags().read(body, record)
    text = unescaped(body["policy"]) if isinstance(body.get("policy"), str) else None
    try:
        document = json.loads(text or "{}")
    except ValueError:
        return record
    statements = document.get("Statement", []) if isinstance(document, dict) else []
    record["statements"] = [
        {
            "effect": str(one.get("Effect", "Allow")).lower(),
            "actions": _many(one.get("Action")),
            "resources": _many(one.get("Resource")),
        }
        for one in (statements if isinstance(statements, list) else [statements])
        if isinstance(one, dict)
    ]
    return record


def _many(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _read_user(label: str, body: Body, found: Found) -> dict[str, Any]:
    record: dict[str, Any] = {"name": name_of(label)}
    Tags().read(body, record)
    attached = found("aws_iam_user_policy_attachment").values()
    own = [referred(extra.get("policy_arn")) for extra in attached if (referred(extra.get("user")) or ("", ""))[1] == label]
    return record | {"policies": [name_of(policy[1]) for policy in own if policy]}


SECURITY = Main("security", "", (), more=_more)


def _budget(item: Item) -> None:
    item.leave("quotas", "quotas are the account's; nothing is asked of AWS")
    amount = item.get("monthly_budget")
    if amount is None:
        item.leave("currency", "there is no budget")
        return
    body = {
        "name": item.config.name,
        "budget_type": "COST",
        "time_unit": "MONTHLY",
        "limit_amount": str(amount),
        "limit_unit": item.get("currency"),
    }
    item.put("aws_budgets_budget", _OWN, body)


def read_limits(found: Found) -> dict[str, Any] | None:
    """The budget."""
    body = next(iter(found("aws_budgets_budget").values()), None)
    try:
        return {"monthly_budget": float(str(body["limit_amount"])), "currency": body.get("limit_unit", "USD")} if body else None
    except (KeyError, ValueError):
        return None


LIMITS = Main("limits", "", (), more=_budget)
