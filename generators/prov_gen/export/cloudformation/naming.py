"""Names: DNS zones with their records, and the certificates that prove names."""

import ipaddress
import re
from collections.abc import Callable
from typing import Any

from prov_gen.export.cloudformation.network import vpc_of
from prov_gen.export.cloudformation.scope import Scope
from prov_gen.export.cloudformation.template import Value, get_att, ref
from prov_gen.export.tracking import path_of

_KEYS = {"rsa2048": "RSA_2048", "ecdsa_p256": "EC_prime256v1", "ecdsa_p384": "EC_secp384r1"}
_HOST = r"([A-Za-z0-9_]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)*[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.?"
_FORMS = {
    "CNAME": re.compile(_HOST),
    "NS": re.compile(_HOST),
    "MX": re.compile(rf"\d{{1,5}} {_HOST}"),
    "SRV": re.compile(rf"\d{{1,5}} \d{{1,5}} \d{{1,5}} {_HOST}"),
    "CAA": re.compile(r'\d{1,3} (issue|issuewild|iodef) "[A-Za-z0-9.:;/@= -]*"'),
}
_TEXT = re.compile(r"[ -~]{1,63}|([ !#-\[\]-~]){1,255}")
"""One string of a TXT record: at most 255 characters, of which what is escaped takes four."""


def build_certificates(scope: Scope, certificates: list[Any]) -> None:
    """Certificates that AWS issues; it waits for their DNS records."""
    for certificate in certificates:
        where = path_of(certificate)
        if certificate.issuer != "provider":
            reason = "AWS does not issue it: import it, and give its ARN where a listener asks for one"
            scope.ledger.leave(where, reason)
            continue
        names = [name for name in dict.fromkeys(certificate.alternative_names) if name != certificate.domain]
        for index, name in enumerate(certificate.alternative_names):
            if "_" in name:
                scope.ledger.leave((*where, "alternative_names", index), "ACM takes no underscore in a name")
        if "_" in certificate.domain:
            scope.ledger.leave(where, "ACM takes no underscore in a name")
            continue
        if certificate.key_type not in _KEYS:
            scope.ledger.leave((*where, "key_type"), "ACM issues rsa2048, ecdsa_p256 and ecdsa_p384; its default is written")
        properties = {
            "DomainName": certificate.domain,
            "SubjectAlternativeNames": [name for name in names if "_" not in name] or None,
            "ValidationMethod": "DNS",
            "KeyAlgorithm": _KEYS.get(certificate.key_type),
            "Tags": scope.tags(certificate),
        }
        if not certificate.auto_renew:
            scope.ledger.leave((*where, "auto_renew"), "ACM renews what it issued")
        scope.template.add(
            "CertificateManager::Certificate", properties, logical_id=scope.id_of("certificates", certificate.name) or ""
        )


def build_zones(scope: Scope, zones: list[Any]) -> None:
    """DNS zones with one resource for each record set."""
    for zone in zones:
        where = path_of(zone)
        if zone.domain.startswith("*"):
            scope.ledger.leave(where, "a zone is no wildcard")
            continue
        logical_id = scope.id_of("dns_zones", zone.domain) or ""
        if zone.dnssec:
            scope.ledger.leave((*where, "dnssec"), "signing needs a key in us-east-1 and a record at the registrar")
        vpc = {"VPCId": vpc_of(scope, None, where), "VPCRegion": ref("AWS::Region")}
        properties = {"Name": zone.domain, "VPCs": [vpc] if zone.private else None, "HostedZoneTags": scope.tags(zone)}
        scope.template.add("Route53::HostedZone", properties, logical_id=logical_id, keep="Retain")
        if not zone.private:
            servers = {"Fn::Join": [", ", get_att(logical_id, "NameServers")]}
            scope.template.output(logical_id, "name servers", servers, f"Name servers of {zone.domain}")
        seen: set[tuple[str, str]] = set()
        for record in zone.records:
            if (record.name, record.type) in seen:
                scope.ledger.leave(path_of(record), "another record set has this name and type")
                continue
            seen.add((record.name, record.type))
            _record(scope, zone, record, logical_id)


def _record(scope: Scope, zone: Any, record: Any, zone_id: str) -> None:
    name = zone.domain if record.name == "@" else f"{record.name}.{zone.domain}"
    answer = _target(scope, record) if record.target else _values(scope, record)
    if not answer:
        scope.ledger.leave(path_of(record), "it answers nothing that Route 53 takes")
        return
    if record.target and record.values:
        scope.ledger.leave((*path_of(record), "values"), "it follows its target instead")
    if "AliasTarget" in answer:
        scope.ledger.leave((*path_of(record), "ttl"), "an alias has its target's")
    else:
        answer["TTL"] = str(record.ttl)
    properties = {"HostedZoneId": ref(zone_id), "Name": name, "Type": record.type, **answer}
    scope.template.add(
        "Route53::RecordSet", properties, zone_id, record.name.replace("*", "any").replace("@", "apex"), record.type
    )


def _target(scope: Scope, record: Any) -> dict[str, Value]:
    """An alias of a load balancer, or the address of a server."""
    balancer, server = scope.id_of("load_balancers", record.target), scope.id_of("servers", record.target)
    if balancer and record.type in ("A", "AAAA"):
        return {
            "AliasTarget": {"DNSName": get_att(balancer, "DNSName"), "HostedZoneId": get_att(balancer, "CanonicalHostedZoneID")}
        }
    if server and record.type == "A":
        is_public = any(one.name == record.target and one.networking.public_ip for one in scope.config.servers)
        return {"ResourceRecords": [get_att(server, "PublicIp" if is_public else "PrivateIp")]}
    return {}


def _values(scope: Scope, record: Any) -> dict[str, Value]:
    """The values that are of the record's type, as Route 53 writes them; others are left in the ledger."""
    found: list[str] = []
    for index, value in enumerate(record.values):
        written = scope.text(_written(record.type, value), (*path_of(record), "values", index))
        if written is None or (record.type == "CNAME" and found):
            scope.ledger.leave(
                (*path_of(record), "values", index), f"no value of a record of type {record.type}, or one too many"
            )
        elif written not in found:
            found.append(written)
    return {"ResourceRecords": found} if found else {}


def _written(kind: str, value: str) -> str | None:
    if kind in ("A", "AAAA"):
        read: Callable[[str], object] = ipaddress.IPv4Address if kind == "A" else ipaddress.IPv6Address
        try:
            read(value)
        except ValueError:
            return None
        return value
    if kind == "TXT":
        bare = value[1:-1] if len(value) > 1 and value[0] == value[-1] == '"' else value
        # Route 53 takes what would end the text as an octal number.
        return '"' + bare.replace("\\", "\\134").replace('"', "\\042") + '"' if _TEXT.fullmatch(bare) else None
    return value if _FORMS[kind].fullmatch(value) else None
