"""DNS zones, certificates, keys, places of secrets."""

import re
from typing import Any

from prov_gen.effective import provider_of, region_of
from prov_gen.export.terraform.aws.data import HANDLE
from prov_gen.export.terraform.aws.roles import account, policy
from prov_gen.export.terraform.document import Body, Expression, label_of, name_of, reference, referred
from prov_gen.export.terraform.item import Item
from prov_gen.export.terraform.rows import Attribute, Fixed, Special, Tags, unescape_text
from prov_gen.export.terraform.table import Found, Main

_HOME = "us-east-1"
"""Where Route 53 looks for the keys of DNSSEC."""


def _write_zone(item: Item, body: Body) -> None:
    body["name"] = item.get("domain")
    networking = item.config.networking
    if item.get("private"):
        if networking and item.config.provider == item.provider:
            body["vpc"] = [{"vpc_id": reference("aws_vpc", label_of(networking.name))}]
        else:
            item.leave("private", "a private zone belongs to a network, and the configuration has none at this provider")


def _read_zone(body: Body, record: dict[str, Any]) -> None:
    record["domain"] = str(body.get("name", "")).rstrip(".")
    record["private"] = bool(body.get("vpc"))


def _record(item: Item, index: int, record: Item) -> None:
    raw, domain = record.raw, item.raw.domain
    record.get("name")
    name = domain if raw.name == "@" else f"{raw.name}.{domain}"
    body: Body = {"zone_id": reference("aws_route53_zone", item.label, "zone_id"), "name": name, "type": record.get("type")}
    balancer = item.refer("load_balancer", raw.target, "dns_name") if raw.target else None
    server = item.refer("server", raw.target, "public_ip") if raw.target else None
    if balancer:
        record.get("target")
        zone = item.refer("load_balancer", raw.target, "zone_id")
        body["alias"] = {"name": balancer, "zone_id": zone, "evaluate_target_health": True}
        record.leave("ttl", "a record that follows a load balancer has no time of its own")
        record.leave("values", "the record follows its target")
    else:
        body["ttl"] = record.get("ttl")
        if server:
            record.get("target")
            record.leave("values", "the record follows its target")
        elif raw.target:
            record.leave("target", "no load balancer or server of this configuration and provider has that name")
        body["records"] = [server] if server else record.get("values")
    item.put("aws_route53_record", f"{item.label}_{index}", body)


def _sign(item: Item) -> None:
    label = f"{item.label}_dnssec"
    home = {"provider": Expression(f"aws.{_HOME.replace('-', '_')}")}
    spec = {"customer_master_key_spec": "ECC_NIST_P256", "key_usage": "SIGN_VERIFY", "deletion_window_in_days": 7}
    item.document.put("aws_kms_key", label, home | spec, item.path)
    zone = reference("aws_route53_zone", item.label, "zone_id")
    key = {"hosted_zone_id": zone, "key_management_service_arn": reference("aws_kms_key", label, "arn"), "name": "dnssec"}
    item.put("aws_route53_key_signing_key", item.label, key)
    item.put(
        "aws_route53_hosted_zone_dnssec",
        item.label,
        {"hosted_zone_id": reference("aws_route53_key_signing_key", item.label, "hosted_zone_id")},
    )


def _more(item: Item) -> None:
    if item.get("dnssec"):
        if item.raw.private:
            item.leave("dnssec", "Route 53 signs public zones only")
        else:
            _sign(item)
    for index, record in enumerate(item.get("records")):
        _record(item, index, item.inside(record, item.label))


def _recover(label: str, body: Body, found: Found, record: dict[str, Any]) -> None:
    record["dnssec"] = label in found("aws_route53_hosted_zone_dnssec")
    domain, records = record["domain"], []
    for entry in found("aws_route53_record").values():
        zone = referred(entry.get("zone_id"))
        if not zone or zone[1] != label:
            continue
        full = str(entry.get("name", ""))
        one: dict[str, Any] = {"name": "@" if full == domain else full.removesuffix(f".{domain}"), "type": entry.get("type", "A")}
        alias = entry.get("alias")
        values = entry.get("records") if isinstance(entry.get("records"), list) else []
        target = referred(alias.get("name")) if isinstance(alias, dict) else referred(values[0]) if values else None
        if "ttl" in entry:
            one["ttl"] = entry["ttl"]
        if target:
            one["target"] = name_of(target[1])
        elif values:
            one["values"] = [unescape_text(value) for value in values]
        records.append(one)
    record["records"] = records
    del body


