"""Secrets that stand in a configuration as plain text: found by the field's name (or that of a variable in a script), a known
form, or their randomness.

A finding never repeats the value. False alarms are worse here than elsewhere, so a value must look random as well as long.
"""

import math
import re
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise
from typing import Any

from prov_gen.findings import Finding, Path, finding
from prov_gen.model.infrastructure import InfrastructureConfig, dump_stated
from stratumops import handles

# Words in a key that announce a secret, alone or together. A key is cut into words: api_key, apiKey and API-KEY are two each.
_TELLING = frozenset(
    {
        *("password", "passwd", "pass", "passphrase", "pwd", "secret", "secrets", "token", "apikey", "accesskey", "privatekey"),
        *("credential", "credentials", "contrasena", "contraseña", "clave"),
    }
)
_TELLING_PAIRS = frozenset({("api", "key"), ("access", "key"), ("private", "key"), ("secret", "key")})
# What such a key may end with when it holds no secret, but says how one is kept, where, or what it is called.
_HARMLESS_ENDS = frozenset(
    {
        *("auth", "rotation", "handle", "id", "name", "file", "path", "ttl", "encryption", "policy", "length", "count", "limit"),
        *(
            "days",
            "hours",
            "seconds",
            "enabled",
            "required",
            "store",
            "ref",
            "primaria",
            "foranea",
            "foránea",
            "publica",
            "pública",
        ),
    }
)
_WORD = re.compile(r"[A-ZÑ]?[a-zñáéíóú]+|[A-ZÑ]+(?![a-zñ])")
_NO_SECRETS = frozenset({"none", "true", "false", "required", "optional"})

# Forms that are secrets wherever they stand: their issuers' documented prefixes. Each begins with a sign that is looked for
# first, and lengths or beginnings are bounded, so that no text makes a search slow.
_FORMS = (
    ("A", re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"), "an AWS access key"),
    ("-----BEGIN", re.compile(r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----"), "a private key"),
    ("gh", re.compile(r"\bgh[pousr]_[A-Za-z0-9]{36}"), "a GitHub token"),
    ("xox", re.compile(r"\bxox[abprs]-[A-Za-z0-9-]{10}"), "a Slack token"),
    ("sk-", re.compile(r"\bsk-[A-Za-z0-9_-]{20}"), "an API key"),
    ("hv", re.compile(r"\bhv[sb]\.[A-Za-z0-9_-]{20}"), "a Vault token"),
    (
        "eyJ",
        re.compile(r"(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{10,}+\.eyJ[A-Za-z0-9_-]{10,}+\.[A-Za-z0-9_-]{10}"),
        "a JSON Web Token",
    ),
    ("://", re.compile(r"://[^/\s:@]{1,128}:[^/\s:@]{3,128}@"), "a password in an address"),
)

# NAME=value inside a script, a command or an address, and `name: value` in the lines of cloud-init.
_ASSIGNED = re.compile(
    r"""(?:^|[\s;&|(?,"'])-{0,2}([A-Za-z_][\w.-]{0,63}) ?= ?("[^"\n]{1,1024}"|'[^'\n]{1,1024}'|[^\s;&|,"')]{1,1024})""",
    re.MULTILINE,
)
_YAML_LINE = re.compile(
    r"""^[ \t-]{0,40}([A-Za-z_][\w.-]{0,63}):[ \t]{1,8}("[^"\n]{1,1024}"|'[^'\n]{1,1024}'|[^\s#][^\n]{0,1024})""", re.MULTILINE
)
_CLOUD_INIT = "#cloud-config"
# What a value begins with that a program fills in, hashes or structures: $NAME, `command`, {{ name }}, <name>, :name, %s, [a, b].
_FILLED_IN = tuple("$`{<:%[|>*@?")

# A text that only says where the secret is: nothing may stand before or after it.
_HANDLE = re.compile(
    r"\s*(?:vault:[A-Za-z0-9_./-]+(?:#[A-Za-z0-9_.-]+)?|\$\{[A-Za-z0-9_.:/-]+\}|\$\([^()\n]{1,200}\)|env:[A-Za-z0-9_]+|file:[^\s:@]+)\s*"
)
_RANDOM = re.compile(r"[A-Za-z0-9+/_=-]{24,4096}")
LEAST_ENTROPY_BITS = 4.2


def check_plaintext(config: InfrastructureConfig) -> Iterator[Finding]:
    """Findings about every text that looks like a secret."""
    known: dict[tuple[str, str], str] = {}
    for where, key, text in _texts(dump_stated(config), (), ""):
        if (key, text) not in known:
            # A thousand machines with one script are looked at once.
            known[key, text] = what_secret(key, text)
        if what := known[key, text]:
            fix = 'keep it in the vault and write its handle: "vault:secret/app#key"'
            yield finding("secret_plaintext", where, f"this looks like {what} in plain text", fix)


def what_secret(key: str, text: str) -> str:
    """What kind of secret a text under a key looks like; empty when like none."""
    for sign, form, what in _FORMS:
        if sign in text and form.search(text):
            return what
    if is_handle(text):
        return ""
    if len(text) >= 4 and announces(key) and text.lower() not in _NO_SECRETS:
        return f"the value of {key}"
    for name, value in _assignments(text):
        if len(value) >= 4 and announces(name) and value.lower() not in _NO_SECRETS and not is_handle(value):
            return f"the value of {name}"
    for found in _RANDOM.findall(text) if len(text) >= 24 else ():
        if any(map(str.isdigit, found)) and any(map(str.isupper, found)) and _entropy(found) >= LEAST_ENTROPY_BITS:
            return "a random key"
    return ""


def _assignments(text: str) -> Iterator[tuple[str, str]]:
    """Names and the values that a script gives them; not those that it works out when it runs."""
    found = _ASSIGNED.findall(text) if "=" in text else []
    if text.startswith(_CLOUD_INIT):
        found += _YAML_LINE.findall(text)
    for name, quoted in found:
        value = quoted.strip().strip("\"'")
        if not value.startswith(_FILLED_IN):
            yield name, value


def is_handle(text: str) -> bool:
    """Whether a text only says where a secret is: `vault:secret/app#key`, `${NAME}`, `env:NAME`."""
    return _HANDLE.fullmatch(text) is not None or handles.is_handle(text.strip())


@lru_cache(4096)
def announces(key: str) -> bool:
    """Whether a key's words say that its value is a secret: `db_password` does, `keyboard_secretary` does not."""
    words = [word.lower() for word in _WORD.findall(key)]
    if not words or words[-1] in _HARMLESS_ENDS:
        return False
    return any(word in _TELLING or word.endswith(("password", "passwd")) for word in words) or any(
        pair in _TELLING_PAIRS for pair in pairwise(words)
    )


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
