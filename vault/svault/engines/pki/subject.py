"""A certificate's subject and alternative names: from a request, a role and a CSR, checked by the role."""

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.x509.oid import NameOID

from svault.engines.pki.names import ascii_host, is_common_name_allowed, is_host, is_name_allowed, matches_any
from svault.engines.pki.other_names import other_name, parse_other_name, text_of
from svault.engines.pki.roles import Role
from svault.errors import BadRequestError
from svault.logical import Fields

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
_SUBJECT = (
    (NameOID.COUNTRY_NAME, "country"),
    (NameOID.STATE_OR_PROVINCE_NAME, "province"),
    (NameOID.LOCALITY_NAME, "locality"),
    (NameOID.STREET_ADDRESS, "street_address"),
    (NameOID.POSTAL_CODE, "postal_code"),
    (NameOID.ORGANIZATION_NAME, "organization"),
    (NameOID.ORGANIZATIONAL_UNIT_NAME, "ou"),
)
_NEEDS_NAME = (
    'the common_name field is required, or must be provided in a CSR with "use_csr_common_name" set to true, '
    'unless "require_cn" is set to false'
)


@dataclass(slots=True)
class Names:
    """What a certificate is to say of its holder."""

    common_name: str = ""
    serial_number: str = ""
    user_ids: list[str] = field(default_factory=list)
    hosts: list[str] = field(default_factory=list)
    emails: list[str] = field(default_factory=list)
    addresses: list[IpAddress] = field(default_factory=list)
    uris: list[str] = field(default_factory=list)
    others: list[tuple[str, str]] = field(default_factory=list)

    def add(self, name: str) -> None:
        """A host name or an e-mail address; what is neither is left out. Raises BadRequestError for a label too long."""
        if "@" in name:
            self.emails.append(name)
        elif is_host(converted := ascii_host(name)):
            self.hosts.append(converted)

    def alternatives(self) -> x509.SubjectAlternativeName | None:
        """The extension, or None when there are none. Raises BadRequestError."""
        try:
            found: list[x509.GeneralName] = [other_name(oid, value) for oid, value in self.others]
            found += [x509.DNSName(host) for host in dict.fromkeys(self.hosts)]
            found += [x509.RFC822Name(email) for email in dict.fromkeys(self.emails)]
            found += [x509.IPAddress(address) for address in dict.fromkeys(self.addresses)]
            found += [x509.UniformResourceIdentifier(uri) for uri in dict.fromkeys(self.uris)]
        except ValueError:
            raise BadRequestError("a subject alternative name holds characters that a certificate cannot hold") from None
        return x509.SubjectAlternativeName(found) if found else None

    def subject(self, role: Role) -> x509.Name:
        """The subject, with the role's organization and address. Raises BadRequestError for what RFC 5280 does not allow."""
        parts = [(oid, list(getattr(role, name))) for oid, name in _SUBJECT]
        parts += [(NameOID.COMMON_NAME, [self.common_name]), (NameOID.SERIAL_NUMBER, [self.serial_number])]
        parts += [(NameOID.USER_ID, [user_id]) for user_id in self.user_ids]
        try:
            return x509.Name(
                [
                    x509.RelativeDistinguishedName([x509.NameAttribute(oid, value) for value in dict.fromkeys(values) if value])
                    for oid, values in parts
                    if any(values)
                ]
            )
        except ValueError as reason:
            raise BadRequestError(f"the subject cannot be written into a certificate (RFC 5280): {reason}") from None


