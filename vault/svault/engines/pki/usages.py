"""Key usages, extended key usages and policies as X.509 extensions (RFC 5280 4.2.1.3, 4.2.1.12, 4.2.1.4)."""

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID as Eku

from svault.engines.pki.other_names import usage_oid
from svault.engines.pki.roles import Role, check_policy

_KEY_USAGES = {
    "digitalsignature": "digital_signature",
    "contentcommitment": "content_commitment",
    "keyencipherment": "key_encipherment",
    "dataencipherment": "data_encipherment",
    "keyagreement": "key_agreement",
    "certsign": "key_cert_sign",
    "crlsign": "crl_sign",
    "encipheronly": "encipher_only",
    "decipheronly": "decipher_only",
}
_EXTENDED = {
    "any": Eku.ANY_EXTENDED_KEY_USAGE,
    "serverauth": Eku.SERVER_AUTH,
    "clientauth": Eku.CLIENT_AUTH,
    "codesigning": Eku.CODE_SIGNING,
    "emailprotection": Eku.EMAIL_PROTECTION,
    "ipsecendsystem": x509.ObjectIdentifier("1.3.6.1.5.5.7.3.5"),
    "ipsectunnel": x509.ObjectIdentifier("1.3.6.1.5.5.7.3.6"),
    "ipsecuser": x509.ObjectIdentifier("1.3.6.1.5.5.7.3.7"),
    "timestamping": Eku.TIME_STAMPING,
    "ocspsigning": Eku.OCSP_SIGNING,
    "microsoftservergatedcrypto": x509.ObjectIdentifier("1.3.6.1.4.1.311.10.3.3"),
    "netscapeservergatedcrypto": x509.ObjectIdentifier("2.16.840.1.113730.4.1"),
}
_FLAGS = (
    ("server_flag", Eku.SERVER_AUTH),
    ("client_flag", Eku.CLIENT_AUTH),
    ("code_signing_flag", Eku.CODE_SIGNING),
    ("email_protection_flag", Eku.EMAIL_PROTECTION),
)


def key_usage(names: tuple[str, ...]) -> x509.KeyUsage | None:
    """The extension, or None when no known usage is named; unknown names are left out, as in Vault."""
    wanted = {_KEY_USAGES.get(name.lower()) for name in names} - {None}
    if not wanted:
        return None
    flags = {flag: flag in wanted for flag in _KEY_USAGES.values()}
    if not flags["key_agreement"]:
        flags["encipher_only"] = flags["decipher_only"] = False
    return x509.KeyUsage(**flags)


def extended_key_usage(role: Role) -> x509.ExtendedKeyUsage | None:
    """The extension of a role's flags, names and OIDs, or None when it names none."""
    wanted = [oid for flag, oid in _FLAGS if getattr(role, flag)]
    wanted += [_EXTENDED[name] for name in map(str.lower, role.ext_key_usage) if name in _EXTENDED]
    wanted += [usage_oid(oid) for oid in role.ext_key_usage_oids]
    return x509.ExtendedKeyUsage(list(dict.fromkeys(wanted))) if wanted else None


def policies(role: Role) -> x509.CertificatePolicies | None:
    """The extension of a role's policy identifiers, or None."""
    found = []
    for policy in map(check_policy, role.policy_identifiers):
        qualifiers: list[str | x509.UserNotice] = [policy["cps"]] if policy.get("cps") else []
        if policy.get("notice"):
            qualifiers.append(x509.UserNotice(None, policy["notice"]))
        found.append(x509.PolicyInformation(x509.ObjectIdentifier(policy["oid"]), qualifiers or None))
    return x509.CertificatePolicies(found) if found else None
