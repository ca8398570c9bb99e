"""The fields of a request's body, read with the conversions that Vault makes.

A number may come as text, a boolean as `"true"`, a list as `"a,b"`, a duration as `"1h"`. A field of the wrong kind is a
BadRequestError that names the field and never its value.
"""

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from svault.errors import BadRequestError
from svault.logical.durations import parse_duration

_TRUE, _FALSE = {"1", "t", "true"}, {"0", "f", "false", ""}


def _refuse(name: str, wanted: str) -> NoReturn:
    raise BadRequestError(f'Field validation failed: error converting input for field "{name}": {wanted} is expected')


class Fields:
    """A request's body by field. A field that is `null` counts as not sent."""

    __slots__ = ("raw",)

    def __init__(self, raw: Mapping[str, Any]) -> None:
        self.raw = raw

    def __contains__(self, name: str) -> bool:
        return self.raw.get(name) is not None

    def __repr__(self) -> str:
        return f"Fields({sorted(self.raw)})"

    def text(self, name: str, default: str = "") -> str:
        """Text; a number or boolean becomes its text."""
        value = self.raw.get(name)
        if value is None:
            return default
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, str | int | float):
            return str(value)
        _refuse(name, "text")

    def required(self, name: str, message: str = "") -> str:
        """Text that must be there and not empty."""
        value = self.text(name)
        if not value:
            raise BadRequestError(message or f"missing {name}")
        return value

    def integer(self, name: str, default: int = 0) -> int:
        """A whole number, also as text."""
        value = self.raw.get(name)
        if value is None:
            return default
        if isinstance(value, str):
            digits = value.strip()
            if digits.removeprefix("-").isdecimal() and len(digits) < 20:
                return int(digits)
        elif isinstance(value, int) and not isinstance(value, bool) and abs(value) < 1 << 63:
            return value
        elif isinstance(value, float) and value.is_integer() and abs(value) < 1 << 63:
            return int(value)
        _refuse(name, "a whole number")

    def boolean(self, name: str, default: bool = False) -> bool:
        """A boolean, also as `"true"`, `"1"`, `1`."""
        value = self.raw.get(name)
        if value is None:
            return default
        if isinstance(value, bool):
            return value
        if isinstance(value, int) and value in {0, 1}:
            return bool(value)
        if isinstance(value, str) and value.lower() in _TRUE | _FALSE:
            return value.lower() in _TRUE
        _refuse(name, "true or false")

    def duration(self, name: str, default: int = 0) -> int:
        """Whole seconds."""
        value = self.raw.get(name)
        return default if value is None else parse_duration(value, name)

    def strings(self, name: str, default: Sequence[str] = ()) -> list[str]:
        """A list of texts, also as `"a,b"`; blanks around an item are cut off, empty items left out."""
        value = self.raw.get(name)
        if value is None:
            return list(default)
        if isinstance(value, str):
            value = value.split(",")
        if not isinstance(value, list) or not all(isinstance(item, str | int | float) for item in value):
            _refuse(name, "a list of texts")
        return [text for item in value if (text := str(item).strip())]

    def mapping(self, name: str) -> dict[str, Any]:
        """A JSON object; `{}` when not sent."""
        value = self.raw.get(name)
        if value is None:
            return {}
        if not isinstance(value, dict):
            _refuse(name, "an object")
        return value

    def pairs(self, name: str) -> dict[str, str]:
        """An object of texts, also as `["k=v"]` or `"k=v,k2=v2"`."""
        value = self.raw.get(name)
        if isinstance(value, str | list):
            items = [item.partition("=") for item in self.strings(name)]
            if not all(separator for _, separator, _ in items):
                _refuse(name, "key=value")
            return {key.strip(): text for key, _, text in items}
        return {key: str(text) for key, text in self.mapping(name).items()}

    def records(self, name: str) -> list[dict[str, Any]] | None:
        """A list of objects (a batch), or None when not sent."""
        value = self.raw.get(name)
        if value is None:
            return None
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            _refuse(name, "a list of objects")
        return value

    def base64(self, name: str, message: str = "") -> bytes:
        """Bytes in standard base64; empty when not sent. `message` is the sentence for what is not base64."""
        try:
            return base64.b64decode(self.text(name), validate=True)
        except (binascii.Error, ValueError):
            raise BadRequestError(message or f"failed to base64-decode {name}") from None
