"""A role: what certificates may be issued for and how. Each field stands here once, with its default and how it is read.

Source: Vault's API page of the PKI secrets engine, "Create/update role".
"""

import ipaddress
import json
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from svault.engines.pki.failures import failure
from svault.engines.pki.key_types import KeyType, key_type_of
from svault.engines.pki.other_names import is_oid, parse_other_name, usage_oid
from svault.engines.pki.records import tuples
from svault.engines.pki.times import parse_time
from svault.errors import BadRequestError
from svault.logical import Fields

_TIME = re.compile(r"\d{4}-\d\d-\d\dT")
BOUNDS = ("permit", "duration", "forbid")


def positive(values: Fields, name: str) -> int:
    """Seconds that are not negative. Raises BadRequestError."""
    seconds = values.duration(name)
    if seconds < 0:
        raise BadRequestError(
            f"Field validation failed: error converting input for field \"{name}\": cannot provide negative value '{seconds}'"
        )
    return seconds


def _texts(values: Fields, name: str) -> tuple[str, ...]:
    raw = values.raw.get(name)
    if isinstance(raw, int | float):
        return (values.text(name),)
    return tuple(values.strings(name))


def _policies(values: Fields, name: str) -> tuple[str, ...]:
    raw = values.raw.get(name)
    if isinstance(raw, str) and raw.strip().startswith(("[", "{")):
        try:
            loaded = json.loads(raw)
        except ValueError:
            raise BadRequestError("policy identifiers are neither OIDs nor JSON") from None
        items = loaded if isinstance(loaded, list) else [loaded]
        return tuple(item if isinstance(item, str) else json.dumps(item, separators=(",", ":")) for item in items)
    return tuple(values.strings(name))


def _of(read: Callable[[Fields, str], Any], default: Any) -> Any:
    return field(default=default, metadata={"read": read})


def _flag(*, is_on: bool = False) -> Any:
    return _of(Fields.boolean, is_on)


def _list(*default: str) -> Any:
    return _of(_texts, default)


def _text(default: str = "") -> Any:
    return _of(Fields.text, default)


def _seconds(default: int = 0) -> Any:
    return _of(positive, default)


