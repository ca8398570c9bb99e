"""A root token, made by enough people together (`sys/generate-root/`), readable only by whoever holds the one-time pad."""

import base64
import binascii
import logging
from typing import TYPE_CHECKING, Any

from svault.auth.token.store import new_token
from svault.core.call import Answer, Call
from svault.errors import BadRequestError
from svault.logical.fields import Fields
from svault.seal.attempt import ShareAttempt, decoded_share

if TYPE_CHECKING:
    from svault.core.core import Core

_log = logging.getLogger(__name__)
TOKEN_CHARACTERS = 28


class GenerateRoot:
    """One attempt at a time. The pad (`otp`) is as long as a token and stays with who began; the answer is token XOR pad."""

    def __init__(self, core: "Core") -> None:
        self._core = core
        self._attempt: ShareAttempt | None = None
        self._pad = b""

    def handlers(self) -> dict[str, list[tuple[tuple[str, ...], Any]]]:
        """The paths and who answers them."""
        begin: list[tuple[tuple[str, ...], Any]] = [
            (("GET",), self._status),
            (("PUT", "POST"), self._begin),
            (("DELETE",), self._cancel),
        ]
        update: list[tuple[tuple[str, ...], Any]] = [(("PUT", "POST"), self._update)]
        found: dict[str, list[tuple[tuple[str, ...], Any]]] = {}
        for base in ("sys/generate-root", "sys/generate-root-token"):  # Vault's name, and OpenBao's own
            found |= {f"{base}/attempt": begin, f"{base}/update": update}
        return found

    def forget(self) -> None:
        """Drop the attempt."""
        self._attempt, self._pad = None, b""

    async def _shown(self, *, complete: bool = False, encoded: str = "", pad: str = "") -> dict[str, Any]:
        config = await self._core.seal.config()
        assert config is not None
        attempt = self._attempt
        return {
            "nonce": attempt.nonce if attempt else "",
            "started": attempt is not None,
            "progress": config.threshold if complete else attempt.progress if attempt else 0,
            "required": config.threshold,
            "complete": complete,
            "encoded_token": encoded,
            "encoded_root_token": encoded,
            "pgp_fingerprint": "",
            "otp": pad,
            "otp_length": TOKEN_CHARACTERS,
        }

    async def _status(self, _: Call) -> Answer:
        self._core.running()
        return Answer(200, await self._shown())

    async def _begin(self, call: Call) -> Answer:
        self._core.running()
        fields = Fields(call.data)
        if fields.text("pgp_key"):
            raise BadRequestError("encrypting the token with PGP is not offered here")
        pad = fields.text("otp") or _new_pad()
        if len(pad) != TOKEN_CHARACTERS or not pad.isascii():
            raise BadRequestError(f"OTP string is wrong length: it has {TOKEN_CHARACTERS} characters")
        if self._attempt is not None:
            raise BadRequestError("root generation already in progress")
        config = await self._core.seal.config()
        assert config is not None
        self._attempt, self._pad = ShareAttempt(config.threshold), pad.encode()
        return Answer(200, await self._shown(pad="" if fields.text("otp") else pad))

    async def _cancel(self, _: Call) -> Answer:
        self._core.running()
        self.forget()
        return Answer(204)

    async def _update(self, call: Call) -> Answer:
        self._core.running()
        fields, attempt = Fields(call.data), self._attempt
        if attempt is None:
            raise BadRequestError("no root generation in progress")
        if fields.text("nonce") != attempt.nonce:
            raise BadRequestError(f'incorrect nonce supplied; nonce for this root generation operation is "{attempt.nonce}"')
        proof = attempt.add(decoded_share(fields.text("key")))
        if proof is None:
            return Answer(200, {**await self._shown(), "otp_length": 0})
        if not await self._core.seal.is_proven_by(proof):
            raise BadRequestError("root generation aborted: the keys do not open this vault")
        token = await self._core.new_root_token()
        body = {**await self._shown(complete=True, encoded=encoded_token(token, self._pad)), "otp_length": 0}
        self.forget()
        _log.warning("a root token was made by the holders of enough shares")
        return Answer(200, body)


def _new_pad() -> str:
    return "".join(new_token()[4:] for _ in range(2))[:TOKEN_CHARACTERS]


def encoded_token(token: str, pad: bytes) -> str:
    """The token hidden by the pad: base64 of both, bit by bit exclusive."""
    return base64.b64encode(bytes(one ^ other for one, other in zip(token.encode(), pad, strict=True))).rstrip(b"=").decode()


def decoded_token(text: str, pad: str) -> str:
    """The inverse of `encoded_token`. Raises BadRequestError."""
    try:
        hidden = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
        return bytes(one ^ other for one, other in zip(hidden, pad.encode(), strict=True)).decode("ascii")
    except (binascii.Error, ValueError):
        raise BadRequestError("the encoded token and the one-time password do not belong together") from None
