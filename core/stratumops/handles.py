"""Secret handles: how a configuration or an answer names a secret without holding it.

`vault:secret/app#password` is the field `password` of the secret `app` under the mount `secret/`;
`vault:secret/app?version=3#password` pins a version. Characters that would be read as something else are percent-encoded
(RFC 3986). A handle may be shown to anybody; it is resolved inside the action that needs the value, and nowhere else.
"""

import re
from dataclasses import dataclass
from urllib.parse import quote, unquote

from stratumops.errors import InvalidInputError

SCHEME = "vault:"
MAX_LENGTH = 1024
_SAFE = "-_.~@:+=,!$&'()*;"
_VERSION = r"(?:\?version=([1-9]\d{0,17}))?"
_HANDLE = re.compile(rf"vault:([^?#\s]+){_VERSION}#([^?#\s]+){_VERSION}")
_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_HINT = "write it like vault:secret/app#password: the mount, the secret's path, # and the field"


@dataclass(frozen=True, slots=True)
class SecretHandle:
    """One field of one secret. Raises InvalidInputError for parts that cannot be; no message quotes them.

    `path` is mount and path together (`secret/app`): only the vault knows where its mounts end. `version` is None for the newest.
    """

    path: str
    field: str
    version: int | None = None

    def __post_init__(self) -> None:
        segments = self.path.split("/")
        if len(segments) < 2:
            raise InvalidInputError("a secret handle names a mount and a path below it", hint=_HINT)
        if any(segment in {"", ".", ".."} for segment in segments):
            raise InvalidInputError("a secret handle's path has an empty, . or .. segment", hint=_HINT)
        if not self.field:
            raise InvalidInputError("a secret handle names a field", hint=_HINT)
        if _UNPRINTABLE.search(self.path + self.field):
            raise InvalidInputError("a secret handle has no control characters", hint=_HINT)
        if self.version is not None and not 1 <= self.version < 10**18:
            raise InvalidInputError("a secret handle's version is a number from 1 on", hint=_HINT)
        if len(str(self)) > MAX_LENGTH:
            raise InvalidInputError(f"a secret handle is at most {MAX_LENGTH} characters long", hint=_HINT)

    def __str__(self) -> str:
        version = "" if self.version is None else f"?version={self.version}"
        return f"{SCHEME}{quote(self.path, safe=_SAFE + '/')}{version}#{quote(self.field, safe=_SAFE + '/')}"

    @classmethod
    def parse(cls, text: str) -> "SecretHandle":
        """The other direction of `str`; the version may also stand behind the field."""
        found = _HANDLE.fullmatch(text) if len(text) <= MAX_LENGTH else None
        if found is None or (found[2] and found[4]) or _ESCAPE.search(text):
            raise InvalidInputError("this is no secret handle", hint=_HINT)
        try:
            path, field = unquote(found[1], errors="strict"), unquote(found[3], errors="strict")
        except UnicodeDecodeError:
            raise InvalidInputError("a secret handle's escapes are not UTF-8", hint=_HINT) from None
        if path.count("/") != found[1].count("/"):
            raise InvalidInputError("a secret handle's path has no escaped slash", hint=_HINT)
        version = found[2] or found[4]
        return cls(path, field, int(version) if version else None)


def typed_handle(text: str) -> SecretHandle | None:
    """The handle that a person typed, who may leave out `vault:` before it; None when it is none."""
    try:
        return SecretHandle.parse(text if text.startswith(SCHEME) else SCHEME + text)
    except InvalidInputError:
        return None


def is_handle(text: str) -> bool:
    """Whether a text is a secret handle."""
    if not text.startswith(SCHEME):
        return False
    try:
        SecretHandle.parse(text)
    except InvalidInputError:
        return False
    return True
