"""Which names a role lets a certificate have: Vault's rules for host names, wildcards, e-mail addresses and allowed domains."""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from svault.engines.pki.roles import Role

from svault.errors import BadRequestError

_LABEL = r"([a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9\-]*[a-zA-Z0-9])"
_HOST = re.compile(rf"(\*\.)?({_LABEL}\.)*{_LABEL}\.?")
_WILDCARD_LABEL = re.compile(rf"\*|\*{_LABEL}|{_LABEL}\*|{_LABEL}\*{_LABEL}")
_REFERENCE = re.compile(r"\w(?:[\w.-]*\w)?")
_LOCAL = {"localhost", "localdomain"}


def is_reference(name: str) -> bool:
    """Whether an issuer, key or role may be called this."""
    return len(name.encode()) <= 512 and _REFERENCE.fullmatch(name) is not None


def is_host(name: str) -> bool:
    """Whether this is a host name, perhaps with `*.` before it."""
    return _HOST.fullmatch(name) is not None


def ascii_host(name: str) -> str:
    """A host name, international labels in Punycode (RFC 3492). Raises BadRequestError when DNS cannot hold it."""
    labels = [_ascii_label(label) for label in name.split(".")]
    if not all(labels) or sum(map(len, labels)) + len(labels) - 1 > 253:
        raise BadRequestError(f'idna: invalid label "{name}"')
    return ".".join(labels)


def _ascii_label(label: str) -> str:
    if len(label) > 63:  # before the conversion, which takes the square of the length
        raise BadRequestError(f'idna: invalid label "{label}"')
    encoded = label.removeprefix("xn--")
    try:
        converted = label if label.isascii() else "xn--" + label.encode("punycode").decode()
        if encoded != label and not encoded.encode().decode("punycode"):
            raise UnicodeError  # noqa: TRY301 - the same answer as for what cannot be decoded
    except UnicodeError:
        raise BadRequestError(f'idna: invalid label "{encoded}"') from None
    if len(converted) > 63:
        raise BadRequestError(f'idna: invalid label "{label}"')
    return converted


def matches_glob(pattern: str, text: str) -> bool:
    """Whether the text is the pattern, in which each `*` stands for anything, also for nothing."""
    head, *parts = pattern.split("*")
    if not parts:
        return pattern == text
    if not text.startswith(head):
        return False
    place = len(head)
    for part in parts[:-1]:
        found = text.find(part, place)
        if found < 0:
            return False
        place = found + len(part)
    return text.endswith(parts[-1]) and len(text) - place >= len(parts[-1])


def matches_any(patterns: Sequence[str], text: str) -> bool:
    """Whether one of the globs is the text."""
    return any(matches_glob(pattern, text) for pattern in patterns)


def is_common_name_allowed(name: str, role: "Role") -> bool:
    """Whether the role lets the subject's common name be this (`cn_validations`, then as `is_name_allowed`)."""
    if not name or "disabled" in role.cn_validations:
        return True
    if "@" in name:
        return name.count("@") == 1 and "email" in role.cn_validations and is_name_allowed(name, role)
    return "hostname" in role.cn_validations and is_name_allowed(name, role)


def is_name_allowed(name: str, role: "Role") -> bool:
    """Whether the role lets a certificate name this host or e-mail address; its templates are filled in already."""
    is_email = "@" in name
    local, _, host = name.rpartition("@")
    if is_email and "@" in local:
        return False
    is_wildcard, reduced = "*" in host, host
    if is_wildcard:
        if is_email or not role.allow_wildcard_certificates:
            return False
        label, _, reduced = host.partition(".")
        if host.count("*") != 1 or not _WILDCARD_LABEL.fullmatch(label):
            return False
    if role.enforce_hostnames and reduced:
        try:
            if not is_host(ascii_host(reduced)):
                return False
        except BadRequestError:
            return False
    if role.allow_any_name or (role.allow_localhost and _is_local(reduced, role)):
        return True
    return any(_is_in_domain(name, reduced, domain, role, is_email, is_wildcard) for domain in role.allowed_domains)


def _is_local(host: str, role: "Role") -> bool:
    return host in _LOCAL or (role.allow_subdomains and any(host.endswith("." + one) for one in _LOCAL))


def _is_in_domain(name: str, host: str, domain: str, role: "Role", is_email: bool, is_wildcard: bool) -> bool:
    if not domain:
        return False
    if role.allow_bare_domains and not is_wildcard and (name == domain or (is_email and host == domain)):
        return True
    if role.allow_subdomains and (host.endswith("." + domain) or (is_wildcard and host == domain)):
        return True
    return role.allow_glob_domains and "*" in domain and matches_glob(domain, name)
