"""What the broker needs of a device, and the options that all devices share."""

from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from typing import Protocol

from svault.errors import BadRequestError

_TRUE = {"1", "t", "T", "TRUE", "true", "True"}
_FALSE = {"0", "f", "F", "FALSE", "false", "False"}


class Device(Protocol):
    """Where entries go. Failures are AuditFileError or AuditSocketError, both VaultErrors."""

    async def open(self) -> None:
        """Make ready to write."""

    def write(self, *entries: bytes) -> Awaitable[None] | None:
        """Write entries (without the line break), all or none; a device that must wait returns what to wait for."""

    async def reopen(self) -> None:
        """Open by the same name again."""

    async def close(self) -> None:
        """Let go."""


@dataclass(frozen=True, slots=True)
class DeviceOptions:
    """A device's options as they were sent: texts, as in Vault, with Go's words for what is not understood."""

    given: Mapping[str, str]

    def text(self, name: str, default: str = "") -> str:
        """A text."""
        return self.given.get(name, default)

    def flag(self, name: str, *, default: bool) -> bool:
        """A boolean. Raises BadRequestError."""
        value = self.given.get(name, "")
        if not value:
            return default
        if value not in _TRUE | _FALSE:
            raise BadRequestError(f'strconv.ParseBool: parsing "{value}": invalid syntax')
        return value in _TRUE

    def number(self, name: str, default: float, least: float) -> float:
        """A number of `least` or more. Raises BadRequestError."""
        value = self.given.get(name, "")
        try:
            number = float(value) if value else default
        except ValueError:
            number = float("nan")
        if not least <= number < float("inf"):
            raise BadRequestError(f"{name} is a number of {least:g} or more")
        return number

    def require_json(self) -> None:
        """Refuse every format but JSON. Raises BadRequestError."""
        value = self.given.get("format", "json")
        if value == "jsonx":
            raise BadRequestError(
                'jsonx formatting has been removed, consider switching to json by omitting "format" or setting it to "json"'
            )
        if value not in {"json", ""}:
            raise BadRequestError(f'unknown format type "{value}"')
