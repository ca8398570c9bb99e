"""New shares in place of the old ones (`sys/rekey/`, and `sys/rekey-recovery-key/` with a static seal)."""

import base64
import hmac
import os
from typing import TYPE_CHECKING, Any

from svault.barrier.keyring import KEY_BYTES
from svault.core.call import Answer, Call
from svault.errors import BadRequestError
from svault.logical.fields import Fields
from svault.seal.attempt import ShareAttempt, decoded_share
from svault.seal.shamir import check_counts, split

if TYPE_CHECKING:
    from svault.core.core import Core


class Rekey:
    """One rekey at a time: begin, give the old shares, optionally give the new ones back to verify them."""

    def __init__(self, core: "Core") -> None:
        self._core = core
        self._attempt: ShareAttempt | None = None
        self._shares = self._threshold = 0
        self._needs_verification = False
        self._verification: ShareAttempt | None = None
        self._secret: bytes | None = None

    def handlers(self) -> dict[str, list[tuple[tuple[str, ...], Any]]]:
        """The paths and who answers them."""
        found: dict[str, list[tuple[tuple[str, ...], Any]]] = {}
        for base in ("sys/rekey", "sys/rekey-recovery-key"):
            found[f"{base}/init"] = [(("GET",), self._status), (("PUT", "POST"), self._begin), (("DELETE",), self._cancel)]
            found[f"{base}/update"] = [(("PUT", "POST"), self._update)]
            found[f"{base}/verify"] = [
                (("GET",), self._verify_status),
                (("PUT", "POST"), self._verify),
                (("DELETE",), self._verify_cancel),
            ]
        return found

    async def _status(self, _: Call) -> Answer:
        self._core.running()
        config = await self._core.seal.config()
        assert config is not None
        attempt = self._attempt
        body: dict[str, Any] = {
            "nonce": attempt.nonce if attempt else "",
            "started": attempt is not None,
            "t": self._threshold if attempt else 0,
            "n": self._shares if attempt else 0,
            "progress": attempt.progress if attempt else 0,
            "required": config.threshold,
            "pgp_fingerprints": None,
            "backup": False,
            "verification_required": self._needs_verification if attempt else False,
        }
        if self._verification is not None:
            body["verification_nonce"] = self._verification.nonce
        return Answer(200, body)

    async def _begin(self, call: Call) -> Answer:
        self._core.running()
        fields = Fields(call.data)
        shares, threshold = fields.integer("secret_shares"), fields.integer("secret_threshold")
        if fields.strings("pgp_keys"):
            raise BadRequestError("encrypting keys with PGP is not offered here")
        check_counts(shares, threshold)
        if self._attempt is not None:
            raise BadRequestError("rekey already in progress")
        config = await self._core.seal.config()
        assert config is not None
        self._shares, self._threshold = shares, threshold
        self._needs_verification = fields.boolean("require_verification")
        self._attempt = ShareAttempt(config.threshold)
        return await self._status(call)

    async def _cancel(self, _: Call) -> Answer:
        self._core.running()
        self.forget()
        return Answer(204)

    def forget(self) -> None:
        """Drop the attempt and the new key."""
        self._attempt = self._verification = self._secret = None

    async def _update(self, call: Call) -> Answer:
        self._core.running()
        fields, attempt = Fields(call.data), self._attempt
        if attempt is None:
            raise BadRequestError("no barrier rekey in progress")
        if fields.text("nonce") != attempt.nonce:
            raise BadRequestError(f'incorrect nonce supplied; nonce for this rekey operation is "{attempt.nonce}"')
        proof = attempt.add(decoded_share(fields.text("key")))
        if proof is None:
            return await self._status(call)
        if not await self._core.seal.is_proven_by(proof):
            raise BadRequestError("rekey failed, invalid keys supplied")
        secret = os.urandom(KEY_BYTES)
        body: dict[str, Any] = {
            "nonce": attempt.nonce,
            "complete": True,
            "backup": False,
            "verification_required": self._needs_verification,
            "pgp_fingerprints": None,
            **_shown(split(secret, self._shares, self._threshold)),
        }
        if self._needs_verification:
            self._secret, self._verification = secret, ShareAttempt(self._threshold)
            body["verification_nonce"] = self._verification.nonce
        else:
            await self._finish(secret)
        return Answer(200, body)

    async def _finish(self, secret: bytes) -> None:
        await self._core.seal.rekey(secret, self._shares, self._threshold)
        self.forget()

    def _verifying(self) -> ShareAttempt:
        self._core.running()
        if self._verification is None:
            raise BadRequestError("no rekey verification in progress")
        return self._verification

    async def _verify_status(self, _: Call) -> Answer:
        attempt = self._verifying()
        body = {"nonce": attempt.nonce, "started": True, "t": self._threshold, "n": self._shares, "progress": attempt.progress}
        return Answer(200, body)

    async def _verify(self, call: Call) -> Answer:
        attempt, fields = self._verifying(), Fields(call.data)
        if fields.text("nonce") != attempt.nonce:
            raise BadRequestError("incorrect nonce supplied")
        secret = attempt.add(decoded_share(fields.text("key")))
        if secret is None:
            return await self._verify_status(call)
        if not hmac.compare_digest(secret, self._secret or b""):
            raise BadRequestError("rekey verification failed; incorrect key shares supplied")
        nonce = attempt.nonce
        await self._finish(secret)
        return Answer(200, {"nonce": nonce, "complete": True})

    async def _verify_cancel(self, call: Call) -> Answer:
        self._verifying()
        if self._attempt is not None:
            self._attempt.reset()
        self._verification = ShareAttempt(self._threshold)
        return await self._verify_status(call)


def _shown(shares: list[bytes]) -> dict[str, list[str]]:
    return {"keys": [share.hex() for share in shares], "keys_base64": [base64.b64encode(share).decode() for share in shares]}
