"""Buckets, file systems, queues and topics."""

from typing import Any

from prov_gen.export.terraform.aws.backup import back_up, recover_backup
from prov_gen.export.terraform.aws.replication import PUBLIC_ACCESS, replica_region, replicate
from prov_gen.export.terraform.aws.roles import policy
from prov_gen.export.terraform.document import Body, name_of, reference, referred
from prov_gen.export.terraform.item import Item
from prov_gen.export.terraform.rows import Attribute, Refers, Special, Tags, find, settle
from prov_gen.export.terraform.table import Beside, Found, Main, linked

_RULE = "rule.apply_server_side_encryption_by_default"
_POLICY = "aws_s3_bucket_policy"


def _write_encryption(item: Item, body: Body) -> None:
    words = {"aes256": "AES256", "kms": "aws:kms"}
    body["rule"] = {"apply_server_side_encryption_by_default": {"sse_algorithm": words[item.get("encryption")]}}
    Refers("kms_key", f"{_RULE}.kms_master_key_id", "kms_key", "arn").write(item, body)


def _read_encryption(body: Body, record: dict[str, Any]) -> None:
    found = {"AES256": "aes256", "aws:kms": "kms"}.get(str(find(body, f"{_RULE}.sse_algorithm")))
    record["encryption"] = found or "none"
    Refers("kms_key", f"{_RULE}.kms_master_key_id", "kms_key", "arn").read(body, record)


def _write_block(item: Item, body: Body) -> None:
    body |= dict.fromkeys(PUBLIC_ACCESS, item.get("block_public"))


def _read_block(body: Body, record: dict[str, Any]) -> None:
    record["block_public"] = all(body.get(name) is True for name in PUBLIC_ACCESS)


def _write_lifecycle(item: Item, body: Body) -> None:
    rule: Body = {"id": "age", "status": "Enabled", "filter": {}}
    if (days := item.get("lifecycle.expire_days")) is not None:
        rule["expiration"] = {"days": days}
    if (days := item.get("lifecycle.archive_days")) is not None:
        rule["transition"] = [{"days": days, "storage_class": "GLACIER"}]
    body["rule"] = [rule]


def _read_lifecycle(body: Body, record: dict[str, Any]) -> None:
    for field, attribute in (("expire_days", "rule.expiration.days"), ("archive_days", "rule.transition.days")):
        if find(body, attribute) is not None:
            settle(record, f"lifecycle.{field}", find(body, attribute))


def _has_lifecycle(bucket: Any) -> bool:
    return bool(bucket.lifecycle and (bucket.lifecycle.expire_days or bucket.lifecycle.archive_days))


def _policy(item: Item) -> None:
    arn = reference("aws_s3_bucket", item.label, "arn")
    statements = []
    if item.get("secure_transport_only"):
        condition = {"Bool": {"aws:SecureTransport": "false"}}
        everything = [str(arn), f"{arn}/*"]
        statements.append(
            {
                "Sid": "SecureTransportOnly",
                "Effect": "Deny",
                "Principal": "*",
                "Action": "s3:*",
                "Resource": everything,
                "Condition": condition,
            }
        )
    if item.get("access") == "public_read":
        statements.append(
            {"Sid": "PublicRead", "Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": f"{arn}/*"}
        )
    if statements:
        item.put(_POLICY, item.label, {"bucket": reference("aws_s3_bucket", item.label), "policy": policy(*statements)})


def _more(item: Item) -> None:
    item.leave("size_gb", "an expectation, for its price; a bucket has no size")
    if item.raw.lifecycle and not _has_lifecycle(item.raw):
        item.leave("lifecycle", "it says nothing")
    target = item.refer("bucket", item.raw.log_bucket) if item.get("log_bucket") else None
    if target:
        body = {"bucket": reference("aws_s3_bucket", item.label), "target_bucket": target, "target_prefix": f"{item.raw.name}/"}
        item.put("aws_s3_bucket_logging", item.label, body)
    else:
        item.leave("log_bucket", "no bucket of this configuration and provider has that name")
    if item.raw.encryption != "kms":
        item.leave("kms_key", "it needs encryption kms")
    if item.raw.encryption == "none":
        item.get("encryption")
    _policy(item)
    if region := item.get("replicate_to"):
        replicate(item, region)


def _recover(label: str, _body: Body, found: Found, record: dict[str, Any]) -> None:
    policy = linked(found(_POLICY), "aws_s3_bucket", label, "bucket")
    text = policy[1].get("policy", "") if policy else ""
    record["secure_transport_only"] = "aws:SecureTransport" in str(text)
    record["access"] = "public_read" if '"PublicRead"' in str(text) else "private"
    logging = linked(found("aws_s3_bucket_logging"), "aws_s3_bucket", label, "bucket")
    target = referred(logging[1].get("target_bucket")) if logging else None
    if target:
        record["log_bucket"] = name_of(target[1])
    if region := replica_region(label, found):
        record["replicate_to"] = region