def requested_names(values: Fields, role: Role, csr: x509.CertificateSigningRequest | None) -> Names:
    """The names asked for, as the role, its templates filled in, allows them. Raises BadRequestError."""
    names = Names()
    if csr is not None and role.use_csr_common_name:
        names.common_name = common_name_of(csr.subject)
    names.common_name = names.common_name or values.text("common_name")
    if not names.common_name and role.require_cn:
        raise BadRequestError(_NEEDS_NAME)
    names.serial_number = values.text("serial_number")
    if names.serial_number and not matches_any(role.allowed_serial_numbers, names.serial_number):
        raise BadRequestError(f"serial_number {names.serial_number} not allowed by this role")
    uses_csr = csr is not None and role.use_csr_sans
    if csr is not None and uses_csr:
        _take_from_csr(names, csr)
    if names.common_name and not values.boolean("exclude_cn_from_sans"):
        names.add(names.common_name)
    if not uses_csr:
        for name in values.strings("alt_names"):
            names.add(name)
        names.others = [parse_other_name(one) for one in values.strings("other_sans")]
        names.addresses = [_address(one) for one in values.strings("ip_sans")]
        names.uris = values.strings("uri_sans")
    names.user_ids = values.strings("user_ids")
    _check_names(names, role)
    _check_others(names, role, "via CSR" if uses_csr else "via the API")
    return names


def common_name_of(name: x509.Name) -> str:
    """The first common name of a subject, or nothing."""
    found = name.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(found[-1].value) if found else ""


def _take_from_csr(names: Names, csr: x509.CertificateSigningRequest) -> None:
    try:
        asked = csr.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return
    for one in asked:
        if isinstance(one, x509.DNSName):
            names.hosts.append(one.value)
        elif isinstance(one, x509.RFC822Name):
            names.emails.append(one.value)
        elif isinstance(one, x509.UniformResourceIdentifier):
            names.uris.append(one.value)
        elif isinstance(one, x509.IPAddress) and isinstance(one.value, IpAddress):
            names.addresses.append(one.value)
        elif isinstance(one, x509.OtherName):
            text = text_of(one.value)
            if text is None:
                raise BadRequestError("could not parse requested other SAN: only utf8 other SANs are supported")
            names.others.append((one.type_id.dotted_string, text))


def _address(text: str) -> IpAddress:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        raise BadRequestError(f'the value "{text}" is not a valid IP address') from None


def _check_names(names: Names, role: Role) -> None:
    if not is_common_name_allowed(names.common_name, role):
        raise BadRequestError(f"common name {names.common_name} not allowed by this role")
    _refuse_first(names.hosts, role, "subject alternate name")
    _refuse_first(names.emails, role, "email address")


def _refuse_first(found: Iterable[str], role: Role, what: str) -> None:
    for name in found:
        if not is_name_allowed(name, role):
            raise BadRequestError(f"{what} {name} not allowed by this role")


def _check_others(names: Names, role: Role, source: str) -> None:
    if names.addresses and not role.allow_ip_sans:
        raise BadRequestError(f"IP Subject Alternative Names are not allowed in this role, but was provided {source}")
    networks = [ipaddress.ip_network(cidr, strict=False) for cidr in role.allowed_ip_sans_cidr]
    for address in names.addresses:
        if networks and not any(address in network for network in networks):
            raise BadRequestError(f'the IP address "{address}" is not allowed in this role')
    if names.uris and not role.allowed_uri_sans:
        raise BadRequestError(f"URI Subject Alternative Names are not allowed in this role, but were provided {source}")
    for uri in names.uris:
        if not matches_any(role.allowed_uri_sans, uri):
            raise BadRequestError(f"URI Subject Alternative Names were provided {source} which are not valid for this role")
        if not _is_uri(uri):
            raise BadRequestError(f'the provided URI Subject Alternative Name "{uri}" is not a valid URI')
    _check_other_names(names, role)
    for user_id in names.user_ids:
        if not matches_any(role.allowed_user_ids, user_id):
            raise BadRequestError(f"user_id {user_id} is not allowed by this role")


def _check_other_names(names: Names, role: Role) -> None:
    if "*" in role.allowed_other_sans:
        return
    allowed: dict[str, list[str]] = {}
    for oid, pattern in map(parse_other_name, role.allowed_other_sans):
        allowed.setdefault(oid, []).append(pattern)
    for oid, value in names.others:
        if oid not in allowed:
            raise BadRequestError(f"other SAN OID {oid} not allowed by this role")
        if not matches_any(allowed[oid], value):
            raise BadRequestError(f"other SAN {value} not allowed for OID {oid} by this role")


def _is_uri(text: str) -> bool:
    if not text.isascii() or text.startswith(":"):
        return False
    try:
        urlsplit(text)
    except ValueError:
        return False
    return True
