"""What root and intermediate CAs are made from: the same request fields, read as a role that allows every name."""

from typing import Any

from cryptography import x509

from svault.engines.pki.certificates import Template, access_extensions, key_identifier, name_constraints
from svault.engines.pki.key_types import PublicKey
from svault.engines.pki.records import Urls
from svault.engines.pki.roles import Role, positive
from svault.engines.pki.subject import Names
from svault.engines.pki.usages import extended_key_usage, key_usage
from svault.engines.pki.validity import Validity
from svault.errors import BadRequestError
from svault.logical import Fields

_SUBJECT = ("ou", "organization", "country", "locality", "province", "street_address", "postal_code")
ZERO_PATH = (
    "Max path length of the {} certificate is zero. This certificate cannot be used to issue intermediate CA certificates."
)


def ca_role(values: Fields, *, key_type: str = "", key_bits: int = 0) -> Role:
    """A CA request as a role. Raises BadRequestError."""
    subject: dict[str, Any] = {name: tuple(values.strings(name)) for name in _SUBJECT}
    return Role(
        allow_any_name=True,
        enforce_hostnames=False,
        allowed_uri_sans=("*",),
        allowed_other_sans=("*",),
        allowed_user_ids=("*",),
        allowed_serial_numbers=("*",),
        cn_validations=("disabled",),
        require_cn=False,
        use_csr_sans=False,
        server_flag=False,
        client_flag=False,
        key_type=key_type or values.text("key_type", "rsa"),
        key_bits=key_bits or values.integer("key_bits"),
        signature_bits=values.integer("signature_bits"),
        use_pss=values.boolean("use_pss"),
        not_before_duration=positive(values, "not_before_duration") if "not_before_duration" in values else 30,
        ext_key_usage=tuple(values.strings("ext_key_usage")),
        ext_key_usage_oids=tuple(values.strings("ext_key_usage_oids")),
        **subject,
    )


def path_length(values: Fields, issuer: x509.Certificate | None = None) -> int | None:
    """How many CAs may follow; None is any number, and one less than the issuer's when not said. Raises BadRequestError."""
    asked = values.integer("max_path_length", -1)
    if asked < -1:
        raise BadRequestError("unable to create certificate: x509: invalid MaxPathLen, must be greater or equal to -1")
    if issuer is None:
        return asked if asked >= 0 else None
    limit = issuer.extensions.get_extension_for_class(x509.BasicConstraints).value.path_length
    if limit == 0:
        raise BadRequestError("signing certificate has a max path length of zero, and cannot issue further CA certificates")
    if asked >= 0:
        return asked
    return None if limit is None else limit - 1


def ca_template(
    subject: x509.Name,
    public_key: PublicKey,
    valid: Validity,
    names: Names,
    role: Role,
    urls: Urls,
    values: Fields,
    most: int | None,
) -> Template:
    """A CA certificate, but for its authority key identifier."""
    template = Template(subject, public_key, valid)
    asked = values.strings("key_usage", ("CertSign", "CRLSign"))
    usage = tuple(dict.fromkeys(["CertSign", "CRLSign", *(one for one in asked if one.lower() == "digitalsignature")]))
    template.add(key_usage(usage), is_critical=True)
    template.add(extended_key_usage(role))
    template.add(x509.BasicConstraints(ca=True, path_length=most), is_critical=True)
    template.add(x509.SubjectKeyIdentifier(key_identifier(public_key)))
    template.add(*access_extensions(urls))
    template.add(names.alternatives(), is_critical=not subject.rdns)
    template.add(name_constraints(values.strings("permitted_dns_domains")), is_critical=True)
    return template
