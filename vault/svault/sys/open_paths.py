"""The paths that need no token, most not even an unsealed vault: init, unseal, health, leader, rekey, generate-root.

Source: Vault's API pages of the same names. They answer without Vault's usual envelope and are not audited, as there.
"""

import base64
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from svault.barrier.barrier import WrongKeyError
from svault.core.call import Answer, Call
from svault.errors import BadRequestError, UnsupportedOperationError, VaultError
from svault.logical.clock import rfc3339
from svault.logical.fields import Fields
from svault.seal.attempt import ShareAttempt, decoded_share
from svault.sys.generate_root import GenerateRoot
from svault.sys.rekey import Rekey
from svault.version import VERSION

if TYPE_CHECKING:
    from svault.core.core import Core

Handle = Callable[[Call], Awaitable[Answer]]
_READS, _WRITES, _DELETES = ("GET", "HEAD"), ("PUT", "POST"), ("DELETE",)


class OpenPaths:
    """Answers these paths of one vault; `handle` is None for every other."""

    def __init__(self, core: "Core") -> None:
        self._core = core
        self._rekey = Rekey(core)
        self._generate_root = GenerateRoot(core)
        self._handlers: dict[str, list[tuple[tuple[str, ...], Handle]]] = {
            "sys/init": [(_READS, self._is_initialized), (_WRITES, self._initialize)],
            "sys/seal-status": [(_READS, self._seal_status)],
            "sys/unseal": [(_WRITES, self._unseal)],
            "sys/health": [(_READS, self._health)],
            "sys/leader": [(_READS, self._leader)],
            **self._rekey.handlers(),
            **self._generate_root.handlers(),
        }

    def forget(self) -> None:
        """Drop shares and new keys that were being collected: the vault is sealed, or no longer the active one."""
        self._rekey.forget()
        self._generate_root.forget()

    async def handle(self, call: Call) -> Answer | None:
        """Answer a call to one of these paths."""
        rows = self._handlers.get(call.path.rstrip("/")) if call.path.startswith("sys/") else None
        if rows is None:
            return None
        for methods, handler in rows:
            if call.method in methods:
                return await handler(call)
        raise UnsupportedOperationError

    async def _is_initialized(self, _: Call) -> Answer:
        return Answer(200, {"initialized": await self._core.is_initialized()})

    async def _initialize(self, call: Call) -> Answer:
        fields = Fields(call.data)
        if fields.strings("pgp_keys") or fields.text("root_token_pgp_key") or fields.strings("recovery_pgp_keys"):
            raise BadRequestError("encrypting keys with PGP is not offered here")
        kind = "recovery" if self._core.seal.is_static else "secret"
        shares, threshold = fields.integer(f"{kind}_shares"), fields.integer(f"{kind}_threshold")
        if self._core.seal.is_static and not shares and not threshold:
            shares, threshold = 1, 1
        keys, token = await self._core.initialize(shares, threshold)
        hexes, texts = [key.hex() for key in keys], [base64.b64encode(key).decode() for key in keys]
        if self._core.seal.is_static:
            body = {"keys": [], "keys_base64": [], "recovery_keys": hexes, "recovery_keys_base64": texts, "root_token": token}
        else:
            body = {"keys": hexes, "keys_base64": texts, "root_token": token}
        return Answer(200, body)

    async def status(self) -> dict[str, Any]:
        """The body of `sys/seal-status`."""
        core = self._core
        config = await core.seal.config()
        initialized = await core.is_initialized()
        body: dict[str, Any] = {
            "type": "static" if core.seal.is_static else "shamir",
            "initialized": initialized,
            "sealed": core.is_sealed,
            "t": config.threshold if config and initialized else 0,
            "n": config.shares if config and initialized else 0,
            "progress": core.attempt.progress if core.attempt else 0,
            "nonce": core.attempt.nonce if core.attempt and core.attempt.progress else "",
            "recovery_seal": core.seal.is_static,
            "version": VERSION,
            "migration": False,
            "storage_type": core.settings.storage_type,
        }
        if not core.is_sealed:
            body |= {"cluster_name": core.settings.cluster_name, "cluster_id": core.cluster_id}
        return body

    async def _seal_status(self, _: Call) -> Answer:
        return Answer(200, await self.status())

    async def _unseal(self, call: Call) -> Answer:
        core, fields = self._core, Fields(call.data)
        await core.settled()
        if fields.boolean("reset"):
            core.attempt = None
            return Answer(200, await self.status())
        share = decoded_share(fields.text("key"))
        config = await core.seal.config()
        if config is None or not await core.is_initialized():
            raise BadRequestError("Vault is not initialized")
        if core.seal.is_static:
            raise BadRequestError("this vault is unsealed by its machine's key; shares are for recovery only")
        if core.is_sealed:
            core.attempt = core.attempt or ShareAttempt(config.threshold)
            try:
                secret = core.attempt.add(share)
                if secret is not None:
                    await core.unseal(secret)
            except WrongKeyError as error:
                core.attempt = None
                raise BadRequestError(f"Unseal failed, invalid key: {error.message}") from None
            except VaultError:
                core.attempt = None
                raise
            if secret is not None:
                core.attempt = None
        return Answer(200, await self.status())

    async def _health(self, call: Call) -> Answer:
        core, fields = self._core, Fields(call.data)
        initialized, standby = await core.is_initialized(), core.is_standby
        status = fields.integer("activecode", 200)
        if not initialized:
            status = fields.integer("uninitcode", 501)
        elif core.is_sealed:
            status = fields.integer("sealedcode", 503)
        elif standby and not fields.boolean("standbyok"):
            status = fields.integer("standbycode", 429)
        if not 100 <= status <= 599:
            raise BadRequestError("a status code is a number from 100 to 599")
        body: dict[str, Any] = {
            "initialized": initialized,
            "sealed": core.is_sealed,
            "standby": standby or core.is_sealed,
            "replication_performance_mode": "disabled" if not core.is_sealed else "unknown",
            "replication_dr_mode": "disabled" if not core.is_sealed else "unknown",
            "server_time_utc": int(core.clock.time()),
            "version": VERSION,
        }
        if not core.is_sealed:
            body |= {"cluster_name": core.settings.cluster_name, "cluster_id": core.cluster_id}
        return Answer(status, body)

    async def _leader(self, _: Call) -> Answer:
        core = self._core
        if not core.is_shared:
            return Answer(200, {"ha_enabled": False, "is_self": False, "leader_address": "", "leader_cluster_address": ""})
        body: dict[str, Any] = {
            "ha_enabled": True,
            "is_self": core.active is not None,
            "active_time": rfc3339(core.active_since),
            "leader_address": await core.leader_address(),
            "leader_cluster_address": "",
        }
        return Answer(200, body)
