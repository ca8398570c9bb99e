"""Collecting shares from several people, one after another: unseal, rekey and generate-root all do."""

import base64
import binascii
import uuid
from dataclasses import dataclass, field

from svault.errors import BadRequestError
from svault.seal.shamir import combine


@dataclass(slots=True)
class ShareAttempt:
    """The shares given so far. `nonce` names the attempt, so that a share meant for another one is refused."""

    required: int
    nonce: str = field(default_factory=lambda: str(uuid.uuid4()))
    _shares: list[bytes] = field(default_factory=list, repr=False)

    @property
    def progress(self) -> int:
        """How many different shares were given."""
        return len(self._shares)

    def add(self, share: bytes) -> bytes | None:
        """Take a share; returns the combined secret when there are enough, and starts over. A share given twice counts once."""
        if share not in self._shares:
            self._shares.append(share)
        if len(self._shares) < self.required:
            return None
        shares, self._shares = self._shares, []
        return combine(shares)

    def reset(self) -> None:
        """Forget what was given."""
        self._shares.clear()
        self.nonce = str(uuid.uuid4())


def decoded_share(text: str) -> bytes:
    """A share as people paste it: hex or base64. Raises BadRequestError, without the share."""
    text = text.strip()
    if not text:
        raise BadRequestError("'key' must be specified in request body as JSON, or 'reset' set to true")
    for decode in (bytes.fromhex, lambda value: base64.b64decode(value, validate=True)):
        try:
            share = decode(text)
        except (ValueError, binascii.Error):
            continue
        if len(share) in {32, 33}:
            return share
    raise BadRequestError("'key' must be a valid hex or base64 string")