@dataclass(frozen=True, slots=True)
class Role:
    """A role's fields, with Vault's names and defaults. Times are seconds."""

    allow_any_name: bool = _flag()
    allow_bare_domains: bool = _flag()
    allow_glob_domains: bool = _flag()
    allow_globs_in_identity_templates: bool = _flag()
    allow_ip_sans: bool = _flag(is_on=True)
    allow_localhost: bool = _flag(is_on=True)
    allow_subdomains: bool = _flag()
    allow_token_displayname: bool = field(default=False)
    allow_wildcard_certificates: bool = _flag(is_on=True)
    allowed_domains: tuple[str, ...] = _list()
    allowed_domains_template: bool = _flag()
    allowed_ip_sans_cidr: tuple[str, ...] = _list()
    allowed_other_sans: tuple[str, ...] = _list()
    allowed_serial_numbers: tuple[str, ...] = _list()
    allowed_uri_sans: tuple[str, ...] = _list()
    allowed_uri_sans_template: bool = _flag()
    allowed_user_ids: tuple[str, ...] = _list()
    basic_constraints_valid_for_non_ca: bool = _flag()
    client_flag: bool = _flag(is_on=True)
    cn_validations: tuple[str, ...] = _list("email", "hostname")
    code_signing_flag: bool = _flag()
    country: tuple[str, ...] = _list()
    email_protection_flag: bool = _flag()
    enforce_hostnames: bool = _flag(is_on=True)
    ext_key_usage: tuple[str, ...] = _list()
    ext_key_usage_oids: tuple[str, ...] = _list()
    generate_lease: bool = _flag()
    issuer_ref: str = _text("default")
    key_bits: int = _of(Fields.integer, 0)
    key_type: str = _text("rsa")
    key_usage: tuple[str, ...] = _list("DigitalSignature", "KeyAgreement", "KeyEncipherment")
    locality: tuple[str, ...] = _list()
    max_ttl: int = _seconds()
    no_store: bool = _flag()
    not_after: str = _text()
    not_after_bound: str = _text("permit")
    not_before: str = _text()
    not_before_bound: str = _text("permit")
    not_before_duration: int = _seconds(30)
    organization: tuple[str, ...] = _list()
    ou: tuple[str, ...] = _list()
    policy_identifiers: tuple[str, ...] = _of(_policies, ())
    postal_code: tuple[str, ...] = _list()
    province: tuple[str, ...] = _list()
    require_cn: bool = _flag(is_on=True)
    server_flag: bool = _flag(is_on=True)
    signature_bits: int = _of(Fields.integer, 0)
    street_address: tuple[str, ...] = _list()
    ttl: int = _seconds()
    use_csr_common_name: bool = _flag(is_on=True)
    use_csr_sans: bool = _flag(is_on=True)
    use_pss: bool = _flag()

    @classmethod
    def read(cls, stored: dict[str, Any]) -> "Role":
        """The role of an entry."""
        known = {one.name for one in fields(cls)}
        return cls(**{name: value for name, value in tuples(stored).items() if name in known})

    def kind(self) -> KeyType:
        """The kind of key that the role is for. Raises BadRequestError for `any`."""
        return key_type_of(self.key_type, self.key_bits)

    def checked_key(self) -> "Role":
        """This role, when a key can be made for it. Raises BadRequestError."""
        if self.key_type == "any":
            raise BadRequestError("unknown key type: any")
        self.kind()
        return self

    def answered(self) -> dict[str, Any]:
        """The role as it is answered, and stored."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}

    def merged(self, values: Fields) -> "Role":
        """This role with the fields that were sent. Raises BadRequestError, or a failure, as Vault words them."""
        sent = {one.name: one.metadata["read"](values, one.name) for one in fields(self) if one.metadata and one.name in values}
        if "key_type" in sent and "key_bits" not in sent:
            sent["key_bits"] = 0
        return _checked(Role(**{**{one.name: getattr(self, one.name) for one in fields(self)}, **sent}))


def _checked(role: Role) -> Role:
    changes: dict[str, Any] = {"issuer_ref": role.issuer_ref or "default"}
    if role.key_type != "any":
        kind = key_type_of(role.key_type, role.key_bits)
        changes["key_bits"] = kind.bits or role.key_bits
        changes["key_type"] = {"mldsa-65": "ml-dsa-65"}.get(role.key_type, role.key_type)
    if role.max_ttl and role.ttl > role.max_ttl:
        raise BadRequestError('"ttl" value must be less than "max_ttl" value')
    for oid in role.ext_key_usage_oids:
        usage_oid(oid)
    for cidr in role.allowed_ip_sans_cidr:
        try:
            ipaddress.ip_network(cidr, strict=False)
        except ValueError:
            raise BadRequestError(f"error parsing allowed_ip_sans_cidr: invalid CIDR address: {cidr}") from None
    for other in role.allowed_other_sans:
        if other != "*":
            parse_other_name(other, "error parsing allowed_other_sans")
    for policy in role.policy_identifiers:
        check_policy(policy)
    changes["cn_validations"] = _validations(role.cn_validations)
    if role.not_before_bound not in BOUNDS:
        raise BadRequestError(
            "Unknown value for field `not_before_bound`. Possible values are `permit` `duration` or `forbid`",
        )
    if _TIME.match(role.not_after_bound):
        parse_time(role.not_after_bound)
    elif role.not_after_bound not in {"permit", "ttl-limited", "forbid"}:
        raise BadRequestError(
            "Unknown value for field `not_after_bound`. Possible values are `permit`, `ttl-limited`, `forbid`, "
            "or an explicit timestamp."
        )
    if role.no_store and role.generate_lease:
        changes["generate_lease"] = False
    return Role(**{**{one.name: getattr(role, one.name) for one in fields(role)}, **changes})


def _validations(values: tuple[str, ...]) -> tuple[str, ...]:
    for value in values:
        if value not in {"email", "hostname", "disabled"}:
            raise failure(f"cn_validations value incorrect: unknown type: `{value}`")
    if "disabled" in values and len(values) > 1:
        raise failure("cn_validations value incorrect: cannot specify `disabled` along with `email` or `hostname`")
    return values or ("email", "hostname")


def check_policy(policy: str) -> dict[str, str]:
    """A policy identifier: an OID, or JSON with `oid`, `cps` and `notice`. Raises BadRequestError."""
    if is_oid(policy):
        return {"oid": policy}
    try:
        loaded = json.loads(policy)
    except ValueError:
        loaded = None
    if not isinstance(loaded, dict) or not is_oid(str(loaded.get("oid", ""))):
        raise failure(f'policy identifier "{policy}" is neither a valid OID, Nor JSON Policy Identifier')
    return {name: str(value) for name, value in loaded.items()}