DNS = Main(
    "dns",
    "aws_route53_zone",
    (Special(_write_zone, _read_zone),),
    more=_more,
    recover=_recover,
    accepts=lambda item: "a zone's domain has no wildcard" if "*" in item.raw.domain else "",
)


def _write_certificate(item: Item, body: Body) -> None:
    item.get("issuer")
    body["validation_method"] = "DNS"
    item.leave("auto_renew", "ACM renews its own certificates whatever one says")
    item.leave("expires", "ACM renews its own certificates")


_KEY_TYPES = {
    "rsa1024": "RSA_1024",
    "rsa2048": "RSA_2048",
    "rsa4096": "RSA_4096",
    "ecdsa_p256": "EC_prime256v1",
    "ecdsa_p384": "EC_secp384r1",
}

CERTIFICATE = Main(
    "certificate",
    "aws_acm_certificate",
    (
        Attribute("domain", "domain_name"),
        Attribute("alternative_names", "subject_alternative_names"),
        Attribute("key_type", "key_algorithm", _KEY_TYPES, absent="rsa2048"),
        Fixed("lifecycle.create_before_destroy", value=True),
        Special(_write_certificate),
        Tags(shown="Name"),
    ),
    accepts=lambda item: "" if item.raw.issuer == "provider" else f"a certificate of issuer {item.raw.issuer} is not made by AWS",
)


def _write_rotation(item: Item, body: Body) -> None:
    days = item.get("rotation_days")
    body["enable_key_rotation"] = days > 0
    if 90 <= days <= 2560:
        body["rotation_period_in_days"] = days
    elif days:
        item.leave("rotation_days", "KMS rotates every 90 to 2560 days; it is written as on, every 365")


def _read_rotation(body: Body, record: dict[str, Any]) -> None:
    days = body.get("rotation_period_in_days", 365)
    record["rotation_days"] = days if body.get("enable_key_rotation") is True else 0


def _alias(item: Item) -> None:
    body = {"name": f"alias/{item.raw.name}", "target_key_id": reference("aws_kms_key", item.label, "key_id")}
    item.put("aws_kms_alias", item.label, body)


def _write_policy(item: Item, body: Body) -> None:
    """CloudWatch Logs uses a key only where the key's own policy names it; others ask in the caller's name.

    Source: Amazon CloudWatch Logs, "Encrypt log data in CloudWatch Logs using AWS KMS".
    """
    if not any(group.kms_key == item.raw.name for group in _log_groups(item)):
        return
    own, region = account(item), region_of(item.raw if hasattr(item.raw, "region") else item.config, item.config)
    owner = {
        "Sid": "Account",
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{own}:root"},
        "Action": "kms:*",
        "Resource": "*",
    }
    logs = {
        "Sid": "CloudWatchLogs",
        "Effect": "Allow",
        "Principal": {"Service": f"logs.{region}.amazonaws.com"},
        "Action": ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:Describe*"],
        # In the policy of a key this is the key alone.
        "Resource": "*",
        "Condition": {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": f"arn:aws:logs:{region}:{own}:log-group:*"}},
    }
    body["policy"] = policy(owner, logs)


def _log_groups(item: Item) -> list[Any]:
    return [group for group in item.config.log_groups if group.kms_key and provider_of(group, item.config) == item.provider]


KMS_KEY = Main(
    "kms_key",
    "aws_kms_key",
    (
        Special(_write_rotation, _read_rotation),
        Attribute("deletion_window_days", "deletion_window_in_days"),
        Special(_write_policy),
        Tags(shown="Name"),
    ),
    more=_alias,
)


def _write_secret(item: Item, body: Body) -> None:
    body["name"] = item.get("name")
    body["description"] = f"The secret at {item.get('handle')}; its value is never written here"
    item.leave("rotation_days", "rotation in Secrets Manager needs a function of yours; the vault rotates it")


def _read_secret(body: Body, record: dict[str, Any]) -> None:
    found = re.search(HANDLE, str(body.get("description", "")))
    if found:
        record["handle"] = found[0]


SECRET = Main("secret", "aws_secretsmanager_secret", (Special(_write_secret, _read_secret), Tags()), name_attribute="name")
