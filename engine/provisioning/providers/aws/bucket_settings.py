"""What is set on a bucket: each setting knows how it is put and what it tells."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from provisioning.errors import ProviderError
from provisioning.providers.aws.client import Aws
from provisioning.providers.aws.keys import key_of
from provisioning.providers.aws.kind import concerns
from provisioning.providers.base import Calls
from provisioning.resource import Wanted

_TLS, _READ, _LOGS, _BALANCER_LOGS = "OnlyTls", "PublicRead", "AccessLogs", "BalancerLogs"
"""Statements of a bucket's policy that are ours; others stay as they are. The last two follow from who writes logs into it."""

LIFECYCLE_RULE = "stratumops"
_NO_ACCESS = {"BlockPublicAcls": True, "IgnorePublicAcls": True, "BlockPublicPolicy": True, "RestrictPublicBuckets": True}

Put = Callable[[Aws, str, Wanted, Calls], None]
Tell = Callable[[Aws, str, Mapping[str, Any] | None], dict[str, Any]]


def _arn(aws: Aws, name: str) -> str:
    return f"arn:{'aws-cn' if aws.region.startswith('cn-') else 'aws'}:s3:::{name}"


def _put_block(aws: Aws, name: str, wanted: Wanted, calls: Calls) -> None:
    if wanted.values["block_public"]:
        aws.change(calls, "s3", "put_public_access_block", Bucket=name, PublicAccessBlockConfiguration=_NO_ACCESS)
    else:
        aws.remove(calls, "s3", "delete_public_access_block", Bucket=name)


def _tell_block(aws: Aws, name: str, _: Mapping[str, Any] | None) -> dict[str, Any]:
    block = aws.look("s3", "get_public_access_block", Bucket=name).get("PublicAccessBlockConfiguration", {})
    return {"block_public": all(block.get(key) for key in _NO_ACCESS)}


def _put_versioning(aws: Aws, name: str, wanted: Wanted, calls: Calls) -> None:
    now = aws.call("s3", "get_bucket_versioning", Bucket=name).get("Status")
    if wanted.values["versioning"]:
        status = "Enabled"
    elif now == "Enabled":
        # What was versioned once cannot become unversioned; old versions stay.
        status = "Suspended"
    else:
        return
    if now != status:
        aws.change(calls, "s3", "put_bucket_versioning", Bucket=name, VersioningConfiguration={"Status": status})


def _tell_versioning(aws: Aws, name: str, _: Mapping[str, Any] | None) -> dict[str, Any]:
    return {"versioning": aws.call("s3", "get_bucket_versioning", Bucket=name).get("Status") == "Enabled"}


def _put_encryption(aws: Aws, name: str, wanted: Wanted, calls: Calls) -> None:
    kind = wanted.values["encryption"]
    if kind == "none":
        aws.remove(calls, "s3", "delete_bucket_encryption", Bucket=name)
        return
    rule: dict[str, Any] = {"SSEAlgorithm": "AES256" if kind == "aes256" else "aws:kms"}
    if kind == "kms" and (key := key_of(aws, wanted)):
        rule["KMSMasterKeyID"] = key
    rules = {"Rules": [{"ApplyServerSideEncryptionByDefault": rule, "BucketKeyEnabled": kind == "kms"}]}
    aws.change(calls, "s3", "put_bucket_encryption", Bucket=name, ServerSideEncryptionConfiguration=rules)


def _tell_encryption(aws: Aws, name: str, values: Mapping[str, Any] | None) -> dict[str, Any]:
    found = aws.look("s3", "get_bucket_encryption", Bucket=name).get("ServerSideEncryptionConfiguration", {}).get("Rules", [])
    if not found:
        return {"encryption": "none"}
    algorithm = found[0].get("ApplyServerSideEncryptionByDefault", {}).get("SSEAlgorithm", "")
    told = "kms" if algorithm.startswith("aws:kms") else "aes256"
    # S3 encrypts every object since 2023, also where nobody asked.
    return {} if told == "aes256" and (values or {}).get("encryption") == "none" else {"encryption": told}


def _statements(aws: Aws, name: str) -> list[dict[str, Any]]:
    text = aws.look("s3", "get_bucket_policy", Bucket=name).get("Policy")
    found = json.loads(text).get("Statement", []) if text else []
    return found if isinstance(found, list) else [found]


