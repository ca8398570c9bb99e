"""Secrets that stand in a configuration as plain text: found by the field's name, a known form, or their randomness.

A finding never repeats the value. False alarms are worse here than elsewhere, so a value must look random as well as long.
"""

import math
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from prov_gen.findings import Finding, Path
from prov_gen.model.infrastructure import InfrastructureConfig, dump_stated

# Words in a key that announce a secret.
_TELLING = re.compile(
    r"(?i)(pass(word|wd|phrase)?|secret|token|api_?key|access_?key|private_?key|credential|contrase(n|ñ)a|clave)"
)
# Keys that contain such a word and are no secret.
_HARMLESS = re.compile(
    r"(?i)(password_auth|rotation|handle|_id$|_name$|_file$|_path$|metadata_tokens|token_ttl|secrets_encryption|kms_key)"
)

# Forms that are secrets wherever they stand: their issuers' documented prefixes.
_FORMS = (
    (re.compile(r"\b(AKIA|ASIA)[0-9A-Z]{16}\b"), "an AWS access key"),
    (re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----"), "a private key"),
    (re.compile(r"\bgh[pousr]_[A-Za-z0-9]{36,}\b"), "a GitHub token"),
    (re.compile(r"\bxox[abprs]-[A-Za-z0-9-]{10,}\b"), "a Slack token"),
    (re.compile(r"\bsk-[A-Za-z0-9_-]{20,}\b"), "an API key"),
    (re.compile(r"\bhv[sb]\.[A-Za-z0-9_-]{20,}\b"), "a Vault token"),
    (re.compile(r"\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}"), "a JSON Web Token"),
    (re.compile(r"\b[a-z][a-z0-9+.-]*://[^/\s:@]+:[^/\s:@]{3,}@"), "a password in an address"),
)

_HANDLE = re.compile(r"^\s*(vault:|\$\{|\$\(|env:|file:)")
_RANDOM = re.compile(r"\b[A-Za-z0-9+/_=-]{24,}\b")
LEAST_ENTROPY_BITS = 4.2


def check_plaintext(config: InfrastructureConfig) -> Iterator[Finding]:
    """Findings about every text that looks like a secret."""
    for where, key, text in _texts(dump_stated(config), (), ""):
        what = what_secret(key, text)
        if what:
            yield Finding(
                layer=5,
                code="secret_plaintext",
                severity="error",
                where=where,
                message=f"this looks like {what} in plain text",
                fix='keep it in the vault and write its handle: "vault:secret/app#key"',
            )


def what_secret(key: str, text: str) -> str:
    """What kind of secret a text under a key looks like; empty when like none."""
    if _HANDLE.match(text):
        return ""
    for form, what in _FORMS:
        if form.search(text):
            return what
    if (
        _TELLING.search(key)
        and not _HARMLESS.search(key)
        and len(text) >= 4
        and text.lower() not in {"none", "true", "false", "required", "optional"}
    ):
        return f"the value of {key}"
    for found in _RANDOM.findall(text):
        if _entropy(found) >= LEAST_ENTROPY_BITS and any(c.isdigit() for c in found) and any(c.isupper() for c in found):
            return "a random key"
    return ""


def _texts(value: Any, where: Path, key: str) -> Iterator[tuple[Path, str, str]]:
    if isinstance(value, str):
        yield where, key, value
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from _texts(inner, (*where, name), name)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _texts(inner, (*where, index), key)


def _entropy(text: str) -> float:
    """Shannon entropy in bits a character."""
    counts = Counter(text)
    return -sum(n / len(text) * math.log2(n / len(text)) for n in counts.values())
