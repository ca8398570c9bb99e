"""Every operation of every engine of a vault, and bodies of each shape: from the routes and fields that the code declares."""

import inspect
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from svault.core.core import Core
from svault.logical.request import Operation

METHODS = {
    Operation.READ: ["GET"],
    Operation.LIST: ["LIST"],
    Operation.CREATE: ["POST"],
    Operation.UPDATE: ["PUT"],
    Operation.PATCH: ["PATCH"],
    Operation.DELETE: ["DELETE"],
}
CANARY = "canary-5f0c7d1e"
SECRET = {
    "password", "secret_id", "token", "key", "plaintext", "ciphertext", "private_key", "pem_bundle", "backup", "hmac", "input",
    "data",
    "context", "associated_data", "nonce", "certificate", "csr", "batch_input", "password_hash", "named_curve", "shares",
}  # fmt: skip
"""Fields whose values may hold secrets: no error may repeat them."""
_CALL = re.compile(
    r"(?:fields|config|options|Fields\([^)]*\))\s*\.(?:text|required|integer|boolean|duration|strings|mapping|pairs|records|base64)\(\s*\"(\w+)\""
)
_NAME = re.compile(r'"([a-z][a-z0-9_]{1,40})"')
_OUTSIDE = {"file_path", "path", "address", "connection_url"}
"""They name files and hosts."""
_PLACEHOLDER = re.compile(r"\{(\w+)(\.\.\.|:((?:[^{}]|\{[^{}]*\})+))?\}")
_NAMES = ["a", "k", "r", "t", "p", "pg", "ann", "people", "first", "default", "root", "x-a", "1", "latest"]
_HOSTILE = ["ä", "a b", "%2e", "\u2028", "'\"", "{{name}}", "*", "+", "a" * 600, "-", ".a", "a.", "\ud7ff", "\U0001f469", "\\"]


@cache
def field_names(folder: Path) -> list[str]:
    """The fields that the handlers of a package read: what it gives to `Fields`, and any other name that it knows."""
    source = "\n".join(path.read_text(encoding="utf-8") for path in sorted(folder.rglob("*.py")))
    read, known = set(_CALL.findall(source)) - _OUTSIDE, set(_NAME.findall(source)) - _OUTSIDE
    return sorted(read) * max(1, 2 * len(known) // (len(read) + 1)) + sorted(known)


@dataclass(frozen=True)
class Asked:
    """One operation of one route."""

    prefix: str
    pattern: str
    method: str
    folder: Path
    """Where its engine is written."""


def all_routes(core: Core, left_out: tuple[str, ...]) -> list[Asked]:
    """Each operation of each route of each mounted engine."""
    found = []
    for mounted in core.running().mounts:
        folder = Path(inspect.getfile(type(mounted.engine))).parent
        for declared in mounted.engine.routes.patterns():
            for operation in declared.operations:
                asked = [Asked(mounted.entry.path, declared.pattern, method, folder) for method in METHODS[operation]]
                found += [one for one in asked if not (one.prefix + one.pattern).startswith(left_out)]
    return sorted(set(found), key=lambda one: (one.prefix, one.pattern, one.method))


_names = st.one_of(
    st.sampled_from(_NAMES),
    st.sampled_from(_NAMES),
    st.sampled_from(_HOSTILE),
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=6),
)


@st.composite
def paths(draw: st.DrawFn, asked: Asked) -> str:
    """A path of a route: names that there are, and odd ones; what a pattern demands is met."""
    text, end = "", 0
    for found in _PLACEHOLDER.finditer(asked.pattern):
        own = found[3]
        if own and re.fullmatch(r"[\w|-]+", own):
            filled = draw(st.sampled_from(own.split("|")))
        elif found[2] == "..." or own in {None, ".+?", ".+"}:
            filled = draw(_names)
        else:
            filled = draw(st.one_of(_names, st.from_regex(own, fullmatch=True).filter(lambda text: len(text) < 100)))
        text += asked.pattern[end : found.start()] + filled
        end = found.end()
    return asked.prefix + text + asked.pattern[end:]


_numbers = st.one_of(
    st.sampled_from([0, 1, -1, 2, 60, 1 << 31, 1 << 63, -(1 << 63), 10**30, 0.5, -0.0, 1e300, 1 << 64]), st.integers(-5, 5)
)
_texts = st.one_of(
    st.sampled_from(_NAMES),
    st.sampled_from(
        ["", " ", ",", "a,b", "1h", "-1h", "9" * 30, "true", "null", "e30=", "=", "====", "YQ==", "vault:v1:YQ==", "vault:v9:",
        "{}", "[]", "{{", "hvs.", "\x00", "\x7f", "ä" * 40, "2026-01-01T00:00:00Z", "10.0.0.0/8", "::1",
        "-----BEGIN CERTIFICATE-----", "aes256-gcm96", "ed25519", "ecdsa-p256", "ml-dsa-65", "ml-kem-768", "hmac", "sha2-256",
        "ec", "rsa", "root", "kv", "2", "pem", "der"]
    ),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
)  # fmt: skip
_leaves = st.one_of(st.none(), st.booleans(), _numbers, _texts)
VALUES = st.recursive(
    _leaves, lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(_texts, inner, max_size=3)), max_leaves=5
)


@cache
def bodies(folder: Path) -> st.SearchStrategy[dict[str, Any]]:
    """Objects of known fields with any values; secret ones hold the canary now and then."""
    names = field_names(folder)
    records = st.lists(st.dictionaries(st.sampled_from(names), _leaves, max_size=3), max_size=2)
    values = st.one_of(_leaves, _leaves, VALUES, records)

    def of(name: str) -> st.SearchStrategy[tuple[str, Any]]:
        planted = st.sampled_from([CANARY, f"vault:v1:{CANARY}", [CANARY], {"a": CANARY}])
        if name in SECRET:
            return st.tuples(st.just(name), st.one_of(planted, values))
        if name == "key_bits":  # large RSA keys take seconds
            return st.tuples(st.just(name), st.sampled_from([0, 1, -1, 224, 256, 384, 521, 2048, "x", None]))
        return st.tuples(st.just(name), values)

    return st.lists(st.sampled_from(names).flatmap(of), max_size=7).map(dict)


def requests(routes: list[Asked]) -> st.SearchStrategy[tuple[Asked, str, dict[str, Any]]]:
    """An operation, its path and a body."""
    return st.sampled_from(routes).flatmap(lambda asked: st.tuples(st.just(asked), paths(asked), bodies(asked.folder)))