BUCKET = Main(
    "bucket",
    "aws_s3_bucket",
    (Attribute("name", "bucket"), Attribute("object_lock", "object_lock_enabled", absent=False), Tags()),
    (
        Beside(
            "aws_s3_bucket_versioning",
            ("bucket", "id"),
            (Attribute("versioning", "versioning_configuration.status", {True: "Enabled", False: "Suspended"}, absent=False),),
        ),
        Beside(
            "aws_s3_bucket_server_side_encryption_configuration",
            ("bucket", "id"),
            (Special(_write_encryption, _read_encryption),),
            when=lambda bucket: bucket.encryption != "none",
        ),
        Beside("aws_s3_bucket_public_access_block", ("bucket", "id"), (Special(_write_block, _read_block),)),
        Beside(
            "aws_s3_bucket_lifecycle_configuration",
            ("bucket", "id"),
            (Special(_write_lifecycle, _read_lifecycle),),
            when=_has_lifecycle,
        ),
    ),
    more=_more,
    recover=_recover,
)


def _mount(item: Item) -> None:
    item.leave("size_gb", "an expectation, for its price; EFS grows by itself")
    back_up(item, "file_system", reference("aws_efs_file_system", item.label, "arn"))
    for index, name in enumerate(item.get("subnets")):
        subnet = item.refer("subnet", name)
        if subnet is None:
            item.leave(f"subnets.{index}", "no subnet of this configuration and provider has that name")
        elif name not in item.raw.subnets[:index]:
            body = {"file_system_id": reference("aws_efs_file_system", item.label), "subnet_id": subnet}
            item.put("aws_efs_mount_target", f"{item.label}_{name}", body)


def _recover_mounts(label: str, _body: Body, found: Found, record: dict[str, Any]) -> None:
    recover_backup(f"file_system_{label}", found, record)
    targets = [
        body for body in found("aws_efs_mount_target").values() if (referred(body.get("file_system_id")) or ("", ""))[1] == label
    ]
    names = [Refers("", "", "subnet").named(body.get("subnet_id")) for body in targets]
    record["subnets"] = [name for name in names if name]


FILE_SYSTEM = Main(
    "file_system",
    "aws_efs_file_system",
    (
        Attribute("name", "creation_token"),
        Attribute("encrypted", "encrypted", absent=False),
        Refers("kms_key", "kms_key_id", "kms_key", "arn"),
        Tags(shown="Name"),
    ),
    more=_mount,
    recover=_recover_mounts,
)

_DAY = 86_400


def _write_queue(item: Item, body: Body) -> None:
    name, fifo = item.get("name"), item.get("fifo")
    body |= {"name": f"{name}.fifo" if fifo else name, "fifo_queue": fifo}
    days = item.get("retention_days")
    if days > 14:
        item.leave("retention_days", "SQS keeps a message for at most 14 days")
    body["message_retention_seconds"] = min(days, 14) * _DAY
    Refers("kms_key", "kms_master_key_id", "kms_key").write(item, body)
    if item.get("encrypted") and "kms_master_key_id" not in body:
        body["sqs_managed_sse_enabled"] = True
    elif not item.get("encrypted"):
        body.pop("kms_master_key_id", None)
        body["sqs_managed_sse_enabled"] = False
        item.leave("kms_key", "encryption is off")
    item.get("kind")


def _read_queue(body: Body, record: dict[str, Any]) -> None:
    record["fifo"] = body.get("fifo_queue") is True
    record["encrypted"] = body.get("sqs_managed_sse_enabled") is not False or "kms_master_key_id" in body
    Refers("kms_key", "kms_master_key_id", "kms_key").read(body, record)
    seconds = body.get("message_retention_seconds")
    if isinstance(seconds, int) and seconds % _DAY == 0:
        record["retention_days"] = seconds // _DAY


QUEUE = Main(
    "queue",
    "aws_sqs_queue",
    (Special(_write_queue, _read_queue), Tags()),
    name_attribute="name",
    accepts=lambda item: "a topic is no queue" if item.raw.kind == "topic" else "",
)
_OWN_KEY = "alias/aws/sns"


def _write_topic(item: Item, body: Body) -> None:
    name, fifo = item.get("name"), item.get("fifo")
    body |= {"name": f"{name}.fifo" if fifo else name, "fifo_topic": fifo}
    item.get("kind")
    if item.get("encrypted"):
        Refers("kms_key", "kms_master_key_id", "kms_key").write(item, body)
        body.setdefault("kms_master_key_id", _OWN_KEY)
    else:
        item.leave("kms_key", "encryption is off")
    item.leave("retention_days", "SNS keeps no messages")


def _read_topic(body: Body, record: dict[str, Any]) -> None:
    record |= {"kind": "topic", "fifo": body.get("fifo_topic") is True, "encrypted": "kms_master_key_id" in body}
    Refers("kms_key", "kms_master_key_id", "kms_key").read(body, record)


TOPIC = Main(
    "queue",
    "aws_sns_topic",
    (Special(_write_topic, _read_topic), Tags()),
    name_attribute="name",
    accepts=lambda item: "" if item.raw.kind == "topic" else "a queue is no topic",
)
