"""What a device writes in place of a value: its HMAC-SHA256 under the device's salt."""

import json
from collections.abc import Mapping
from datetime import date
from math import isfinite
from typing import Any

from svault.crypto.keyed import KeyedHash
from svault.errors import BadRequestError

_MAX_REMEMBERED = 1024


class Hasher:
    """Hashes with the salt of one device, but for what its options leave readable."""

    def __init__(self, salt: bytes, *, log_raw: bool = False, hmac_accessor: bool = True) -> None:
        self.log_raw, self.hmac_accessor = log_raw, hmac_accessor
        self._keyed = KeyedHash(salt)
        self._remembered: dict[str, str] = {}
        """Tokens come again and again."""

    def text(self, text: str) -> str:
        """`hmac-sha256:...` of a text, whatever the options say."""
        return "hmac-sha256:" + self._keyed.hexdigest(text.encode("utf-8", "surrogatepass"))

    def token(self, text: str) -> str:
        """A token."""
        if not text or self.log_raw:
            return text
        known = self._remembered.get(text)
        if known is None:
            if len(self._remembered) >= _MAX_REMEMBERED:
                self._remembered.clear()
            known = self._remembered[text] = self.text(text)
        return known

    def accessor(self, text: str) -> str:
        """A token's accessor."""
        return self.token(text) if self.hmac_accessor else text

    def body(self, value: Mapping[str, Any], plain: frozenset[str]) -> Any:
        """A body of JSON with its texts hashed, but for those right under a key of `plain` or in its lists.

        Raises BadRequestError when it is nested too deeply.
        """
        try:
            return json.loads(json.dumps(value, default=str), parse_constant=str) if self.log_raw else self._hashed(value, plain)
        except RecursionError:
            raise BadRequestError("the body is nested too deeply") from None

    def _hashed(self, value: Any, plain: frozenset[str], is_plain: bool = False) -> Any:
        kind = type(value)
        if kind is str:
            return value if is_plain else self.text(value)
        if kind is dict:
            return {key: self._hashed(one, plain, key in plain) for key, one in value.items()}
        if kind is list:
            return [self._hashed(one, plain, is_plain) for one in value]
        if kind is int or kind is bool or value is None:
            return value
        if isinstance(value, float):
            return value if isfinite(value) else str(value)
        if isinstance(value, Mapping):
            return self._hashed(dict(value), plain)
        if isinstance(value, tuple | set | frozenset):
            return self._hashed(list(value), plain, is_plain)
        if isinstance(value, date):
            return value.isoformat()
        return self.text(value.hex() if isinstance(value, bytes) else str(value))
