"""Buckets, file systems, queues, registries, log groups and the keys that encrypt them."""

from typing import Any

from prov_gen.export.cloudformation.network import subnets_of
from prov_gen.export.cloudformation.scope import Scope
from prov_gen.export.cloudformation.template import Value, get_att, policy, ref, sub
from prov_gen.export.tracking import path_of

LOG_DAYS = (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653)
"""How long CloudWatch keeps logs. Source: AWS::Logs::LogGroup, RetentionInDays."""
_EVERY_LOG_GROUP = sub("arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:*")
_MOST_QUEUE_DAYS = 14
_DAY = 24 * 60 * 60
_ROTATION = (90, 2560)
PUBLIC_ACCESS = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")


def build_keys(scope: Scope, keys: list[Any]) -> None:
    """Encryption keys, whose account may grant their use; logs may use one that a log group names."""
    for key in keys:
        logical_id = scope.id_of("kms_keys", key.name) or ""
        root = {
            "Effect": "Allow",
            "Principal": {"AWS": sub("arn:${AWS::Partition}:iam::${AWS::AccountId}:root")},
            "Action": "kms:*",
            "Resource": "*",
        }
        logs = {
            "Effect": "Allow",
            "Principal": {"Service": sub("logs.${AWS::Region}.amazonaws.com")},
            "Action": ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:Describe*"],
            # In the policy of a key this is the key alone.
            "Resource": "*",
            "Condition": {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": _EVERY_LOG_GROUP}},
        }
        encrypts_logs = any(group.kms_key == key.name for group in scope.config.log_groups)
        period = key.rotation_days
        if period and not _ROTATION[0] <= period <= _ROTATION[1]:
            scope.ledger.leave((*path_of(key), "rotation_days"), f"AWS rotates every {_ROTATION[0]} to {_ROTATION[1]} days")
        properties = {
            "Description": key.name,
            "EnableKeyRotation": period > 0,
            "RotationPeriodInDays": period if _ROTATION[0] <= period <= _ROTATION[1] else None,
            "PendingWindowInDays": key.deletion_window_days,
            "KeyPolicy": policy(root, *([logs] if encrypts_logs else [])),
            "Tags": scope.tags(key),
        }
        scope.template.add("KMS::Key", properties, logical_id=logical_id, keep="Retain")


def build_buckets(scope: Scope, buckets: list[Any]) -> None:
    """Buckets. Their names are CloudFormation's, because a bucket's name is unique in the world; outputs tell them."""
    for bucket in buckets:
        where = path_of(bucket)
        logical_id = scope.id_of("buckets", bucket.name) or ""
        for field, reason in (("size_gb", "a bucket has no size"), ("replicate_to", "a copy needs a stack in the other region")):
            scope.ledger.leave((*where, field), reason)
        blocked = bucket.block_public
        versioned = bucket.versioning or bucket.object_lock
        if versioned and not bucket.versioning:
            scope.ledger.leave((*where, "versioning"), "a lock on objects needs versions")
        properties = {
            "PublicAccessBlockConfiguration": dict.fromkeys(PUBLIC_ACCESS, blocked),
            "OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
            "VersioningConfiguration": {"Status": "Enabled"} if versioned else None,
            "BucketEncryption": _encryption(scope, bucket),
            "LoggingConfiguration": _logging(scope, bucket),
            "LifecycleConfiguration": _lifecycle(scope, bucket),
            "ObjectLockEnabled": True if bucket.object_lock else None,
            "Tags": scope.tags(bucket),
        }
        scope.template.add("S3::Bucket", properties, logical_id=logical_id, keep="Retain")
        scope.template.output(logical_id, "name", ref(logical_id), f"Name of the bucket {bucket.name}")
        _bucket_policy(scope, bucket, logical_id)


def _encryption(scope: Scope, bucket: Any) -> Value:
    if bucket.encryption == "none":
        scope.ledger.leave((*path_of(bucket), "encryption"), "AWS encrypts every object")
        return None
    made: dict[str, Value] = {"SSEAlgorithm": "AES256" if bucket.encryption == "aes256" else "aws:kms"}
    if bucket.encryption == "kms" and (key := scope.key_of(bucket)):
        made["KMSMasterKeyID"] = key
    return {"ServerSideEncryptionConfiguration": [{"ServerSideEncryptionByDefault": made}]}


def _logging(scope: Scope, bucket: Any) -> Value:
    if bucket.log_bucket is None:
        return None
    target = scope.id_of("buckets", bucket.log_bucket)
    if target is None or bucket.log_bucket == bucket.name:
        scope.ledger.leave((*path_of(bucket), "log_bucket"), "no other bucket in this template has that name")
        return None
    return {"DestinationBucketName": ref(target), "LogFilePrefix": f"{bucket.name}/"}


def _lifecycle(scope: Scope, bucket: Any) -> Value:
    lifecycle = bucket.lifecycle
    if lifecycle is None:
        return None
    rule: dict[str, Value] = {"Id": "age", "Status": "Enabled"}
    if lifecycle.expire_days:
        rule["ExpirationInDays"] = lifecycle.expire_days
    if lifecycle.archive_days and lifecycle.expire_days and lifecycle.expire_days <= lifecycle.archive_days:
        scope.ledger.leave((*path_of(lifecycle), "archive_days"), "objects are deleted before")
    elif lifecycle.archive_days:
        rule["Transitions"] = [{"StorageClass": "GLACIER", "TransitionInDays": lifecycle.archive_days}]
    return {"Rules": [rule]} if len(rule) > 2 else None


def _bucket_policy(scope: Scope, bucket: Any, logical_id: str) -> None:
    arn = get_att(logical_id, "Arn")
    objects = sub(f"${{{logical_id}.Arn}}/*")
    statements = []
    if bucket.secure_transport_only:
        secure = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": [arn, objects]}
        statements.append(secure | {"Condition": {"Bool": {"aws:SecureTransport": "false"}}})
    if bucket.access == "public_read":
        if bucket.block_public:
            scope.ledger.leave((*path_of(bucket), "access"), "public access is blocked, which wins")
        else:
            statements.append({"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": objects})
    delivery = {"Effect": "Allow", "Action": "s3:PutObject", "Resource": objects}
    account = {"StringEquals": {"aws:SourceAccount": ref("AWS::AccountId")}}
    if any(one.log_bucket == bucket.name for one in scope.config.buckets):
        statements.append(delivery | {"Principal": {"Service": "logging.s3.amazonaws.com"}, "Condition": account})
    if any(one.log_bucket == bucket.name for one in scope.config.load_balancers):
        statements.append(delivery | {"Principal": {"Service": "logdelivery.elasticloadbalancing.amazonaws.com"}})
    if statements:
        scope.template.add(
            "S3::BucketPolicy", {"Bucket": ref(logical_id), "PolicyDocument": policy(*statements)}, logical_id, "Policy"
        )


def build_file_systems(scope: Scope, file_systems: list[Any]) -> None:
    """File systems, with a mount target in each subnet that they name."""
    for record in file_systems:
        logical_id = scope.id_of("file_systems", record.name) or ""
        scope.ledger.leave((*path_of(record), "size_gb"), "an EFS file system grows by itself")
        properties = {
            "Encrypted": record.encrypted,
            "KmsKeyId": scope.key_of(record) if record.encrypted else None,
            "FileSystemTags": scope.tags(record),
        }
        scope.template.add("EFS::FileSystem", properties, logical_id=logical_id, keep="Retain")
        subnets = subnets_of(scope, record.subnets, (*path_of(record), "subnets"))
        for number, subnet in enumerate(subnets if isinstance(subnets, list) else []):
            # Without a group of its own a mount target has the network's default group.
            target = {"FileSystemId": ref(logical_id), "SubnetId": subnet, "SecurityGroups": [_default_group(scope, record)]}
            scope.template.add("EFS::MountTarget", target, logical_id, "Mount", str(number + 1))


def _default_group(scope: Scope, record: Any) -> Value:
    kind = "AWS::EC2::SecurityGroup::Id"
    return scope.template.parameter(("group before", record.name), kind, f"Security group that lets NFS through to {record.name}")


def build_queues(scope: Scope, queues: list[Any]) -> None:
    """Queues (SQS) and topics (SNS)."""
    for queue in queues:
        logical_id = scope.id_of("queues", queue.name) or ""
        key = scope.key_of(queue) if queue.encrypted else None
        if queue.kind == "topic":
            scope.ledger.leave((*path_of(queue), "retention_days"), "a topic keeps nothing")
            managed = "alias/aws/sns" if queue.encrypted else None
            topic = {"KmsMasterKeyId": key or managed, "FifoTopic": True if queue.fifo else None, "Tags": scope.tags(queue)}
            scope.template.add("SNS::Topic", topic, logical_id=logical_id)
            continue
        if queue.retention_days > _MOST_QUEUE_DAYS:
            scope.ledger.leave((*path_of(queue), "retention_days"), f"SQS keeps a message {_MOST_QUEUE_DAYS} days at most")
        properties = {
            "FifoQueue": True if queue.fifo else None,
            "KmsMasterKeyId": key,
            "SqsManagedSseEnabled": queue.encrypted if key is None else None,
            "MessageRetentionPeriod": min(queue.retention_days, _MOST_QUEUE_DAYS) * _DAY,
            "Tags": scope.tags(queue),
        }
        scope.template.add("SQS::Queue", properties, logical_id=logical_id, keep="Retain")


def build_registries(scope: Scope, registries: list[Any]) -> None:
    """Image registries."""
    for record in registries:
        properties = {
            "ImageScanningConfiguration": {"ScanOnPush": record.scan_on_push},
            "ImageTagMutability": "IMMUTABLE" if record.immutable_tags else "MUTABLE",
            "Tags": scope.tags(record),
        }
        scope.template.add("ECR::Repository", properties, logical_id=scope.id_of("registries", record.name) or "", keep="Retain")


def build_log_groups(scope: Scope, groups: list[Any]) -> None:
    """Log groups, kept for the next of the spans that CloudWatch knows."""
    for group in groups:
        days = next((days for days in LOG_DAYS if days >= group.retention_days), LOG_DAYS[-1])
        if days != group.retention_days:
            scope.ledger.leave(
                (*path_of(group), "retention_days"), f"CloudWatch knows only certain spans; {days} days are written"
            )
        properties = {"RetentionInDays": days, "KmsKeyId": scope.key_of(group), "Tags": scope.tags(group)}
        scope.template.add("Logs::LogGroup", properties, logical_id=scope.id_of("log_groups", group.name) or "", keep="Retain")