def _wanted_statements(aws: Aws, name: str, wanted: Wanted) -> list[dict[str, Any]]:
    arn = _arn(aws, name)
    found: list[dict[str, Any]] = []
    if wanted.values["secure_transport_only"]:
        found.append(
            {
                "Sid": _TLS,
                "Effect": "Deny",
                "Principal": {"AWS": "*"},
                "Action": "s3:*",
                "Resource": [arn, f"{arn}/*"],
                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            }
        )
    if wanted.values["access"] == "public_read":
        found.append(
            {"Sid": _READ, "Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "s3:GetObject", "Resource": f"{arn}/*"}
        )
    return found


def _put_policy(aws: Aws, name: str, wanted: Wanted, calls: Calls) -> None:
    now = _statements(aws, name)
    kept = [one for one in now if one.get("Sid") not in (_TLS, _READ)]
    shall = kept + _wanted_statements(aws, name, wanted)
    _write_policy(aws, name, now, shall, calls)


def _write_policy(aws: Aws, name: str, now: list[dict[str, Any]], shall: list[dict[str, Any]], calls: Calls) -> None:
    def by_sid(statements: list[dict[str, Any]]) -> list[str]:
        return sorted(json.dumps(one, sort_keys=True) for one in statements)

    if by_sid(now) == by_sid(shall):
        return
    if shall:
        policy = json.dumps({"Version": "2012-10-17", "Statement": shall})
        aws.change(calls, "s3", "put_bucket_policy", Bucket=name, Policy=policy)
    else:
        aws.remove(calls, "s3", "delete_bucket_policy", Bucket=name)


def _tell_policy(aws: Aws, name: str, _: Mapping[str, Any] | None) -> dict[str, Any]:
    statements = _statements(aws, name)
    return {
        "secure_transport_only": any(
            one.get("Effect") == "Deny" and "aws:SecureTransport" in json.dumps(one.get("Condition", {})) for one in statements
        ),
        "access": "public_read" if any(one.get("Effect") == "Allow" and _is_anyone(one) for one in statements) else "private",
    }


def _is_anyone(statement: Mapping[str, Any]) -> bool:
    principal = statement.get("Principal")
    return principal == "*" or (isinstance(principal, Mapping) and principal.get("AWS") == "*")


def _put_lifecycle(aws: Aws, name: str, wanted: Wanted, calls: Calls) -> None:
    now = aws.look("s3", "get_bucket_lifecycle_configuration", Bucket=name).get("Rules", [])
    kept = [rule for rule in now if rule.get("ID") != LIFECYCLE_RULE]
    lifecycle = wanted.values.get("lifecycle") or {}
    rule: dict[str, Any] = {"ID": LIFECYCLE_RULE, "Status": "Enabled", "Filter": {"Prefix": ""}}
    if lifecycle.get("expire_days"):
        rule["Expiration"] = {"Days": lifecycle["expire_days"]}
        rule["NoncurrentVersionExpiration"] = {"NoncurrentDays": lifecycle["expire_days"]}
    if lifecycle.get("archive_days"):
        rule["Transitions"] = [{"Days": lifecycle["archive_days"], "StorageClass": "GLACIER"}]
    rules = [*kept, rule] if lifecycle.get("expire_days") or lifecycle.get("archive_days") else kept
    if rules:
        configuration = {"Rules": rules}
        aws.change(calls, "s3", "put_bucket_lifecycle_configuration", Bucket=name, LifecycleConfiguration=configuration)
    elif now:
        aws.remove(calls, "s3", "delete_bucket_lifecycle", Bucket=name)


def _tell_lifecycle(aws: Aws, name: str, _: Mapping[str, Any] | None) -> dict[str, Any]:
    found = aws.look("s3", "get_bucket_lifecycle_configuration", Bucket=name).get("Rules", [])
    rules = [rule for rule in found if rule.get("Status") == "Enabled"]
    expire = [rule["Expiration"]["Days"] for rule in rules if rule.get("Expiration", {}).get("Days")]
    archive = [move["Days"] for rule in rules for move in rule.get("Transitions", ()) if move.get("Days")]
    return {"lifecycle": {"expire_days": min(expire, default=None), "archive_days": min(archive, default=None)}}


def _put_logging(aws: Aws, name: str, wanted: Wanted, calls: Calls) -> None:
    target = wanted.values.get("log_bucket")
    if target:
        refs = wanted.named("log_bucket")
        target = refs[0].id if refs else target
        _let_logs_in(aws, target, _LOGS, "logging.s3.amazonaws.com", calls)
        status = {"LoggingEnabled": {"TargetBucket": target, "TargetPrefix": f"{name}/"}}
    else:
        if not aws.call("s3", "get_bucket_logging", Bucket=name).get("LoggingEnabled"):
            return
        status = {}
    aws.change(calls, "s3", "put_bucket_logging", Bucket=name, BucketLoggingStatus=status)


def let_balancer_logs_in(aws: Aws, target: str, calls: Calls) -> None:
    """Let load balancers write their access logs into a bucket."""
    _let_logs_in(aws, target, _BALANCER_LOGS, "logdelivery.elasticloadbalancing.amazonaws.com", calls)


def _let_logs_in(aws: Aws, target: str, sid: str, service: str, calls: Calls) -> None:
    """Services write logs only where the receiving bucket's policy lets them."""
    with aws.clients.lock(f"bucket {target}"):
        now = _statements(aws, target)
        if any(one.get("Sid") == sid for one in now):
            return
        principal = {"Service": service}
        resource = f"{_arn(aws, target)}/*"
        mine = {"Sid": sid, "Effect": "Allow", "Principal": principal, "Action": "s3:PutObject", "Resource": resource}
        _write_policy(aws, target, now, [*now, mine], calls)


def _tell_logging(aws: Aws, name: str, _: Mapping[str, Any] | None) -> dict[str, Any]:
    enabled = aws.call("s3", "get_bucket_logging", Bucket=name).get("LoggingEnabled") or {}
    return {"log_bucket": enabled.get("TargetBucket")}


def _put_lock(aws: Aws, name: str, wanted: Wanted, calls: Calls) -> None:
    has = _tell_lock(aws, name, None)["object_lock"]
    if wanted.values.get("object_lock") and not has:
        lock = {"ObjectLockEnabled": "Enabled"}
        aws.change(calls, "s3", "put_object_lock_configuration", Bucket=name, ObjectLockConfiguration=lock)


def _tell_lock(aws: Aws, name: str, _: Mapping[str, Any] | None) -> dict[str, Any]:
    lock = aws.look("s3", "get_object_lock_configuration", Bucket=name).get("ObjectLockConfiguration", {})
    return {"object_lock": lock.get("ObjectLockEnabled") == "Enabled"}


@dataclass(frozen=True, slots=True)
class _Setting:
    fields: tuple[str, ...]
    put: Put
    tell: Tell


# In the order in which they are put: a public policy is refused while public access is blocked.
_SETTINGS = (
    _Setting(("block_public",), _put_block, _tell_block),
    _Setting(("versioning",), _put_versioning, _tell_versioning),
    _Setting(("encryption", "kms_key"), _put_encryption, _tell_encryption),
    _Setting(("secure_transport_only", "access"), _put_policy, _tell_policy),
    _Setting(("lifecycle",), _put_lifecycle, _tell_lifecycle),
    _Setting(("log_bucket",), _put_logging, _tell_logging),
    _Setting(("object_lock",), _put_lock, _tell_lock),
)


def bring(aws: Aws, name: str, wanted: Wanted, paths: frozenset[str], calls: Calls) -> None:
    """Put the settings that `paths` are about (`*`: all). Raises ProviderErrors."""
    if wanted.values.get("replicate_to") and (paths & {"*", "replicate_to"}):
        raise ProviderError(
            f"AWS: {wanted.address} asks for a copy in {wanted.values['replicate_to']}, which this provider does not set up",
            hint="Leave replicate_to out, and set up replication in S3.",
        )
    for setting in _SETTINGS:
        if "*" in paths or concerns(paths, *setting.fields):
            setting.put(aws, name, wanted, calls)


def told_of(aws: Aws, name: str, values: Mapping[str, Any] | None) -> dict[str, Any]:
    """What all settings tell."""
    told: dict[str, Any] = {}
    for setting in _SETTINGS:
        told |= setting.tell(aws, name, values)
    return told
