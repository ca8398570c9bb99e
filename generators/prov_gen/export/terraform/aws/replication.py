"""The copy of a bucket in another region: the bucket, the rule that fills it, and the role that does the work."""

from typing import Any

from prov_corpus import catalogue
from prov_gen.effective import region_of
from prov_gen.export.terraform.aws.roles import own_role
from prov_gen.export.terraform.document import Body, Expression, reference
from prov_gen.export.terraform.item import Item, home_region
from prov_gen.export.terraform.table import Found

PUBLIC_ACCESS = ("block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets")
_COPY = "_replica"
_OWN_KEY = "alias/aws/s3"
"""The key of AWS's own, which is made when somebody first asks for it."""


def replicate(item: Item, region: str) -> None:
    """Add a copy in a region, which every new object goes to."""
    if region not in catalogue.regions("aws"):
        item.leave("replicate_to", "no region of AWS")
        return
    has_key = item.raw.encryption == "kms"
    copy, target = f"{item.label}{_COPY}", reference("aws_s3_bucket", f"{item.label}{_COPY}")
    encryption = {"rule": {"apply_server_side_encryption_by_default": {"sse_algorithm": "aws:kms" if has_key else "AES256"}}}
    parts: dict[str, Body] = {
        "aws_s3_bucket": {"bucket": f"{item.raw.name}-replica"},
        "aws_s3_bucket_versioning": {"bucket": target, "versioning_configuration": {"status": "Enabled"}},
        "aws_s3_bucket_public_access_block": {"bucket": target} | dict.fromkeys(PUBLIC_ACCESS, True),
        "aws_s3_bucket_server_side_encryption_configuration": {"bucket": target} | encryption,
    }
    for kind, body in parts.items():
        item.document.put(kind, copy, {"provider": _alias(region)} | body, item.path)
    rule: Body = {"id": "all", "status": "Enabled", "destination": {"bucket": reference("aws_s3_bucket", copy, "arn")}}
    statements = _buckets(reference("aws_s3_bucket", item.label, "arn"), reference("aws_s3_bucket", copy, "arn"))
    if has_key:
        new = _provider_key(item, region)
        rule["source_selection_criteria"] = {"sse_kms_encrypted_objects": {"status": "Enabled"}}
        rule["destination"]["encryption_configuration"] = {"replica_kms_key_id": new}
        home = region_of(item.raw, item.config)
        named = item.refer("kms_key", item.raw.kms_key, "arn") if item.raw.kms_key else None
        statements += _keys((named or _provider_key(item, home), home), (new, region))
    worker = own_role(item, "replication", "s3", statements)
    body = {"bucket": reference("aws_s3_bucket", item.label), "role": worker, "rule": [rule]}
    # Versions have to be on at both ends before S3 takes the rule.
    order = {"depends_on": [f"aws_s3_bucket_versioning.{label}" for label in (item.label, copy)]}
    item.put("aws_s3_bucket_replication_configuration", item.label, body | order)


def replica_region(label: str, found: Found) -> str | None:
    """The region of a bucket's copy, which is that of its provider alias."""
    alias = found("aws_s3_bucket").get(label + _COPY, {}).get("provider")
    return alias.removeprefix("aws.").replace("_", "-") if isinstance(alias, str) else None


def _alias(region: str) -> Expression:
    return Expression(f"aws.{region.replace('-', '_')}")


def _provider_key(item: Item, region: str) -> Expression:
    """The ARN of the key that S3 has of its own in a region."""
    label = f"_s3_{region.replace('-', '_')}"
    alias = {} if region == home_region(item.config) else {"provider": _alias(region)}
    item.document.share("data", "aws_kms_key", label, alias | {"key_id": _OWN_KEY})
    return reference("data.aws_kms_key", label, "arn")


def _buckets(source: Expression, target: Expression) -> list[dict[str, Any]]:
    """What the role does at both buckets. Source: Amazon S3 User Guide, "Setting up permissions for live replication"."""
    versions = ["s3:GetObjectVersionForReplication", "s3:GetObjectVersionAcl", "s3:GetObjectVersionTagging"]
    copies = ["s3:ReplicateObject", "s3:ReplicateDelete", "s3:ReplicateTags"]
    return [
        {"Effect": "Allow", "Action": ["s3:GetReplicationConfiguration", "s3:ListBucket"], "Resource": source},
        {"Effect": "Allow", "Action": versions, "Resource": f"{source}/*"},
        {"Effect": "Allow", "Action": copies, "Resource": f"{target}/*"},
    ]


def _keys(source: tuple[Expression, str], target: tuple[Expression, str]) -> list[dict[str, Any]]:
    """What it does with keys, by way of S3 alone. Source: Amazon S3 User Guide, "Replicating encrypted objects"."""
    return [
        {
            "Effect": "Allow",
            "Action": action,
            "Resource": key,
            "Condition": {"StringEquals": {"kms:ViaService": f"s3.{region}.amazonaws.com"}},
        }
        for action, (key, region) in (("kms:Decrypt", source), ("kms:Encrypt", target))
    ]
